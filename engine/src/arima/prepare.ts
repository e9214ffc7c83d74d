import { largest, powerOfTwoBelow } from '../numeric/magnitude.ts'
import { difference } from '../series/difference.ts'
import { columnCoefficients, makeColumnBasis } from './columns.ts'
import type { OrdersEstimate, OrdersSample } from './estimate.ts'
import { ones } from './likelihood.ts'
import { type Orders, operatorOf } from './orders.ts'

/**
 * A series made ready for estimation: differences in units of `scale`, a power of two so that
 * scaling rounds nothing, less `centre` in the same units; and its columns, each in units of its
 * own.
 */
export type Prepared = OrdersSample & {
  readonly orders: Orders
  readonly scale: number
  readonly centre: number
  readonly columnScales: Float64Array
  /** What the columns alone leave is nothing but rounding; then so much of each explains it. */
  readonly exact: Float64Array | undefined
}

/** Prepares values and columns as long as they are; NaN is missing, columns have no NaN. */
export function prepare(
  y: Float64Array,
  columns: readonly Float64Array[],
  orders: Orders,
): Prepared {
  const operator = operatorOf(orders)
  const w = difference(operator, y)
  const scale = powerOfTwoBelow(largest(w))
  for (let t = 0; t < w.length; t++) w[t] = w[t]! / scale
  const centre = orders.constant ? average(w) : 0
  for (let t = 0; t < w.length; t++) w[t] = w[t]! - centre
  const columnScales = new Float64Array(columns.length)
  const design = columns.map((column, c) => {
    const differences = difference(operator, column)
    const unit = powerOfTwoBelow(largest(differences))
    columnScales[c] = unit
    return differences.map((value) => value / unit)
  })
  const rounding = (constantWithin * largest(y)) / scale
  const exact = exactCoefficients(w, design, orders, rounding)
  return { w, columns: design, orders, scale, centre, columnScales, exact }
}

/** A mean in units of the scale, and coefficients of the columns in those of the data. */
export function inDataUnits(
  prepared: Pick<Prepared, 'orders' | 'scale' | 'centre' | 'columnScales'>,
  beta: Float64Array,
): { readonly mean: number; readonly beta: Float64Array } {
  const { orders, scale, centre, columnScales } = prepared
  const first = orders.constant ? 1 : 0
  const mean = orders.constant ? centre + beta[0]! : 0
  return { mean, beta: columnScales.map((unit, c) => (beta[first + c]! / unit) * scale) }
}

/** The inverse of `inDataUnits`, from a constant in units of the data. */
export function inSampleUnits(
  { orders, scale, centre, columnScales }: Prepared,
  given: ArrayLike<number>,
): Float64Array {
  const first = orders.constant ? 1 : 0
  return Float64Array.from({ length: first + columnScales.length }, (_, i) => {
    return i < first ? given[0]! / scale - centre : (given[i]! / scale) * columnScales[i - first]!
  })
}

/** The log-likelihood of the data from that of the scaled sample. */
export function onDataScale(
  { logLikelihood, observed }: Pick<OrdersEstimate, 'logLikelihood' | 'observed'>,
  scale: number,
): number {
  return logLikelihood - observed * Math.log(scale)
}

/**
 * Differences of values that were rounded vary by this much of the largest value, and mean nothing.
 */
const constantWithin = 8 * Number.EPSILON

function exactCoefficients(
  w: Float64Array,
  design: readonly Float64Array[],
  orders: Orders,
  rounding: number,
): Float64Array | undefined {
  const first = orders.constant ? 1 : 0
  if (largest(w) <= rounding) return new Float64Array(first + design.length)
  if (design.length === 0) return undefined
  const basis = makeColumnBasis(w, orders.constant ? [ones(w.length), ...design] : design)
  if (largest(basis.series[0]!) > 8 * rounding) return undefined
  return columnCoefficients(basis, new Float64Array(first + design.length))
}

/**
 * Of what is not missing, around the first such value, so that the average of a constant is exact.
 */
function average(values: Float64Array): number {
  const pivot = values.find((value) => !Number.isNaN(value)) ?? 0
  let sum = 0
  let count = 0
  for (const value of values) {
    if (Number.isNaN(value)) continue
    sum += value - pivot
    count++
  }
  return pivot + sum / Math.max(1, count)
}
