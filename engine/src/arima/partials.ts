/**
 * Partial autocorrelations and coefficients (Durbin-Levinson; Monahan 1984). Partials strictly
 * inside (-1, 1) are exactly the stationary autoregressions, so that optimising over them needs no
 * fences.
 */

/** The coefficients of every order up to p: row k holds those of order k + 1, width p. */
export function levinsonTriangle(partials: Float64Array): Float64Array {
  const p = partials.length
  const rows = new Float64Array(p * p)
  for (let k = 0; k < p; k++) {
    const partial = partials[k]!
    for (let i = 0; i < k; i++) {
      rows[k * p + i] = rows[(k - 1) * p + i]! - partial * rows[(k - 1) * p + (k - 1 - i)]!
    }
    rows[k * p + k] = partial
  }
  return rows
}

/** φ of 1 - φ₁B - … from its partials. */
export function arFromPartials(partials: Float64Array): Float64Array {
  const p = partials.length
  return levinsonTriangle(partials).slice(p * Math.max(0, p - 1))
}

/** θ of 1 + θ₁B + … from partials of the same kind, so that it is invertible. */
export function maFromPartials(partials: Float64Array): Float64Array {
  return arFromPartials(partials).map((value) => -value)
}

/** The partials of φ by stepping down; undefined when φ is not stationary. */
export function partialsFromAr(ar: Float64Array): Float64Array | undefined {
  const p = ar.length
  const partials = new Float64Array(p)
  let row = ar.slice()
  for (let k = p - 1; k >= 0; k--) {
    const partial = row[k]!
    if (!(Math.abs(partial) < 1)) return undefined
    partials[k] = partial
    const shrink = 1 - partial * partial
    const next = new Float64Array(k)
    for (let i = 0; i < k; i++) next[i] = (row[i]! + partial * row[k - 1 - i]!) / shrink
    row = next
  }
  return partials
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
