import type { Frequency } from '@almanac/engine'
import type { GivenRecipe, Step } from './schema.ts'

/** How a file is to be read; everything is said. */
type FileSource =
  | ({
      readonly format: 'csv'
      readonly delimiter: string
      readonly quote: string | null
      readonly multiline: boolean
      readonly skip: number
      readonly header: readonly string[] | null
    } & TextSource)
  | ({ readonly format: 'ndjson' } & TextSource)
  | ({ readonly format: 'parquet' } & Omit<TextSource, 'encoding'>)

type TextSource = {
  readonly encoding: 'utf-8' | 'latin-1' | 'utf-16'
  readonly decimal: '.' | ','
  readonly thousands: string
  readonly missing: readonly string[]
}

/** A recipe without anything left open. */
export type Recipe = {
  readonly source: FileSource
  readonly time: { readonly column: string; readonly format: string; readonly zone: string }
  readonly target: string
  readonly keys: readonly string[]
  readonly features: readonly FeatureRule[]
  readonly steps: readonly Step[]
  readonly frequency: Frequency
  readonly aggregate: NonNullable<GivenRecipe['aggregate']>
  readonly duplicates: NonNullable<GivenRecipe['duplicates']>
} & SeriesRules & { readonly stockOutColumn: StockOutColumn | null }

export type FeatureRule = {
  readonly column: string
  readonly type: 'number' | 'category'
  readonly aggregate: 'mean' | 'sum' | 'min' | 'max'
}

type StockOutColumn = { readonly column: string; readonly values: readonly string[] }

/** What is done with one series after another, once its rows are together. */
export type SeriesRules = {
  /** A run of so many zeros, or more, is a stock-out. */
  readonly stockOuts: { readonly do: 'repair'; readonly zeros: number } | null
  readonly levelShifts: {
    readonly do: 'flag' | 'repair'
    readonly window: number
    readonly threshold: number
  } | null
  readonly outliers: {
    readonly do: 'flag' | 'repair'
    readonly reach: number
    readonly threshold: number
  } | null
  readonly gaps: {
    readonly fill: 'leave' | 'zero' | 'forward' | 'interpolate'
    readonly of: 'absent' | 'missing'
    readonly until: 'series' | 'table'
  }
}

/** A checked recipe with its defaults. */
export function completed(given: GivenRecipe): Recipe {
  const { time, features = [], stockOuts, levelShifts, outliers, gaps } = given
  return {
    source: completedSource(given.source),
    time: { column: time.column, format: time.format ?? 'iso', zone: time.zone ?? 'UTC' },
    target: given.target,
    keys: given.keys ?? [],
    features: features.map(({ column, type, aggregate }) => {
      return { column, type, aggregate: aggregate ?? (type === 'number' ? 'mean' : 'min') }
    }),
    steps: given.steps ?? [],
    frequency: given.frequency,
    aggregate: given.aggregate ?? 'sum',
    duplicates: given.duplicates ?? 'keep',
    stockOutColumn:
      stockOuts?.column === undefined
        ? null
        : { column: stockOuts.column, values: stockOuts.values ?? ['1', 'true', 'yes'] },
    stockOuts: stockOuts?.zeros === undefined ? null : { do: 'repair', zeros: stockOuts.zeros },
    levelShifts: levelShifts ? { window: 14, threshold: 5, ...levelShifts } : null,
    outliers: outliers ? { reach: 7, threshold: 3, ...outliers } : null,
    gaps: { fill: 'leave', of: 'absent', until: 'series', ...gaps },
  }
}

function completedSource(source: GivenRecipe['source']): FileSource {
  if (source.format === 'parquet')
    return { format: 'parquet', decimal: '.', thousands: '', missing: [] }
  const text = {
    encoding: source.encoding ?? 'utf-8',
    decimal: source.decimal ?? '.',
    thousands: source.thousands ?? '',
    missing: source.missing ?? [],
  } as const
  if (source.format === 'ndjson') return { format: 'ndjson', ...text }
  return {
    format: 'csv',
    delimiter: source.delimiter ?? ',',
    quote: source.quote === undefined ? '"' : source.quote,
    multiline: source.multiline ?? false,
    skip: source.skip ?? 0,
    header: source.header ?? null,
    ...text,
  }
}

/** The columns of the file that a recipe speaks of, each once: all that it needs. */
export function columnsUsed(recipe: Recipe): readonly string[] {
  const made = new Set<string>()
  const used = [recipe.time.column]
  /** Where a name comes from, after the steps so far. */
  const origin = new Map<string, string>()
  const use = (name: string) => {
    if (!made.has(name)) used.push(origin.get(name) ?? name)
  }
  for (const step of recipe.steps) {
    if (step.do === 'filter') use(step.column)
    if (step.do === 'derive') made.add(step.as)
    if (step.do === 'select' || step.do === 'drop') for (const name of step.columns) use(name)
    if (step.do !== 'rename') continue
    if (made.delete(step.from)) made.add(step.to)
    else origin.set(step.to, origin.get(step.from) ?? step.from)
  }
  for (const name of [recipe.target, ...recipe.keys]) use(name)
  for (const { column } of recipe.features) use(column)
  if (recipe.stockOutColumn !== null) use(recipe.stockOutColumn.column)
  return [...new Set(used)]
}
