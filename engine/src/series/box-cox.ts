import { limits } from '../limits.ts'

/**
 * The transform of Box and Cox (1964): (y^λ - 1)/λ, log y at λ = 0. Missing values stay missing.
 * Defined for positive values, and for zero when λ > 0; what has no transform becomes NaN: ask
 * `boxCoxFault` before.
 */
export function boxCox(y: Float64Array, lambda: number): Float64Array {
  return y.map((value) => boxCoxOf(value, lambda))
}

export function boxCoxOf(value: number, lambda: number): number {
  if (lambda === 0) return Math.log(value)
  if (lambda === 1) return value - 1
  return Math.expm1(lambda * Math.log(value)) / lambda
}

/** The first value that the transform is not defined for; undefined when there is none. */
export function boxCoxFault(y: Float64Array, lambda: number): number | undefined {
  const at = y.findIndex((value) => (lambda > 0 ? value < 0 : value <= 0))
  return at < 0 ? undefined : at
}

/** The largest value that comes back from a transform, in place of an overflow. */
export const boxCoxCeiling: number = limits.stateMagnitudeMax

/**
 * The value with a transform: monotone, so that quantiles go back to quantiles and the median to
 * the median. Below the range of the transform (λ > 0) it is zero; above it (λ < 0), and where it
 * would overflow, it is `boxCoxCeiling`.
 */
export function inverseBoxCox(transformed: number, lambda: number): number {
  if (lambda === 1) return Math.min(boxCoxCeiling, Math.max(0, transformed + 1))
  if (lambda === 0) return Math.min(boxCoxCeiling, Math.exp(transformed))
  const inside = lambda * transformed
  if (inside <= -1) return lambda > 0 ? 0 : boxCoxCeiling
  return Math.min(boxCoxCeiling, Math.exp(Math.log1p(inside) / lambda))
}

/**
 * The mean of a value whose transform is normal. Exact at λ = 0; for λ > 0 by Gauss-Hermite
 * quadrature, which is exact where 1/λ is whole and the normal stays inside the range. For λ < 0 no
 * such mean exists (the inverse has a pole), so it is the expansion of second order around the
 * median, as in Guerrero (1993).
 */
export function inverseBoxCoxMean(transformed: number, variance: number, lambda: number): number {
  if (!(variance > 0) || lambda === 1) return inverseBoxCox(transformed, lambda)
  if (lambda === 0) return Math.min(boxCoxCeiling, Math.exp(transformed + variance / 2))
  if (lambda < 0) {
    const inside = 1 + lambda * transformed
    const bias = inside > 0 ? (variance * (1 - lambda)) / (2 * inside * inside) : 0
    return Math.min(boxCoxCeiling, inverseBoxCox(transformed, lambda) * (1 + bias))
  }
  const spread = Math.sqrt(variance)
  let sum = 0
  for (let k = 0; k < hermiteNodes.length; k++) {
    const step = spread * hermiteNodes[k]!
    const pair =
      inverseBoxCox(transformed + step, lambda) + inverseBoxCox(transformed - step, lambda)
    sum += hermiteWeights[k]! * pair
  }
  return Math.min(boxCoxCeiling, sum)
}

/**
 * The positive nodes of the Gauss-Hermite rule with 20 nodes for a standard normal, and their
 * weights (a node and its mirror image share a weight; all weights sum to one half).
 */
const hermiteNodes = [
  0.3469641570813559, 1.042945348802751, 1.7452473208141268, 2.458663611172368, 3.1890148165533896,
  3.9439673506573163, 4.734581334046055, 5.5787388058932015, 6.510590157013654, 7.619048541679758,
]
const hermiteWeights = [
  0.2607930634495548, 0.16173933398400003, 0.06150637206397696, 0.013997837447100996,
  0.0018301031310804924, 0.00012882627996192942, 4.4021210902308646e-6, 6.127490259982928e-8,
  2.4820623623151797e-10, 1.2578006724379264e-13,
]
