import type { Columns, Refusal, Series } from '../family.ts'
import { assert } from '../outcome.ts'

/** The columns of the regressors of a model, in its order; those that are missing are refused. */
export function regressorColumns(
  names: readonly string[],
  x: Columns = {},
): { readonly columns: readonly Float64Array[] } | { readonly refusal: Refusal } {
  const missing = names.find((name) => !Object.hasOwn(x, name))
  if (missing === undefined) return { columns: names.map((name) => x[name]!) }
  const refusal = {
    code: 'missing-regressor',
    detail: `The series has no column for the regressor ${missing}.`,
    field: `/x/${missing}`,
    remedy: `Send a value with each observation for each of: ${names.join(', ')}.`,
  }
  return { refusal }
}

/** What the regressors of a model explain of a series that has them all. */
export function explainedBy(
  names: readonly string[],
  beta: Float64Array,
  { y, x }: Series,
): Float64Array {
  const found = regressorColumns(names, x)
  assert('columns' in found, 'the regressors of a series are checked before it is used')
  return explained(beta, found.columns, y.length)
}

/** What the columns explain at each step: Σ βᵢ xᵢ. */
export function explained(
  beta: Float64Array,
  columns: readonly Float64Array[],
  length: number,
): Float64Array {
  const sum = new Float64Array(length)
  for (let c = 0; c < columns.length; c++) {
    const column = columns[c]!
    const weight = beta[c]!
    if (weight === 0) continue
    for (let t = 0; t < length; t++) sum[t]! += weight * column[t]!
  }
  return sum
}
