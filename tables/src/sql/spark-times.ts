import type { Directive, FormatPart } from '../recipe/time-format.ts'
import { formPattern } from './form-pattern.ts'

/**
 * Seconds of a text that `formPattern` takes, put together as ISO 8601. Spark's own patterns know
 * another century of two digits, other offsets, and no hour of twelve without its half.
 */
export function partsInSpark(
  text: string,
  parts: readonly FormatPart[],
  literal: (text: string) => string,
): string {
  const pattern = literal(formPattern(parts).replace(/\$$/, '\\z'))
  const letters = parts.flatMap((part) => (part.kind === 'directive' ? [part.letter] : []))
  /** Of a directive that is there twice the last one counts, as in DuckDB. */
  const said = (...asked: readonly Directive[]) => {
    const at = letters.findLastIndex((letter) => asked.includes(letter))
    const sql = `REGEXP_EXTRACT(${text}, ${pattern}, ${at + 1})`
    return at < 0 ? undefined : { letter: letters[at]!, sql }
  }
  const iso =
    `${yearOf(said('Y', 'y'))} || '-' || ${monthOf(said('m', 'b', 'B'))} || '-' || ` +
    `${padded(said('d')?.sql ?? "'1'")} || ' ' || ${hourOf(said('H', 'I'), said('p'))} || ':' || ` +
    `${padded(said('M')?.sql ?? "'0'")} || ':' || ${padded(said('S')?.sql ?? "'0'")}`
  const seconds = `UNIX_SECONDS(TRY_CAST(${iso} AS TIMESTAMP))`
  const offset = said('z')
  return offset === undefined ? seconds : `(${seconds} - ${offsetOf(offset.sql)})`
}

type Said = { readonly letter: Directive; readonly sql: string } | undefined

const padded = (sql: string) => `LPAD(${sql}, 2, '0')`
const number = (sql: string) => `TRY_CAST(${sql} AS INT)`

function yearOf(said: Said): string {
  if (said?.letter !== 'y') return said?.sql ?? "'1970'"
  return `CASE WHEN ${number(said.sql)} >= 69 THEN '19' ELSE '20' END || ${said.sql}`
}

function monthOf(said: Said): string {
  if (said === undefined) return "'01'"
  if (said.letter === 'm') return padded(said.sql)
  const names = "'janfebmaraprmayjunjulaugsepoctnovdec'"
  const place = `(LOCATE(LOWER(SUBSTRING(${said.sql}, 1, 3)), ${names}) + 2) DIV 3`
  return padded(`CAST(${place} AS STRING)`)
}

/** With a half of the day an hour is one of twelve, whichever directive it has. */
function hourOf(said: Said, half: Said): string {
  const hour = said?.sql ?? "'0'"
  if (half === undefined) {
    if (said?.letter !== 'I') return padded(hour)
    return `CASE WHEN ${number(hour)} BETWEEN 1 AND 12 THEN ${padded(hour)} END`
  }
  const least = said?.letter === 'I' ? 1 : 0
  const later = `CASE WHEN LOWER(${half.sql}) = 'pm' THEN 12 ELSE 0 END`
  const whole = padded(`CAST(${number(hour)} % 12 + ${later} AS STRING)`)
  return `CASE WHEN ${number(hour)} BETWEEN ${least} AND 12 THEN ${whole} END`
}

function offsetOf(sql: string): string {
  const sign = `CASE WHEN LEFT(${sql}, 1) = '-' THEN -1 ELSE 1 END`
  const minutes = `CASE WHEN LENGTH(${sql}) > 3 THEN ${number(`RIGHT(${sql}, 2)`)} ELSE 0 END`
  return `${sign} * (3600 * ${number(`SUBSTRING(${sql}, 2, 2)`)} + 60 * ${minutes})`
}

/** A day that is given 24 hours ends, which Spark does not take for a time. */
export function isoInSpark(text: string, matches: (pattern: string) => string): string {
  const day = `UNIX_SECONDS(TRY_CAST(SUBSTRING(${text}, 1, 10) AS TIMESTAMP))`
  return (
    `CASE WHEN ${matches('^.{10}.24:00(:00([.]0+)?)?$')} THEN ${day} + 86400 ` +
    `ELSE UNIX_SECONDS(TRY_CAST(${text} AS TIMESTAMP)) END`
  )
}

/**
 * When the clocks of a zone show a time. Of an hour that they show twice it is the second one, as
 * in DuckDB; in Spark it is the first.
 */
export function instantInSpark(seconds: string, zone: string): string {
  const first = `UNIX_SECONDS(TO_UTC_TIMESTAMP(TIMESTAMP_SECONDS(${seconds}), ${zone}))`
  const shown = (instant: string) =>
    `UNIX_SECONDS(FROM_UTC_TIMESTAMP(TIMESTAMP_SECONDS(${instant}), ${zone}))`
  /** As far from UTC as it is some hours later, when the change is over. */
  const later = `(${first} + 14400)`
  const second = `(${seconds} - (${shown(later)} - ${later}))`
  return `CASE WHEN ${shown(second)} = ${seconds} THEN ${second} ELSE ${first} END`
}
