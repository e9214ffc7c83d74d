import type { Frequency } from '@almanac/engine'
import type { DatePart } from '../recipe/schema.ts'
import { hasOffset, type TimeFormat } from '../recipe/time-format.ts'
import type { Dialect } from './dialect.ts'
import { formPattern } from './form-pattern.ts'

/** A time in two ways, both in seconds: what the clock on the wall shows, and when that is. */
export type TimeSql = { readonly wall: string; readonly instant: string }

/** The time that a text is, null where it is none. A text without an offset is the wall's. */
export function timeOf(text: string, format: TimeFormat, zone: string, dialect: Dialect): TimeSql {
  const trimmed = dialect.trimmed(text)
  const toWall = (seconds: string) => (zone === 'UTC' ? seconds : dialect.toZone(seconds, zone))
  const toInstant = (seconds: string) =>
    zone === 'UTC' ? seconds : dialect.fromZone(seconds, zone)
  if (format.kind === 'iso') {
    const { written, offset, isOffset } = isoOf(trimmed, dialect)
    const instant = `${written} - ${offset}`
    return {
      wall: `CASE WHEN ${isOffset} THEN ${toWall(instant)} ELSE ${written} END`,
      instant: `CASE WHEN ${isOffset} THEN ${instant} ELSE ${toInstant(written)} END`,
    }
  }
  const seconds =
    format.kind === 'epoch'
      ? epochOf(trimmed, format.perSecond, dialect)
      : `CASE WHEN ${dialect.matches(trimmed, formPattern(format.parts))} ` +
        `THEN ${dialect.secondsOfParts(trimmed, format.parts)} END`
  return hasOffset(format)
    ? { wall: toWall(seconds), instant: seconds }
    : { wall: seconds, instant: toInstant(seconds) }
}

/** The number of a period, so that it and the next one are neighbours; `stepStart` goes back. */
export function periodOf(frequency: Frequency, time: TimeSql, dialect: Dialect): string {
  const wall = dialect.timeOf(time.wall)
  switch (frequency) {
    case 'hourly':
      return floorOf(time.instant, 3_600)
    case 'daily':
      return daysOf(time.wall)
    case 'weekly':
      // The first of January 1970 was a Thursday; weeks begin on Mondays.
      return floorOf(`(${daysOf(time.wall)} + 3)`, 7)
    case 'monthly':
      return `CAST(YEAR(${wall}) * 12 + MONTH(${wall}) - 1 AS BIGINT)`
    case 'quarterly':
      return `CAST(YEAR(${wall}) * 4 + QUARTER(${wall}) - 1 AS BIGINT)`
    case 'yearly':
      return `CAST(YEAR(${wall}) AS BIGINT)`
  }
}

export function datePartOf(part: DatePart, { wall }: TimeSql, dialect: Dialect): string {
  const days = daysOf(wall)
  switch (part) {
    case 'week':
      return `WEEKOFYEAR(${dialect.timeOf(wall)})`
    case 'weekday':
      return `(${days} + 3 - 7 * ${floorOf(`(${days} + 3)`, 7)} + 1)`
    case 'day-of-year':
      return `DAYOFYEAR(${dialect.timeOf(wall)})`
    case 'hour':
      return floorOf(`(${wall} - 86400 * ${days})`, 3_600)
    default:
      return `${part.toUpperCase()}(${dialect.timeOf(wall)})`
  }
}

const floorOf = (number: string, by: number) => `CAST(FLOOR(${number} / ${by}.0) AS BIGINT)`
const daysOf = (wall: string) => floorOf(wall, 86_400)

/** Ten digits of seconds reach the year 2286, fourteen of milliseconds beyond the year 5000. */
function epochOf(text: string, perSecond: number, dialect: Dialect): string {
  const digits = perSecond === 1 ? 11 : 14
  const number = `TRY_CAST(${text} AS BIGINT)`
  const isEpoch = dialect.matches(text, `^-?[0-9]{1,${digits}}$`)
  return `CASE WHEN ${isEpoch} THEN ${floorOf(number, perSecond)} END`
}

/** ISO 8601 from the month on, with a space in place of the T as databases write it. */
function isoOf(text: string, dialect: Dialect) {
  const offset = '(Z|[+-][0-9]{2}(:?[0-9]{2})?)'
  const time = `[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?${offset}?`
  const isIso = dialect.matches(text, `^[0-9]{4}-[0-9]{2}(-[0-9]{2}(${time})?)?$`)
  // What follows the minutes: a date has hyphens, too.
  const rest = `SUBSTRING(${text}, 17)`
  const pattern = dialect.literal('([+-][0-9]{2}):?([0-9]{2})?$')
  const part = (group: number) =>
    `COALESCE(TRY_CAST(REGEXP_EXTRACT(${rest}, ${pattern}, ${group}) AS INT), 0)`
  const sign = `CASE WHEN ${dialect.matches(rest, '-[0-9:]+$')} THEN -60 ELSE 60 END`
  const bare = `REGEXP_REPLACE(${text}, ${dialect.literal(`${offset}$`)}, '')`
  const full =
    `CASE WHEN LENGTH(${text}) = 7 THEN ${text} || '-01' ` +
    `WHEN LENGTH(${text}) = 10 THEN ${text} ELSE ${bare} END`
  return {
    written: `CASE WHEN ${isIso} THEN ${dialect.secondsOfIso(full)} END`,
    offset: `(3600 * ${part(1)} + ${sign} * ${part(2)})`,
    isOffset: `LENGTH(${text}) > 16 AND ${dialect.matches(rest, `${offset}$`)}`,
  }
}
