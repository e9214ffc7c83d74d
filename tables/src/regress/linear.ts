/** Weights of the columns, the last one of which is always 1. */
export type LinearModel = { readonly kind: 'linear'; readonly weights: Float64Array }

export function predictLinear(
  { weights }: LinearModel,
  row: Float64Array,
  widths: readonly number[],
): number {
  const columns = spreadOut(row, widths)
  let sum = weights.at(-1)!
  for (const [i, value] of columns.entries()) sum += weights[i]! * value
  return sum
}

/** How many columns a row has for a linear model. */
export const columnsOf = (widths: readonly number[]) =>
  widths.reduce((sum, width) => sum + (width === 0 ? 1 : width - 1), 0)

/**
 * A feature with a width of some categories is as many columns of 0 and 1 but for its first one,
 * since an index is no quantity; one with a width of 0 is a column itself.
 */
export function spreadOut(row: Float64Array, widths: readonly number[]): Float64Array {
  const columns = new Float64Array(columnsOf(widths))
  let at = 0
  for (const [i, width] of widths.entries()) {
    if (width === 0) columns[at] = row[i]!
    else if (row[i]! > 0) columns[at + row[i]! - 1] = 1
    at += width === 0 ? 1 : width - 1
  }
  return columns
}
