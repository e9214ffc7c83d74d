import { instantOf } from '@almanac/engine'
import { Refused, type VersionRecord } from '@almanac/shared'

export type Calendar = NonNullable<VersionRecord['calendar']>

type Step = { readonly unit: 'milliseconds' | 'months'; readonly count: number }

const hourMs = 3_600_000

const stepOf: Readonly<Record<string, Step>> = {
  hourly: { unit: 'milliseconds', count: hourMs },
  daily: { unit: 'milliseconds', count: 24 * hourMs },
  weekly: { unit: 'milliseconds', count: 7 * 24 * hourMs },
  monthly: { unit: 'months', count: 1 },
  quarterly: { unit: 'months', count: 3 },
  yearly: { unit: 'months', count: 12 },
}

/**
 * The times of the first `horizon` steps after the data, ISO 8601 in UTC. Months are counted from
 * the start, so that a series that began on a 31st comes back to it where the month has one.
 * Throws a 422 where the data told no start or no frequency that is known.
 */
export function timestampsAfter(calendar: Calendar | undefined, horizon: number): string[] {
  const startMs = calendar ? instantOf(calendar.start) : Number.NaN
  const step = calendar && stepOf[calendar.frequency]
  if (!calendar || !step || Number.isNaN(startMs))
    throw new Refused(422, 'no-calendar', 'The data of this version has no start or frequency.', {
      field: 'timestamps',
      remedy: 'Fit with series: [{start, frequency, y}], or ask without timestamps.',
    })
  const times: string[] = []
  for (let i = 0; i < horizon; i++) {
    const timeMs = after(startMs, step, calendar.steps + i)
    if (Math.abs(timeMs) > lastTimeMs)
      throw new Refused(422, 'no-calendar', `Step ${i + 1} lies beyond the calendar.`, {
        field: 'timestamps',
      })
    times.push(new Date(timeMs).toISOString())
  }
  return times
}

/** The end of the year 9999: later times have no plain ISO form. */
const lastTimeMs = Date.UTC(9999, 11, 31, 23, 59, 59)

function after(startMs: number, step: Step, steps: number): number {
  if (step.unit === 'milliseconds') return startMs + steps * step.count
  const start = new Date(startMs)
  const month = start.getUTCMonth() + steps * step.count
  const year = start.getUTCFullYear()
  // Day 0 of the month after is the last day of the month.
  const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const timeOfDayMs = startMs - Date.UTC(year, start.getUTCMonth(), start.getUTCDate())
  return Date.UTC(year, month, Math.min(start.getUTCDate(), days)) + timeOfDayMs
}
