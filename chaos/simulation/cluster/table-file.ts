import { parseRecipe } from '@almanac/tables/recipe'
import { encodeRegression, parseRegression, type StoredRegression } from '@almanac/tables/regress'

/** What a table of the simulation is, which its name says: nobody has its rows. */
export type TableFile = { readonly value: number; readonly shards: number }

export const fileOf = ({ value, shards }: TableFile) => `tables/${value}/${shards}.csv`

export function tableOf(file: string): TableFile {
  const [, value, shards] = /^tables\/(\d+)\/(\d+)\.csv$/.exec(file) ?? []
  if (value === undefined) throw new Error(`the simulation has no file ${file}`)
  return { value: Number(value), shards: Number(shards) }
}

export const recipe = {
  source: { format: 'csv' },
  time: { column: 'day' },
  target: 'sold',
  keys: ['s'],
  frequency: 'daily',
}

export const regression: StoredRegression = parsed()

function parsed(): StoredRegression {
  const read = parseRecipe(recipe)
  if (read.kind === 'refused') throw new Error(read.faults[0]?.detail)
  const spec = { family: 'regression', model: { kind: 'linear' } }
  const features = [{ column: 's', type: 'number' }]
  const found = parseRegression({ ...spec, features }, read.value)
  if (found.kind === 'refused') throw new Error(found.faults[0]?.detail)
  return found.value
}

/** The regression that predicts the value of its table, whatever the row. */
export function regressionOf(value: number): Uint8Array {
  const fitted = { kind: 'linear', weights: Float64Array.of(0, value) } as const
  const { family: _, ...spec } = regression
  return encodeRegression({ spec, categories: [[]], fitted, rows: 4, unusable: 0 })
}
