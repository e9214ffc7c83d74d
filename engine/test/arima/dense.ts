import type { Arma, Polynomials } from '../../src/arima/parameters.ts'
import { armaFromPartials } from '../../src/arima/parameters.ts'
import type { TestRandom } from '../random.ts'

/**
 * The oracle: log-likelihood of an ARMA process with unit shocks by the dense covariance of the
 * observed values, Cholesky, variance at its best. Autocovariances are plain sums over all ψ
 * weights, so that nothing is shared with what it checks.
 */
export function denseLogLikelihood(w: Float64Array, arma: Polynomials, mean = 0): number {
  const gamma = summedAutocovariances(arma, w.length)
  const seen = [...w.keys()].filter((t) => !Number.isNaN(w[t]!))
  const n = seen.length
  const lower = new Float64Array(n * n)
  let squares = 0
  let logVariances = 0
  const errors = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = gamma[seen[i]! - seen[j]!]!
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j]!
    }
    let error = w[seen[i]!]! - mean
    for (let k = 0; k < i; k++) error -= lower[i * n + k]! * errors[k]!
    errors[i] = error / lower[i * n + i]!
    squares += errors[i]! * errors[i]!
    logVariances += 2 * Math.log(lower[i * n + i]!)
  }
  return -0.5 * (n * (Math.log((2 * Math.PI * squares) / n) + 1) + logVariances)
}

/** γ by sums over shock weights, taken until they have died out. */
export function summedAutocovariances({ ar, ma }: Polynomials, count: number): Float64Array {
  const psi: number[] = []
  let loudest = 1
  while (psi.length < 500_000 && loudest > 1e-14) {
    loudest = 0
    for (let k = 0; k < 500; k++) {
      const j = psi.length
      let sum = j === 0 ? 1 : (ma[j - 1] ?? 0)
      for (let i = 1; i <= Math.min(j, ar.length); i++) sum += ar[i - 1]! * psi[j - i]!
      psi.push(sum)
      loudest = Math.max(loudest, Math.abs(sum))
    }
  }
  return Float64Array.from({ length: count }, (_, k) => {
    let sum = 0
    for (let j = psi.length - 1 - k; j >= 0; j--) sum += psi[j]! * psi[j + k]!
    return sum
  })
}

/** A random process with a seasonal part, whose roots in Bˢ have moduli up to `modulusMax` too. */
export function randomSeasonalArma(random: TestRandom, modulusMax: number): Arma {
  const plain = randomArma(random, random.integer(0, 4), random.integer(0, 4), modulusMax)
  const season = randomArma(random, random.integer(0, 2), random.integer(0, 2), modulusMax)
  return armaFromPartials(plain.arPartials, plain.maPartials, {
    ar: season.arPartials,
    ma: season.maPartials,
    seasonLength: random.integer(2, 12),
  })
}

/**
 * A process whose roots have moduli up to `modulusMax`, from pairs of complex and single real
 * roots.
 */
export function randomArma(random: TestRandom, p: number, q: number, modulusMax: number): Arma {
  const partialsOf = (order: number) => {
    let polynomial = [1]
    let left = order
    while (left > 0) {
      const modulus = modulusMax * Math.sqrt(random.uniform())
      const cosine = Math.cos(random.between(0, Math.PI))
      const factor =
        left > 1 && random.uniform() < 0.6
          ? [1, -2 * modulus * cosine, modulus * modulus]
          : [1, cosine < 0 ? modulus : -modulus]
      left -= factor.length - 1
      polynomial = multiply(polynomial, factor)
    }
    return steppedDown(polynomial.slice(1).map((value) => -value))
  }
  return armaFromPartials(partialsOf(p), partialsOf(q))
}

function multiply(a: readonly number[], b: readonly number[]): number[] {
  const product = new Array<number>(a.length + b.length - 1).fill(0)
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      product[i + j]! += x * y
    })
  })
  return product
}

function steppedDown(coefficients: readonly number[]): Float64Array {
  const partials = new Float64Array(coefficients.length)
  let row = [...coefficients]
  for (let k = row.length - 1; k >= 0; k--) {
    const last = row[k]!
    partials[k] = last
    row = row.slice(0, k).map((value, i) => (value + last * row[k - 1 - i]!) / (1 - last * last))
  }
  return partials
}

/** Values of the process; the first ones are thrown away, so that it has forgotten its start. */
export function simulate(
  random: TestRandom,
  { ar, ma }: Arma,
  length: number,
  skipped = 1_000,
): Float64Array {
  const w = new Float64Array(length + skipped)
  const shocks = w.map(() => random.normal())
  for (let t = 0; t < w.length; t++) {
    w[t] = shocks[t]!
    for (let i = 1; i <= Math.min(t, ar.length); i++) w[t]! += ar[i - 1]! * w[t - i]!
    for (let j = 1; j <= Math.min(t, ma.length); j++) w[t]! += ma[j - 1]! * shocks[t - j]!
  }
  return w.slice(skipped)
}
