import { stepAt } from './calendar-steps.ts'
import { calendarOf, instantOf } from './described.ts'
import { isFrequency } from './frequency.ts'

/** What is known of a series: when it began, how often it is observed, and how many steps. */
export type KnownSteps = {
  readonly start: string
  readonly frequency: string
  /** UTC when absent. */
  readonly timezone?: string
  readonly steps: number
}

/** Where new observations begin, seen from the end of those that are known. */
export type Gap =
  /** So many steps lie between. */
  | { readonly kind: 'after'; readonly steps: number }
  /** The last so many steps are known already. */
  | { readonly kind: 'known'; readonly steps: number }
  | { readonly kind: 'off-grid' }
  /** Nobody said when the series began, or how often it is observed. */
  | { readonly kind: 'no-calendar' }

/** The steps between the end of a series and an instant, ISO 8601. */
export function gapBefore(known: KnownSteps, text: string): Gap {
  const { start, frequency, timezone = 'UTC', steps } = known
  if (!isFrequency(frequency)) return { kind: 'no-calendar' }
  const calendar = calendarOf(start, frequency, timezone)
  if (Number.isNaN(calendar.start)) return { kind: 'no-calendar' }
  const instant = instantOf(text, timezone)
  if (Number.isNaN(instant)) return { kind: 'off-grid' }
  const { index, exact } = stepAt(calendar, instant)
  if (!exact) return { kind: 'off-grid' }
  if (index < steps) return { kind: 'known', steps: steps - index }
  return { kind: 'after', steps: index - steps }
}
