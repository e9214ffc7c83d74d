import type { FormatPart } from '../recipe/time-format.ts'
import { instantInSpark, isoInSpark, partsInSpark } from './spark-times.ts'

/**
 * All in which the SQL of DuckDB and that of Spark 4 differ, as far as recipes need it. Both count
 * times in whole seconds since 1970, by which no type of either is asked for its zone. Spark wants
 * its session in UTC (`spark.sql.session.timeZone`).
 */
export type Dialect = {
  readonly textType: string
  readonly literal: (text: string) => string
  /** Without the spaces on both sides, those of Unicode among them. */
  readonly trimmed: (text: string) => string
  readonly matches: (text: string, pattern: string) => string
  /** Seconds of a time like 2024-01-31 or 2024-01-31 10:00:00, null where there is no such time. */
  readonly secondsOfIso: (text: string) => string
  /** Seconds of a text that is in a format, null where there is no such time. */
  readonly secondsOfParts: (text: string, parts: readonly FormatPart[]) => string
  /** A time that `year` and the like can be asked of. */
  readonly timeOf: (seconds: string) => string
  /** What the clocks of a zone show, in seconds, and when they show it. */
  readonly toZone: (seconds: string, zone: string) => string
  readonly fromZone: (seconds: string, zone: string) => string
}

export const duckdb: Dialect = {
  textType: 'VARCHAR',
  literal: (text) => `'${text.replaceAll("'", "''")}'`,
  trimmed: (text) => `TRIM(${text})`,
  matches: (text, pattern) => `REGEXP_MATCHES(${text}, ${duckdb.literal(pattern)})`,
  secondsOfIso: (text) => `CAST(FLOOR(EPOCH(TRY_CAST(${text} AS TIMESTAMP))) AS BIGINT)`,
  secondsOfParts: (text, parts) => {
    const format = parts.map((part) => (part.kind === 'text' ? part.text : `%${part.letter}`))
    const time = `TRY_STRPTIME(${text}, ${duckdb.literal(format.join(''))})`
    return `CAST(FLOOR(EPOCH(${time})) AS BIGINT)`
  },
  timeOf: (seconds) => `MAKE_TIMESTAMP((${seconds}) * 1000000)`,
  toZone: (seconds, zone) => moved(seconds, 'UTC', zone),
  fromZone: (seconds, zone) => moved(seconds, zone, 'UTC'),
}

export const spark: Dialect = {
  textType: 'STRING',
  literal: (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
  trimmed: (text) => `TRIM(BOTH ${spark.literal(spaces)} FROM ${text})`,
  // In Java a dollar is also before a line break at the end.
  matches: (text, pattern) =>
    `REGEXP_LIKE(${text}, ${spark.literal(pattern.replace(/\$$/, '\\z'))})`,
  secondsOfIso: (text) => isoInSpark(text, (pattern) => spark.matches(text, pattern)),
  secondsOfParts: (text, parts) => partsInSpark(text, parts, spark.literal),
  timeOf: (seconds) => `TIMESTAMP_SECONDS(${seconds})`,
  toZone: (seconds, zone) =>
    `UNIX_SECONDS(FROM_UTC_TIMESTAMP(TIMESTAMP_SECONDS(${seconds}), ${spark.literal(zone)}))`,
  fromZone: (seconds, zone) => instantInSpark(seconds, spark.literal(zone)),
}

/** What Unicode calls separators of words; a tab is none. */
const spaces =
  ' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000'

/** DuckDB's `timezone` reads a time as one of a zone, or shows an instant in one. */
function moved(seconds: string, from: string, to: string): string {
  const instant = `TIMEZONE(${duckdb.literal(from)}, ${duckdb.timeOf(seconds)})`
  return `CAST(EPOCH(TIMEZONE(${duckdb.literal(to)}, ${instant})) AS BIGINT)`
}
