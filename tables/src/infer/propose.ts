import type { Frequency } from '@almanac/engine'
import type { GivenRecipe, Source } from '../recipe/schema.ts'
import { type LookColumn, missingWords, timeName } from './columns.ts'
import type { Sample } from './sample.ts'

export type Proposal = {
  /** Null where there is no column of times or of numbers. */
  readonly recipe: GivenRecipe | null
  /** What was guessed without being sure, for whoever decides. */
  readonly notes: readonly string[]
}

/** A recipe for a table from its first rows, for its owner to correct. */
export function propose(source: Source, sample: Sample, columns: readonly LookColumn[]): Proposal {
  const notes: string[] = []
  const time = best(columns, ({ name, type }) =>
    type !== 'time' ? 0 : timeName.test(name) ? 2 : 1,
  )
  const target = best(columns, targetScore)
  if (time === undefined) notes.push('No column looks like a time.')
  if (target === undefined) notes.push('No column looks like the numbers that are to be forecast.')
  if (time === undefined || target === undefined) return { recipe: null, notes }
  const [format, second] = time.timeFormats
  if (second !== undefined)
    notes.push(`The times of ${time.name} fit both ${format} and ${second}; ${format} is proposed.`)
  const out = columns.find(({ name }) => stockOutName.test(name))
  const rest = columns.filter((column) => ![time, target, out].includes(column))
  const keys = keysOf(rest, time, sample)
  if (keys.length === 0) notes.push('No column tells one series from another: it is taken as one.')
  const frequency = frequencyOf(format!, sample, sample.columns.indexOf(time.name))
  if (frequency.isGuess)
    notes.push(`The rows do not tell how often: ${frequency.word} is proposed.`)
  const recipe: GivenRecipe = {
    source: withNumbers(source, columns),
    time: { column: time.name, ...(format === 'iso' ? {} : { format: format! }) },
    target: target.name,
    keys,
    frequency: frequency.word,
    aggregate: 'sum',
    ...(out === undefined ? {} : { stockOuts: { column: out.name } }),
    gaps: { fill: 'leave' },
  }
  return { recipe, notes }
}

function best(columns: readonly LookColumn[], score: (column: LookColumn) => number) {
  const [first] = columns.toSorted((a, b) => score(b) - score(a))
  return first !== undefined && score(first) > 0 ? first : undefined
}

const targetName =
  /quantit|qty|sales|sold|units|demand|target|amount|volume|revenue|count|^y$|value/i
const keyName = /(^|[_\W])(id|key|code|nr|no)$|store|shop|product|item|sku|article|region|series/i
const stockOutName = /stock.?out|sold.?out|out.?of.?stock/i

function targetScore({ name, type, distinct }: LookColumn): number {
  if (type !== 'number' || stockOutName.test(name)) return 0
  if (targetName.test(name)) return 3
  if (keyName.test(name) || distinct < 2) return 0
  return 1
}

/** Columns are added as long as they tell rows of the same time apart. */
function keysOf(
  columns: readonly LookColumn[],
  time: LookColumn,
  { columns: names, rows }: Sample,
) {
  const score = ({ name, type }: LookColumn) => (keyName.test(name) ? 2 : type === 'text' ? 1 : 0)
  const isShort = ({ name }: LookColumn) => (/name$/i.test(name) ? 1 : 0)
  const candidates = columns
    .filter((column) => score(column) > 0 && column.missing === 0)
    .toSorted((a, b) => score(b) - score(a) || isShort(a) - isShort(b))
  const kindsWith = (keys: readonly string[]) => {
    const places = [time.name, ...keys].map((name) => names.indexOf(name))
    return new Set(rows.map((row) => JSON.stringify(places.map((place) => row[place])))).size
  }
  const keys: string[] = []
  let kinds = kindsWith(keys)
  for (const { name, distinct } of candidates) {
    if (kinds === rows.length) break
    const more = kindsWith([...keys, name])
    if (distinct > 1 && more > kinds) keys.push(name)
    kinds = Math.max(kinds, more)
  }
  // In the order of the file, as its owner knows them.
  return names.filter((name) => keys.includes(name))
}

/** The usual distance of neighbouring times, as far as the first rows have several. */
function frequencyOf(format: string, { rows }: Sample, place: number) {
  const texts = rows.map((row) => row[place] ?? '')
  const isMonthly = format === 'iso' ? /^\d{4}-\d\d$/.test(texts[0] ?? '') : !/%d/.test(format)
  if (isMonthly) return { word: 'monthly', isGuess: false } as const
  const isHourly = /%H/.test(format) || texts.some((text) => /\d[T ]\d/.test(text))
  const days =
    format === 'iso' ? [...new Set(texts.map((text) => Date.parse(text.slice(0, 10))))] : []
  const steps = days
    .toSorted((a, b) => a - b)
    .flatMap((day, i, all) => (i === 0 ? [] : [(day - all[i - 1]!) / 86_400_000]))
    .toSorted((a, b) => a - b)
  const usual = steps[steps.length >> 1]
  if (isHourly && (usual === undefined || usual <= 1))
    return { word: 'hourly', isGuess: true } as const
  if (usual === undefined) return { word: 'daily', isGuess: true } as const
  const known: readonly (readonly [number, Frequency])[] = [
    [6, 'daily'],
    [27, 'weekly'],
    [88, 'monthly'],
    [360, 'quarterly'],
  ]
  const word = known.find(([below]) => usual < below)?.[1] ?? 'yearly'
  return { word, isGuess: false } as const
}

/** How the file writes numbers, and the words for those that are missing that it has. */
function withNumbers(source: Source, columns: readonly LookColumn[]): Source {
  if (source.format === 'parquet') return source
  const isComma = columns.some(({ type, decimal }) => type === 'number' && decimal === ',')
  return { ...source, ...(isComma ? { decimal: ',' as const } : {}), missing: [...missingWords] }
}
