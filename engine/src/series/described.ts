import type { Series } from '../family.ts'
import type { Calendar } from './calendar.ts'
import { dayMs } from './calendar-dates.ts'
import { instantOfLocal } from './calendar-zones.ts'
import { type Frequency, isFrequency, seasonsOf, stepOf } from './frequency.ts'
import { zoneFrom } from './zone-table.ts'

/** A series in the words of JSON: null is a missing observation, or something that nobody said. */
export type Description = {
  readonly y: readonly (number | null)[]
  /** One of `frequencies`; another word tells nothing. */
  readonly frequency: string | null
  /** The time of the first observation, ISO 8601. */
  readonly start: string | null
  /** Whose dates and times of day the observations have, as `isTimeZone`; UTC when nobody said. */
  readonly timezone?: string | null
}

/** The series: its frequency tells its seasons and, with a start, its dates. */
export function describedSeries({ y, frequency, start, timezone }: Description): Series {
  const values = Float64Array.from(y, (value) => value ?? Number.NaN)
  if (!isFrequency(frequency)) return { y: values }
  const seasons = seasonsOf(frequency)
  if (start === null) return { y: values, seasons }
  return { y: values, seasons, calendar: calendarOf(start, frequency, timezone ?? 'UTC') }
}

/** Of observations from a time on, ISO 8601; its start is NaN where that is none. */
export function calendarOf(start: string, frequency: Frequency, timezone: string): Calendar {
  const instant = instantOf(start, timezone)
  return { start: instant, step: stepOf(frequency, zoneFrom(timezone, instant)) }
}

/**
 * A date, or a time without an offset, is one of the zone, wherever the machine stands; NaN when it
 * is none.
 */
export function instantOf(text: string, timezone = 'UTC'): number {
  if (/T.*([zZ]|[+-]\d\d:?\d\d)$/.test(text)) return Date.parse(text)
  const local = Date.parse(text.includes('T') ? `${text}Z` : text)
  return Number.isNaN(local) ? local : instantOfLocal(zoneFrom(timezone, local - dayMs), local)
}
