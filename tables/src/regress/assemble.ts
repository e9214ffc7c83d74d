import type { RegressionFeature, RegressionRow } from './spec.ts'

/** Of each feature the categories that it was learned with, in the order of their index. */
export type Categories = readonly (readonly string[])[]

/** Why a row has no numbers to predict from. */
export type Unusable = { readonly column: string; readonly reason: string }

export type Assemble = (row: RegressionRow) => Float64Array | Unusable

/** Makes a row's features numbers; a category becomes its index. */
export function makeAssemble(
  features: readonly RegressionFeature[],
  categories: Categories,
): Assemble {
  const indices = categories.map((names) => new Map(names.map((name, i) => [name, i])))
  return (row) => {
    const numbers = new Float64Array(features.length)
    for (const [i, { column, type }] of features.entries()) {
      const text = row.get(column)?.trim()
      if (!text) return { column, reason: 'there is no value' }
      const number = type === 'category' ? indices[i]?.get(text) : numberOfFeature(text, type)
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

/** The number that a text is as such a feature; undefined when it is none. */
export function numberOfFeature(text: string, type: NumberType): number | undefined {
  if (type === 'number') return numberOfText(text)
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})/.exec(text) ?? []
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  // A month 13 would be one of the next year.
  const is = date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day)
  if (year === undefined || !is) return undefined
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
