import { gapBefore, type KnownSteps } from '@almanac/engine'
import { limits, Refused, unreachable, type VersionRecord } from '@almanac/shared'

type Observations = {
  readonly y: readonly (number | null)[]
  readonly start: string | null
}

/** New observations from right after those that a version knows; missing ones are null. */
export type Continued = {
  readonly y: readonly (number | null)[]
  readonly calendar: VersionRecord['calendar'] | undefined
}

/**
 * Joins new observations to those of a version. Where they say when they begin, what lies between
 * is missing; what the version knows already is refused. Throws `Refused`.
 */
export function continueAfter(
  { version, calendar }: Pick<VersionRecord, 'version' | 'calendar'>,
  { y, start }: Observations,
): Continued {
  const gap = start === null ? 0 : gapOf(version, calendar, start)
  if (gap + y.length > limits.newObservationsMax)
    throw wrongStart(
      `There are ${gap} steps missing before ${start}, which makes more than ${limits.newObservationsMax} with yours.`,
      'Fit the model again with all of its data.',
    )
  const all = gap === 0 ? y : [...Array.from({ length: gap }, () => null), ...y]
  if (calendar === undefined) return { y: all, calendar }
  return { y: all, calendar: { ...calendar, steps: calendar.steps + all.length } }
}

/** Steps between what a version knows and an instant. */
function gapOf(version: number, calendar: KnownSteps | undefined, start: string): number {
  const gap = calendar ? gapBefore(calendar, start) : ({ kind: 'no-calendar' } as const)
  switch (gap.kind) {
    case 'after':
      return gap.steps
    case 'no-calendar':
      throw wrongStart(
        `The data of version ${version} has no start or frequency, so nobody knows where ${start} is in it.`,
        'Leave start out: then they come right after those of before.',
      )
    case 'off-grid':
      throw wrongStart(
        `${start} is no step of ${calendar?.frequency} data that began at ${calendar?.start}.`,
      )
    case 'known':
      throw wrongStart(
        `Version ${version} knows ${gap.steps} ${gap.steps === 1 ? 'step' : 'steps'} from ${start} on already.`,
        'Send only what came after it; what it knows can be changed only by fitting again.',
        409,
      )
    default:
      return unreachable(gap)
  }
}

function wrongStart(detail: string, remedy?: string, status = 422): Refused {
  const code = status === 409 ? 'known-already' : 'start'
  return new Refused(status, code, detail, {
    field: '/series/0/start',
    ...(remedy === undefined ? {} : { remedy }),
  })
}
