import { calendarOf, instantsOf, isFrequency, textOfInstant } from '@almanac/engine'
import { Refused, type VersionRecord } from '@almanac/shared'

export type Calendar = NonNullable<VersionRecord['calendar']>

/** When steps are. */
export type Times = {
  /** Milliseconds since 1970-01-01T00:00Z. */
  readonly instants: ArrayLike<number>
  /** ISO 8601: local times with their offset where the data has a time zone, else UTC. */
  readonly texts: () => readonly string[]
}

/**
 * The times of the first `horizon` steps after the data. Months are counted from the start, so that
 * a series that began on a 31st comes back to it where the month has one. Throws a 422 where the
 * data told no start or no frequency that is known.
 */
export function timesAfter(known: Calendar | undefined, horizon: number): Times {
  const { start = '', frequency = '', timezone = 'UTC', steps = 0 } = known ?? {}
  const calendar = isFrequency(frequency) ? calendarOf(start, frequency, timezone) : undefined
  if (calendar === undefined || Number.isNaN(calendar.start))
    throw new Refused(422, 'no-calendar', 'The data of this version has no start or frequency.', {
      field: 'timestamps',
      remedy: 'Fit with series: [{start, frequency, y}], or ask without timestamps.',
    })
  const instants = instantsOf(calendar, steps, horizon)
  const beyond = instants.findIndex((instant) => Math.abs(instant) > lastTimeMs)
  if (beyond >= 0)
    throw new Refused(422, 'no-calendar', `Step ${beyond + 1} lies beyond the calendar.`, {
      field: 'timestamps',
    })
  const { step } = calendar
  return { instants, texts: () => Array.from(instants, (at) => textOfInstant(at, step)) }
}

/** A day before the end of the year 9999: later times have no plain ISO form in all zones. */
const lastTimeMs = Date.UTC(9999, 11, 30, 23, 59, 59)
