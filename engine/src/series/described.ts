import type { Series } from '../family.ts'
import { isFrequency, seasonsOf, stepOf } from './frequency.ts'

/** A series in the words of JSON: null is a missing observation, or something that nobody said. */
export type Description = {
  readonly y: readonly (number | null)[]
  /** One of `frequencies`; another word tells nothing. */
  readonly frequency: string | null
  /** The time of the first observation, ISO 8601. */
  readonly start: string | null
}

/** The series: its frequency tells its seasons and, with a start, its dates in UTC. */
export function describedSeries({ y, frequency, start }: Description): Series {
  const values = Float64Array.from(y, (value) => value ?? Number.NaN)
  if (!isFrequency(frequency)) return { y: values }
  const seasons = seasonsOf(frequency)
  if (start === null) return { y: values, seasons }
  return { y: values, seasons, calendar: { start: instantOf(start), step: stepOf(frequency) } }
}

/** A time without an offset is taken as UTC, wherever the machine stands; NaN when it is none. */
export function instantOf(text: string): number {
  const zoned = /([zZ]|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T')
  return Date.parse(zoned ? text : `${text}Z`)
}
