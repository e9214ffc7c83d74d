import { normalQuantile } from './normal.ts'

/**
 * The probability that Student's t with some degrees of freedom is at most t: by the incomplete
 * beta function I_x(ν/2, 1/2) at x = ν / (ν + t²) (Abramowitz and Stegun 26.7.1).
 */
export function studentProbability(t: number, degrees: number): number {
  if (Number.isNaN(t)) return Number.NaN
  const squared = t * t
  // Whichever of the two arguments is small is computed without cancellation.
  const tail =
    squared < 1
      ? 1 - incompleteBeta(squared / (degrees + squared), 0.5, degrees / 2)
      : incompleteBeta(degrees / (degrees + squared), degrees / 2, 0.5)
  return t > 0 ? 1 - tail / 2 : tail / 2
}

/**
 * The quantile of Student's t; the probability lies strictly between 0 and 1, the degrees of
 * freedom above 0. Newton's steps on the distribution function, kept inside a bracket by bisection.
 */
export function studentQuantile(probability: number, degrees: number): number {
  if (probability === 0.5) return 0
  if (probability > 0.5) return -studentQuantile(1 - probability, degrees)
  if (degrees > 1e7) return normalQuantile(probability)
  let high = 0
  let low = Math.min(-1, normalQuantile(probability))
  while (studentProbability(low, degrees) > probability) {
    high = low
    low *= 2
    if (low < -1e300) return low
  }
  let t = (low + high) / 2
  for (let step = 0; step < stepsMax; step++) {
    const excess = studentProbability(t, degrees) - probability
    if (excess > 0) high = t
    else low = t
    const next = t - excess / studentDensity(t, degrees)
    const inside = next > low && next < high
    const moved = inside ? next : (low + high) / 2
    if (Math.abs(moved - t) <= 1e-15 * Math.abs(t)) return moved
    t = moved
  }
  return t
}

export function studentDensity(t: number, degrees: number): number {
  const constant = logGamma((degrees + 1) / 2) - logGamma(degrees / 2)
  const shape = -0.5 * (degrees + 1) * Math.log1p((t * t) / degrees)
  return Math.exp(constant + shape) / Math.sqrt(Math.PI * degrees)
}

/** The logarithm of the gamma function at x > 0, by Stirling's series after a shift to x ≥ 15. */
export function logGamma(x: number): number {
  let shift = 0
  let at = x
  for (; at < 15; at++) shift += Math.log(at)
  const r = 1 / (at * at)
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / at
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - shift
}

/** More than bisection alone would need from the widest bracket of doubles. */
const stepsMax = 1_100

/**
 * The regularised incomplete beta function I_x(a, b) by its continued fraction (Abramowitz and
 * Stegun 26.5.8), evaluated from the front by Lentz's method in the form without zero denominators.
 */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // The fraction converges fast on this side of the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const logFront =
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)
  let c = 1
  let d = 1 / nonzero(1 - ((a + b) * x) / (a + 1))
  let fraction = d
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonzero(1 + even * d)
    c = nonzero(1 + even / c)
    fraction *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonzero(1 + odd * d)
    c = nonzero(1 + odd / c)
    const factor = d * c
    fraction *= factor
    if (Math.abs(factor - 1) < 1e-16) break
  }
  return (Math.exp(logFront) * fraction) / a
}

function nonzero(value: number): number {
  return Math.abs(value) < 1e-300 ? 1e-300 : value
}
