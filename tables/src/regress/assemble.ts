import type { RegressionFeature, RegressionRow } from './spec.ts'

/** The categories that a feature was learned with; their order is their index. */
export type Categories = Readonly<Record<string, readonly string[]>>

/** Why a row has no numbers to predict from. */
export type Unusable = { readonly column: string; readonly reason: string }

/**
 * The categories of each feature of that type, in the order of their mean target: a tree that
 * splits between two places of that order finds the best of all ways to split them in two.
 */
export function learnCategories(
  features: readonly RegressionFeature[],
  rows: readonly RegressionRow[],
  targets: Float64Array,
): Categories {
  const learned: Record<string, readonly string[]> = {}
  for (const { column, type } of features) {
    if (type !== 'category') continue
    const sums = new Map<string, { total: number; count: number }>()
    for (const [i, row] of rows.entries()) {
      const name = row.get(column)
      if (!name) continue
      const sum = sums.get(name) ?? { total: 0, count: 0 }
      sum.total += targets[i]!
      sum.count += 1
      sums.set(name, sum)
    }
    const mean = ({ total, count }: { total: number; count: number }) => total / count
    learned[column] = [...sums]
      .toSorted(([a, x], [b, y]) => mean(x) - mean(y) || (a < b ? -1 : 1))
      .map(([name]) => name)
  }
  return learned
}

export type Assemble = (row: RegressionRow) => Float64Array | Unusable

/** Makes a row's features numbers; a category becomes its index. */
export function makeAssemble(
  features: readonly RegressionFeature[],
  categories: Categories,
): Assemble {
  const indices = new Map(
    Object.entries(categories).map(([column, names]) => [
      column,
      new Map(names.map((name, i) => [name, i])),
    ]),
  )
  return (row) => {
    const numbers = new Float64Array(features.length)
    for (const [i, { column, type }] of features.entries()) {
      const text = row.get(column)?.trim()
      if (!text) return { column, reason: 'there is no value' }
      const number =
        type === 'category' ? indices.get(column)?.get(text) : numberOfFeature(text, type)
      if (number === undefined) return { column, reason: reasonOf(text, type) }
      numbers[i] = number
    }
    return numbers
  }
}

/** The number that a text is; undefined when it is none. */
export function numberOfText(text: string | null | undefined): number | undefined {
  if (!text || !/^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(text)) return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : undefined
}

type NumberType = Exclude<RegressionFeature['type'], 'category'>

function numberOfFeature(text: string, type: NumberType): number | undefined {
  if (type === 'number') return numberOfText(text)
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})/.exec(text) ?? []
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  if (year === undefined || date.getUTCDate() !== Number(day)) return undefined
  switch (type) {
    case 'year':
      return Number(year)
    case 'month':
      return Number(month)
    case 'day':
      return Number(day)
    case 'weekday':
      // Monday is 1.
      return ((date.getUTCDay() + 6) % 7) + 1
  }
}

function reasonOf(text: string, type: RegressionFeature['type']): string {
  const value = JSON.stringify(text.slice(0, 100))
  if (type === 'category') return `${value} was not there when the model was fitted`
  return `${value} is not a ${type === 'number' ? 'number' : 'date like 2024-01-31'}`
}
