/** The largest magnitude; 0 of none. */
export function largest(values: Float64Array): number {
  let most = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!)
    if (size > most) most = size
  }
  return most
}

/** The largest power of two not above a value, 1 for zero; exact, unlike a logarithm. */
export function powerOfTwoBelow(value: number): number {
  let power = 1
  if (value === 0) return power
  while (power <= value / 2) power *= 2
  while (power > value) power /= 2
  return power
}
