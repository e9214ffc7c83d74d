import { limits } from '../limits.ts'
import type { Sample } from './sample.ts'
import { timeFormatsOf } from './time-guess.ts'

/** What the first rows say about a column. */
export type LookColumn = {
  readonly name: string
  readonly type: 'time' | 'number' | 'text'
  /** The formats that fit all of its times. */
  readonly timeFormats: readonly string[]
  readonly decimal: '.' | ','
  /** Some of its values, each once. */
  readonly samples: readonly string[]
  readonly missing: number
  readonly distinct: number
}

export function describeColumns({ columns, rows }: Sample): readonly LookColumn[] {
  return columns.map((name, i) =>
    describe(
      name,
      rows.map((row) => row[i] ?? ''),
    ),
  )
}

function describe(name: string, values: readonly string[]): LookColumn {
  const known = values.filter((value) => !isMissing(value))
  const distinct = [...new Set(known)]
  const form = {
    name,
    decimal: '.',
    timeFormats: [],
    samples: distinct.slice(0, limits.samplesShown),
    missing: values.length - known.length,
    distinct: distinct.length,
  } as const
  if (distinct.length === 0) return { ...form, type: 'text' }
  const timeFormats = timeFormatsOf(distinct)
  // A number of eight digits may be a date; one in a column of that name is.
  const isTime = timeFormats.length > 0 && (timeFormats[0] !== '%Y%m%d' || timeName.test(name))
  if (isTime) return { ...form, type: 'time', timeFormats }
  const all = (pattern: RegExp) => distinct.every((value) => pattern.test(value.trim()))
  if (all(/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/)) return { ...form, type: 'number' }
  if (all(/^[+-]?\d+(,\d*)?$/)) return { ...form, type: 'number', decimal: ',' }
  return { ...form, type: 'text' }
}

export const missingWords = ['NA', 'N/A', 'NaN', 'null', 'NULL', '-'] as const

function isMissing(value: string): boolean {
  return value === '' || missingWords.some((word) => word === value)
}

export const timeName = /date|time|day|month|week|period|datum|zeit|fecha|jour/i
