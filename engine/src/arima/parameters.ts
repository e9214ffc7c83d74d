import { arFromPartials, maFromPartials, partialsFromAr, partialsFromMa } from './partials.ts'

/**
 * A multiplicative seasonal ARMA process: φ(B) Φ(Bˢ) w = θ(B) Θ(Bˢ) ε with φ = 1 - φ₁B - …, θ = 1 +
 * θ₁B + …, in units of the standard deviation of ε. Partials are the primary form, the coefficients
 * follow from them.
 */
export type Arma = {
  readonly arPartials: Float64Array
  readonly maPartials: Float64Array
  readonly seasonalArPartials: Float64Array
  readonly seasonalMaPartials: Float64Array
  readonly seasonLength: number
  /** The product φ(B) Φ(Bˢ), as coefficients of the lags 1, 2, …, with the sign of φ. */
  readonly ar: Float64Array
  /** The product θ(B) Θ(Bˢ), with the sign of θ. */
  readonly ma: Float64Array
}

/** Coefficients from lag 1 on: all that a likelihood needs of a process. */
export type Polynomials = Pick<Arma, 'ar' | 'ma'>

/** The seasonal part of a process: its partials, and the season's length. */
export type SeasonalPartials = {
  readonly ar: Float64Array
  readonly ma: Float64Array
  readonly seasonLength: number
}

/** The process with these partials, all strictly inside (-1, 1). */
export function armaFromPartials(
  arPartials: Float64Array,
  maPartials: Float64Array,
  seasonal: SeasonalPartials = noSeason,
): Arma {
  const { seasonLength } = seasonal
  const ar = new Float64Array(arPartials.length + seasonal.ar.length * seasonLength)
  const ma = new Float64Array(maPartials.length + seasonal.ma.length * seasonLength)
  multiply(arFromPartials(arPartials), arFromPartials(seasonal.ar), seasonLength, -1, ar)
  multiply(maFromPartials(maPartials), maFromPartials(seasonal.ma), seasonLength, 1, ma)
  return {
    arPartials,
    maPartials,
    seasonalArPartials: seasonal.ar,
    seasonalMaPartials: seasonal.ma,
    seasonLength,
    ar,
    ma,
  }
}

/** The process with these coefficients; undefined unless it is stationary and invertible. */
export function armaFromCoefficients(
  ar: Float64Array,
  ma: Float64Array,
  seasonal: SeasonalPartials = noSeason,
): Arma | undefined {
  const arPartials = partialsFromAr(ar)
  const maPartials = partialsFromMa(ma)
  const seasonalAr = partialsFromAr(seasonal.ar)
  const seasonalMa = partialsFromMa(seasonal.ma)
  if (!arPartials || !maPartials || !seasonalAr || !seasonalMa) return undefined
  const { seasonLength } = seasonal
  return armaFromPartials(arPartials, maPartials, { ar: seasonalAr, ma: seasonalMa, seasonLength })
}

/**
 * The product of a polynomial in B and one in Bˢ, both given by their coefficients from lag 1 on:
 * `crossSign` is 1 for polynomials 1 + Σ and -1 for polynomials 1 - Σ.
 */
export function multiply(
  plain: Float64Array,
  seasonal: Float64Array,
  seasonLength: number,
  crossSign: 1 | -1,
  out: Float64Array,
): void {
  out.fill(0)
  out.set(plain)
  for (let j = 0; j < seasonal.length; j++) {
    const lag = (j + 1) * seasonLength
    const weight = seasonal[j]!
    out[lag - 1]! += weight
    for (let i = 0; i < plain.length; i++) out[lag + i]! += crossSign * weight * plain[i]!
  }
}

/** ψ₀ … ψ_{count-1}: the weights of past shocks, w = Σ ψ_j ε_{t-j}. */
export function shockWeights(arma: Polynomials, count: number): Float64Array {
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

const noSeason: SeasonalPartials = {
  ar: new Float64Array(0),
  ma: new Float64Array(0),
  seasonLength: 1,
}
