/** The mean, summed in units in which it cannot overflow; 0 of none. */
export function meanOf(values: Float64Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! / values.length
  return sum
}

/** The sum of the products of values `lag` steps apart: an autocovariance but for its divisor. */
export function laggedProduct(centred: Float64Array, lag: number): number {
  let sum = 0
  for (let t = lag; t < centred.length; t++) sum += centred[t]! * centred[t - lag]!
  return sum
}
