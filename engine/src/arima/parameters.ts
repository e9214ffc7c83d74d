import { arFromPartials, maFromPartials, partialsFromAr, partialsFromMa } from './partials.ts'

/**
 * An ARMA process: φ(B) w = θ(B) ε with φ = 1 - φ₁B - …, θ = 1 + θ₁B + …, in units of the standard
 * deviation of ε. Partials are the primary form, the coefficients follow from them.
 */
export type Arma = {
  readonly arPartials: Float64Array
  readonly maPartials: Float64Array
  readonly ar: Float64Array
  readonly ma: Float64Array
}

/** The process with these partials, all strictly inside (-1, 1). */
export function armaFromPartials(arPartials: Float64Array, maPartials: Float64Array): Arma {
  const ar = arFromPartials(arPartials)
  return { arPartials, maPartials, ar, ma: maFromPartials(maPartials) }
}

/** The process with these coefficients; undefined unless it is stationary and invertible. */
export function armaFromCoefficients(ar: Float64Array, ma: Float64Array): Arma | undefined {
  const arPartials = partialsFromAr(ar)
  const maPartials = partialsFromMa(ma)
  if (arPartials === undefined || maPartials === undefined) return undefined
  return { arPartials, maPartials, ar, ma }
}

/** ψ₀ … ψ_{count-1}: the weights of past shocks, w = Σ ψ_j ε_{t-j}. */
export function shockWeights(arma: Pick<Arma, 'ar' | 'ma'>, count: number): Float64Array {
  const { ar, ma } = arma
  const weights = new Float64Array(count)
  for (let j = 0; j < count; j++) {
    let sum = j === 0 ? 1 : (ma[j - 1] ?? 0)
    const terms = Math.min(j, ar.length)
    for (let i = 1; i <= terms; i++) sum += ar[i - 1]! * weights[j - i]!
    weights[j] = sum
  }
  return weights
}
