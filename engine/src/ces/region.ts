import type { Structure } from './structure.ts'

/**
 * The barrier at the border of the parameters for which a pair of level and potential forgets its
 * errors: the eigenvalues of F - g w' lie inside the unit circle when det < 1 and |trace| < 1 + det.
 * In a = 1 - α₀ and α₁ each is a circle (Svetunkov, Kourentzes and Ord 2022, section 3.3). Returns
 * -Σ log of the slacks, Infinity outside, and adds the gradient by α₀ and α₁ at `at`.
 */
export function barrier(
  parameters: Float64Array,
  at: number,
  weight: number,
  gradient: Float64Array,
): number {
  const a = 1 - parameters[at]!
  const b = parameters[at + 1]!
  const inside = 1 - (a * a + a + b * b - b)
  const above = a * a - a + b * b - 2 * b + 1
  const below = a * a + 3 * a + b * b + 1
  if (!(inside > 0 && above > 0 && below > 0 && b > 0)) return Number.POSITIVE_INFINITY
  const byA = (2 * a + 1) / inside - (2 * a - 1) / above - (2 * a + 3) / below
  const byB = (2 * b - 1) / inside - (2 * b - 2) / above - (2 * b) / below - 1 / b
  gradient[at]! -= weight * byA
  gradient[at + 1]! += weight * byB
  return -weight * (Math.log(inside) + Math.log(above) + Math.log(below) + Math.log(b))
}

/**
 * Whether a whole model forgets its errors: by the recursion of Schur and Cohn on its polynomial. A
 * level and a season share their mean, so that with α₁ = 1 one root is exactly one, and moves what
 * no forecast sees from one to the other; it may grow a little.
 */
export function isStable(structure: Structure, parameters: Float64Array): boolean {
  const polynomial = errorPolynomial(structure, parameters)
  const { seasonLag } = structure
  const radius = seasonLag === 0 ? 1 : Math.exp(seasonGrowthMax / seasonLag)
  let power = 1
  for (let i = 0; i < polynomial.length; i++) {
    polynomial[i]! /= power
    power *= radius
  }
  return hasRootsInside(polynomial)
}

/** The logarithm of what that mode may grow by in one season. */
const seasonGrowthMax = 0.1

/** The largest magnitude of an eigenvalue of F, by which a forecast grows in each of its lags. */
export function growthOf(a0: number, a1: number): number {
  const half = (2 - a0) / 2
  const determinant = 2 - a0 - a1
  const rest = half * half - determinant
  return rest < 0 ? Math.sqrt(determinant) : Math.abs(half) + Math.sqrt(rest)
}

/**
 * det(z I - F + g w') of the whole model, highest power first: with P and N the denominator and
 * numerator of each part's w' (z I - F)⁻¹ g, it is P₁ P₂ + N₁ P₂ + N₂ P₁.
 */
function errorPolynomial(structure: Structure, parameters: Float64Array): Float64Array {
  const { levelLag, seasonLag, seasonWidth } = structure
  const own = pairOf(parameters[0]!, parameters[1]!, levelLag)
  if (seasonWidth === 0) return plus(own.bottom, own.top)
  const b = parameters[2]!
  const season =
    seasonWidth === 2
      ? pairOf(b, parameters[3]!, seasonLag)
      : { bottom: spread([1, -1], seasonLag), top: spread([0, b], seasonLag) }
  return plus(times(plus(own.bottom, own.top), season.bottom), times(season.top, own.bottom))
}

function pairOf(a0: number, a1: number, lag: number) {
  const top = [0, a0 - a1, -((1 - a0) * (a0 - a1) + (1 - a1) * (a0 + a1))]
  return { bottom: spread([1, a0 - 2, 2 - a0 - a1], lag), top: spread(top, lag) }
}

function spread(coefficients: readonly number[], lag: number): Float64Array {
  const polynomial = new Float64Array((coefficients.length - 1) * lag + 1)
  coefficients.forEach((value, i) => {
    polynomial[i * lag] = value
  })
  return polynomial
}

function plus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!)
}

function times(a: Float64Array, b: Float64Array): Float64Array {
  const product = new Float64Array(a.length + b.length - 1)
  for (let i = 0; i < a.length; i++) {
    if (a[i] === 0) continue
    for (let j = 0; j < b.length; j++) product[i + j]! += a[i]! * b[j]!
  }
  return product
}

function hasRootsInside(polynomial: Float64Array): boolean {
  let current = polynomial
  for (let degree = polynomial.length - 1; degree > 0; degree--) {
    const last = current[degree]! / current[0]!
    if (!(Math.abs(last) < 1)) return false
    const next = new Float64Array(degree)
    for (let i = 0; i < degree; i++) next[i] = current[i]! - last * current[degree - i]!
    current = next
  }
  return true
}
