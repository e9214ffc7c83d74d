/**
 * Partial autocorrelations and coefficients (Durbin-Levinson; Monahan 1984). Partials strictly
 * inside (-1, 1) are exactly the stationary autoregressions, so that optimising over them needs no
 * fences.
 */

/** Turns partials into φ of 1 - φ₁B - …, in place. */
export function stepUp(values: Float64Array): void {
  for (let k = 1; k < values.length; k++) raiseOrder(values, k)
}

/** From the coefficients of order k in the first k values to those of order k + 1. */
export function raiseOrder(values: Float64Array, k: number): void {
  const partial = values[k]!
  for (let i = 0, j = k - 1; i <= j; i++, j--) {
    const low = values[i]!
    const high = values[j]!
    values[i] = low - partial * high
    if (i < j) values[j] = high - partial * low
  }
}

/** Turns φ into its partials, in place; false when φ is not stationary. */
export function stepDown(values: Float64Array): boolean {
  for (let k = values.length - 1; k >= 0; k--) {
    const partial = values[k]!
    if (!(Math.abs(partial) < 1)) return false
    const shrink = 1 / ((1 - partial) * (1 + partial))
    for (let i = 0, j = k - 1; i <= j; i++, j--) {
      const low = values[i]!
      const high = values[j]!
      values[i] = (low + partial * high) * shrink
      if (i < j) values[j] = (high + partial * low) * shrink
    }
  }
  return true
}

/** φ of 1 - φ₁B - … from its partials. */
export function arFromPartials(partials: Float64Array): Float64Array {
  const ar = partials.slice()
  stepUp(ar)
  return ar
}

/** θ of 1 + θ₁B + … from partials of the same kind, so that it is invertible. */
export function maFromPartials(partials: Float64Array): Float64Array {
  return arFromPartials(partials).map((value) => -value)
}

/** The partials of φ by stepping down; undefined when φ is not stationary. */
export function partialsFromAr(ar: Float64Array): Float64Array | undefined {
  const partials = ar.slice()
  return stepDown(partials) ? partials : undefined
}

/** The partials of θ; undefined when θ is not invertible. */
export function partialsFromMa(ma: Float64Array): Float64Array | undefined {
  return partialsFromAr(ma.map((value) => -value))
}

/**
 * Any real number to a partial inside (-1, 1), and never closer to a unit root than rounding bears.
 */
export function partialFromReal(x: number): number {
  return partialMax * Math.tanh(x)
}

/** The inverse of `partialFromReal`; partials at the edge are moved inside. */
export function realFromPartial(partial: number): number {
  return Math.atanh(Math.max(-startMax, Math.min(startMax, partial)))
}

const partialMax = 1 - 1e-6
/** A search that starts nearer to a unit root than this sees no slope. */
const startMax = 0.99
