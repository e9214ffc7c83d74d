import type { Directive, FormatPart } from '../recipe/time-format.ts'

/**
 * All in which the SQL of DuckDB and that of Spark 4 differ, as far as recipes need it. Both count
 * times in whole seconds since 1970, by which no type of either is asked for its zone. Spark wants
 * its session in UTC (`spark.sql.session.timeZone`).
 */
export type Dialect = {
  readonly textType: string
  readonly literal: (text: string) => string
  readonly matches: (text: string, pattern: string) => string
  /** Seconds of a time like 2024-01-31 or 2024-01-31 10:00:00, null where there is no such time. */
  readonly secondsOfIso: (text: string) => string
  /** Seconds of a time in a format, null where it is not in it; UTC without an offset. */
  readonly secondsOfParts: (text: string, parts: readonly FormatPart[]) => string
  /** A time that `year` and the like can be asked of. */
  readonly timeOf: (seconds: string) => string
  /** What the clocks of a zone show, in seconds, and when they show it. */
  readonly toZone: (seconds: string, zone: string) => string
  readonly fromZone: (seconds: string, zone: string) => string
  /** Keeps the result of a query under a name. */
  readonly keep: (name: string, query: string) => string
}

export const duckdb: Dialect = {
  textType: 'VARCHAR',
  literal: (text) => `'${text.replaceAll("'", "''")}'`,
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
  keep: (name, query) => `CREATE TABLE ${name} AS ${query}`,
}

export const spark: Dialect = {
  textType: 'STRING',
  literal: (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
  matches: (text, pattern) => `REGEXP_LIKE(${text}, ${spark.literal(pattern)})`,
  secondsOfIso: (text) => `UNIX_SECONDS(TRY_CAST(${text} AS TIMESTAMP))`,
  secondsOfParts: (text, parts) => {
    const format = parts.map((part, i) => {
      if (part.kind === 'text') return part.text.replace(/[A-Za-z]+/g, "'$&'")
      // One letter takes one digit or two, but only where something else ends the number.
      const isNext = parts[i + 1]?.kind === 'directive' || parts[i - 1]?.kind === 'directive'
      return isNext ? sparkLetters[part.letter][1] : sparkLetters[part.letter][0]
    })
    return `UNIX_SECONDS(TRY_TO_TIMESTAMP(${text}, ${spark.literal(format.join(''))}))`
  },
  timeOf: (seconds) => `TIMESTAMP_SECONDS(${seconds})`,
  toZone: (seconds, zone) =>
    `UNIX_SECONDS(FROM_UTC_TIMESTAMP(TIMESTAMP_SECONDS(${seconds}), ${spark.literal(zone)}))`,
  fromZone: (seconds, zone) =>
    `UNIX_SECONDS(TO_UTC_TIMESTAMP(TIMESTAMP_SECONDS(${seconds}), ${spark.literal(zone)}))`,
  keep: (name, query) => `CACHE TABLE ${name} OPTIONS ('storageLevel' 'DISK_ONLY') AS ${query}`,
}

/** DuckDB's `timezone` reads a time as one of a zone, or shows an instant in one. */
function moved(seconds: string, from: string, to: string): string {
  const instant = `TIMEZONE(${duckdb.literal(from)}, ${duckdb.timeOf(seconds)})`
  return `CAST(EPOCH(TIMEZONE(${duckdb.literal(to)}, ${instant})) AS BIGINT)`
}

/** Java's patterns: for a number of any length, and of the full one. */
const sparkLetters: Readonly<Record<Directive, readonly [string, string]>> = {
  Y: ['yyyy', 'yyyy'],
  y: ['yy', 'yy'],
  m: ['M', 'MM'],
  b: ['MMM', 'MMM'],
  B: ['MMMM', 'MMMM'],
  d: ['d', 'dd'],
  H: ['H', 'HH'],
  I: ['h', 'hh'],
  p: ['a', 'a'],
  M: ['m', 'mm'],
  S: ['s', 'ss'],
  z: ['[XXX][XX]', '[XXX][XX]'],
}
