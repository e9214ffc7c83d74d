import { limits } from '../limits.ts'
import type { GivenRecipe, Source } from '../recipe/schema.ts'
import { type LookColumn, missingWords, targetName, timeName } from './columns.ts'
import { frequencyOf } from './frequency.ts'
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
  const lacking = columns.filter(({ name, missing }) => keys.includes(name) && missing > 0)
  for (const { name, missing } of lacking)
    notes.push(`Of the first rows ${missing} have no ${name}; such rows are rejected.`)
  const place = sample.columns.indexOf(time.name)
  const times = sample.rows.map((row) => row[place] ?? null)
  const frequency = frequencyOf(times, format!)
  if (frequency.isGuess)
    notes.push(`The rows do not tell how often: ${frequency.word} is proposed.`)
  if (frequency.word !== 'hourly' && times.some((text) => offset.test(text ?? '')))
    notes.push(
      `The times of ${time.name} have offsets, and days are those of UTC, so that some may be a ` +
        'day off: say in time.zone where days begin, as in "Europe/Berlin".',
    )
  notes.push(...doubts(time, `times as ${format}`), ...doubts(target, 'numbers'))
  const recipe: GivenRecipe = {
    source: withNumbers(source, target, columns),
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

/** Other than that of UTC. */
const offset = /:\d\d(\.\d+)?[+-](?!00(:?00)?$)\d\d(:?\d\d)?$/
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
    .filter((column) => score(column) > 0)
    .filter(({ missing }) => missing <= rows.length * limits.misfitShareMax)
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

/** What was passed over to say what a column is. */
function* doubts({ name, misfits, isDoubtful, samples }: LookColumn, what: string) {
  const few = misfits.slice(0, limits.samplesShown).map((text) => JSON.stringify(text))
  if (misfits.length > 0)
    yield `Not all values of ${name} are ${what}; rows with others are rejected: ${few.join(', ')}.`
  const example = samples.find((text) => text.includes(','))
  if (isDoubtful)
    yield `The comma of ${name}, as in ${example}, is taken for a decimal one; if it separates ` +
      'thousands, say so in source: "decimal": ".", "thousands": ",".'
}

/** How the file writes numbers, and the words for those that are missing that it has. */
function withNumbers(source: Source, target: LookColumn, columns: readonly LookColumn[]): Source {
  if (source.format === 'parquet') return source
  const isMarked = ({ type, decimal, thousands }: LookColumn) =>
    type === 'number' && (decimal !== '.' || thousands !== null)
  const { decimal, thousands } = [target, ...columns].find(isMarked) ?? target
  return {
    ...source,
    ...(decimal === ',' ? { decimal } : {}),
    ...(thousands === null ? {} : { thousands }),
    missing: [...missingWords],
  }
}
