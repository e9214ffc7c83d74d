import type { Structure } from './structure.ts'

/**
 * The barrier at the border of the parameters for which a pair of level and potential forgets its
 * errors: eigenvalues of F - g w' lie inside the unit circle when det < 1 and |trace| < 1 + det.
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
 * A test, with workspaces of its own, of whether a whole model forgets its errors. A level and a
 * season share their mean, so that with α₁ = 1 one root is exactly one, and moves what no forecast
 * sees from one to the other; it may grow a little.
 */
export function makeStability(structure: Structure): (parameters: Float64Array) => boolean {
  const { levelLag, seasonLag, seasonWidth } = structure
  const seasonDegree = seasonWidth * seasonLag
  const degree = 2 * levelLag + seasonDegree
  const polynomial = new Float64Array(degree + 1)
  const shrink = seasonLag === 0 ? 1 : Math.exp(-seasonGrowthMax / seasonLag)

  /** Adds the product of two polynomials in z^-1, of which only some powers are not zero. */
  function addProduct(own: readonly number[], seasonal: readonly number[]): void {
    for (let i = 0; i < own.length; i++) {
      for (let j = 0; j < seasonal.length; j++) {
        polynomial[i * levelLag + j * seasonLag]! += own[i]! * seasonal[j]!
      }
    }
  }

  return (parameters) => {
    const own = pairOf(parameters[0]!, parameters[1]!)
    polynomial.fill(0)
    if (seasonWidth === 0) {
      addProduct(own.bottom, [1])
      addProduct(own.top, [1])
    } else {
      const b = parameters[2]!
      const { bottom, top } =
        seasonWidth === 2 ? pairOf(b, parameters[3]!) : { bottom: [1, -1], top: [0, b] }
      addProduct(own.bottom, bottom)
      addProduct(own.top, bottom)
      addProduct(own.bottom, top)
    }
    let power = 1
    for (let i = 1; i <= degree; i++) {
      power *= shrink
      polynomial[i]! *= power
    }
    return hasRootsInside(polynomial)
  }
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
 * Denominator and numerator of one pair's w' (z I - F)⁻¹ g, highest power first. With those of the
 * level and the season, det(z I - F + g w') of the whole is P₁ P₂ + N₁ P₂ + N₂ P₁.
 */
function pairOf(a0: number, a1: number) {
  const second = -((1 - a0) * (a0 - a1) + (1 - a1) * (a0 + a1))
  return { bottom: [1, a0 - 2, 2 - a0 - a1], top: [0, a0 - a1, second] }
}

/** By the recursion of Schur and Cohn, which overwrites the polynomial. */
function hasRootsInside(polynomial: Float64Array): boolean {
  for (let degree = polynomial.length - 1; degree > 0; degree--) {
    const last = polynomial[degree]! / polynomial[0]!
    if (!(Math.abs(last) < 1)) return false
    if (last === 0) continue
    // Both ends at once, since each needs the other as it was.
    for (let i = 0, j = degree; i <= j; i++, j--) {
      const low = polynomial[i]!
      const high = polynomial[j]!
      polynomial[i] = low - last * high
      polynomial[j] = high - last * low
    }
  }
  return true
}
