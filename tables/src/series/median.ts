/** The median of the values that are there; NaN when there are none. */
export function medianOf(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value)).sort()
  const { length } = known
  if (length === 0) return Number.NaN
  const middle = length >> 1
  return length % 2 === 1 ? known[middle]! : (known[middle - 1]! + known[middle]!) / 2
}

/** The median distance from a centre, scaled to the standard deviation of a normal distribution. */
export function spreadOf(values: Float64Array, centre: number): number {
  return normalScale * medianOf(values.map((value) => Math.abs(value - centre)))
}

const normalScale = 1.4826
