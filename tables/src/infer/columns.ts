import { limits } from '../limits.ts'
import { type NumberGuess, numbersOf } from './number-guess.ts'
import type { Sample } from './sample.ts'
import { closestFormat, isBareNumber, timeFormatsOf } from './time-guess.ts'

/** What the first rows say about a column. */
export type LookColumn = {
  readonly name: string
  readonly type: 'time' | 'number' | 'text'
  /** The formats that fit all of its times. */
  readonly timeFormats: readonly string[]
  readonly decimal: '.' | ','
  readonly thousands: NumberGuess['thousands']
  /** Whether the decimal mark may as well separate thousands. */
  readonly isDoubtful: boolean
  /** Some of its values, each once. */
  readonly samples: readonly string[]
  /** The few values that are not what all others are: their rows will be rejected. */
  readonly misfits: readonly string[]
  readonly missing: number
  readonly distinct: number
}

export function describeColumns({ columns, rows }: Sample): readonly LookColumn[] {
  const described = columns.map((name, i) =>
    describe(
      name,
      rows.map((row) => row[i] ?? ''),
    ),
  )
  // A year beside a date or a month is a part of it, and no time of its own.
  const isLast = ({ timeFormats: [format] }: LookColumn) => lastFormats.has(format)
  const isPart = ({ type, name }: LookColumn) => type === 'time' || partName.test(name)
  if (!described.some((column) => isPart(column) && !isLast(column))) return described
  return described.map((column) =>
    isLast(column) ? { ...column, type: 'number', timeFormats: [] } : column,
  )
}

/** Of numbers that are times only where nothing else is. */
const lastFormats = new Set<string | undefined>(['%Y', 'epoch-seconds', 'epoch-milliseconds'])
const partName = /^(month|week|quarter|day|monat|tag)/i

function describe(name: string, values: readonly string[]): LookColumn {
  const known = values.filter((value) => !isMissing(value))
  const distinct = [...new Set(known)]
  const form = {
    name,
    decimal: '.',
    thousands: null,
    isDoubtful: false,
    timeFormats: [],
    samples: distinct.slice(0, limits.samplesShown),
    misfits: [],
    missing: values.length - known.length,
    distinct: distinct.length,
  } as const
  if (distinct.length === 0) return { ...form, type: 'text' }
  const timeFormats = timeFormatsOf(distinct).filter(
    // A number of eight digits may be a date; one in a column of that name is.
    (format) => !isBareNumber(format) || timeName.test(name),
  )
  if (timeFormats.length > 0) return { ...form, type: 'time', timeFormats }
  const numbers = numbersOf(distinct)
  if (numbers !== undefined) return { ...form, ...numbers, type: 'number' }
  return { ...form, type: 'text', ...butForAFew(name, distinct) }
}

/** A line of totals or a broken one does not make another column of it, where its name says so. */
function butForAFew(name: string, distinct: readonly string[]) {
  const most = Math.floor(distinct.length * limits.misfitShareMax)
  if (most === 0) return {}
  if (timeName.test(name)) {
    const { format, misfits } = closestFormat(distinct)
    if (misfits.length <= most) return { type: 'time', timeFormats: [format], misfits } as const
  }
  if (!targetName.test(name)) return {}
  const misfits = distinct.filter((value) => !/^\s*[+-]?[\d.,' ]*\d[\d.,' ]*\s*$/.test(value))
  const numbers = numbersOf(distinct.filter((value) => !misfits.includes(value)))
  if (misfits.length > most || numbers === undefined) return {}
  return { ...numbers, type: 'number', misfits } as const
}

export const missingWords = ['NA', 'N/A', 'NaN', 'null', 'NULL', '-'] as const

function isMissing(value: string): boolean {
  return value === '' || missingWords.some((word) => word === value)
}

export const timeName =
  /date|time|day|month|week|year|period|datum|zeit|monat|jahr|fecha|jour|^ts$|^ds$/i

export const targetName =
  /quantit|qty|sales|sold|units|demand|target|amount|volume|revenue|count|^y$|value|menge|umsatz/i
