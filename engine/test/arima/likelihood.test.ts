import { describe, expect, test } from 'vitest'
import { autocovariances } from '../../src/arima/autocovariance.ts'
import { makeSample, ones, profileLikelihood } from '../../src/arima/likelihood.ts'
import type { Polynomials } from '../../src/arima/parameters.ts'
import { makeRandom } from '../random.ts'
import {
  denseLogLikelihood,
  randomArma,
  randomSeasonalArma,
  simulate,
  summedAutocovariances,
} from './dense.ts'

/** Random models of every shape with roots up to 0.99; the case names the seed. */
const cases = Array.from({ length: 120 }, (_, seed) => {
  const random = makeRandom(seed)
  const arma =
    seed % 2 === 0
      ? randomArma(random, random.integer(0, 5), random.integer(0, 5), 0.99)
      : randomSeasonalArma(random, 0.95)
  const w = simulate(random, arma, random.integer(20, 120))
  return { seed, arma, w, random }
})

const sampleOf = (w: Float64Array, { ar, ma }: Polynomials, columns: Float64Array[] = []) =>
  makeSample(w, ar.length, ma.length, columns)

describe('the exact likelihood', () => {
  test('autocovariances equal the sums over shock weights', () => {
    for (const { seed, arma } of cases) {
      const exact = autocovariances(arma, 20)
      const summed = summedAutocovariances(arma, 20)
      for (let k = 0; k < 20; k++) {
        expect(Math.abs(exact[k]! - summed[k]!), `seed ${seed}`).toBeLessThan(1e-8 * summed[0]!)
      }
    }
  })

  test('fast recursion, Kalman filter and dense covariance agree on 1,000 models, roots to 0.999', () => {
    const apart: number[] = []
    for (let seed = 0; seed < 1_000; seed++) {
      const random = makeRandom(seed)
      const arma = randomSeasonalArma(random, 0.999)
      const w = simulate(random, arma, random.integer(8, 100))
      const sample = sampleOf(w, arma)
      expect(sample.workspace, 'the fast path is taken').toBeDefined()
      const fast = profileLikelihood(sample, arma)?.logLikelihood ?? Number.NaN
      const filtered = profileLikelihood({ ...sample, workspace: undefined }, arma)
      const kalman = filtered?.logLikelihood ?? Number.NaN
      const dense = denseLogLikelihood(w, arma)
      apart.push(Math.max(relative(fast, dense), relative(kalman, dense)))
      // Several roots next to one make each of the three ill-conditioned.
      expect(apart.at(-1), `seed ${seed}`).toBeLessThan(2e-5)
    }
    apart.sort((a, b) => a - b)
    expect(apart[995]).toBeLessThan(1e-7)
    expect(apart[960]).toBeLessThan(1e-9)
  })

  test('gaps count as the dense likelihood with their rows deleted', () => {
    for (const { seed, arma, w, random } of cases) {
      const share = random.between(0.05, 0.6)
      const gapped = w.map((value) => (random.uniform() < share ? Number.NaN : value))
      gapped[random.integer(0, w.length - 1)] = 1
      const dense = denseLogLikelihood(gapped, arma)
      const likelihood = profileLikelihood(sampleOf(gapped, arma), arma)
      const filtered = likelihood?.logLikelihood ?? Number.NaN
      expect(relative(filtered, dense), `seed ${seed}`).toBeLessThan(1e-7)
    }
  })

  test('coefficients of columns are where the dense likelihood is highest, with gaps and without', () => {
    for (const { seed, arma, w, random } of cases.slice(0, 60)) {
      const column = w.map(() => random.normal())
      const trend = w.map((_, t) => 1_000 + t)
      const shifted = w.map((value, t) => value + 3 + 0.7 * column[t]! - 0.02 * trend[t]!)
      const gapped = shifted.map((value) => (random.uniform() < 0.2 ? Number.NaN : value))
      gapped.set(shifted.subarray(0, 6))
      for (const series of [shifted, gapped]) {
        const sample = sampleOf(series, arma, [ones(w.length), column, trend])
        const likelihood = profileLikelihood(sample, arma)
        if (likelihood === undefined) throw new Error(`no likelihood for seed ${seed}`)
        const { logLikelihood, beta } = likelihood
        const denseAt = (b: Float64Array) => {
          const rest = series.map((v, t) => v - b[0]! - b[1]! * column[t]! - b[2]! * trend[t]!)
          return denseLogLikelihood(rest, arma)
        }
        const best = denseAt(beta)
        expect(relative(logLikelihood, best), `seed ${seed}`).toBeLessThan(1e-7)
        beta.forEach((value, i) => {
          for (const move of [-1e-3, 1e-3]) {
            const moved = beta.slice()
            moved[i] = value + move * (i === 2 ? 1e-2 : 1)
            expect(denseAt(moved), `seed ${seed}, column ${i}`).toBeLessThan(best + 1e-9)
          }
        })
        const fixed = profileLikelihood(sample, arma, undefined, beta)
        expect(relative(fixed?.logLikelihood ?? 0, best)).toBeLessThan(1e-7)
      }
    }
  })

  test('given coefficients have the likelihood of what they leave', () => {
    const { arma, w, random } = cases[7]!
    const column = w.map(() => random.normal())
    const sample = sampleOf(w, arma, [column])
    const fixed = profileLikelihood(sample, arma, undefined, Float64Array.of(0.3))
    const dense = denseLogLikelihood(
      w.map((value, t) => value - 0.3 * column[t]!),
      arma,
    )
    expect(relative(fixed?.logLikelihood ?? 0, dense)).toBeLessThan(1e-9)
  })

  test('a column that others explain changes nothing and gets no coefficient', () => {
    const { arma, w } = cases[3]!
    const column = w.map((_, t) => Math.sin(t))
    const plain = profileLikelihood(sampleOf(w, arma, [column]), arma)
    const double = column.map((value) => 2 * value)
    const twice = profileLikelihood(sampleOf(w, arma, [column, double]), arma)
    expect(relative(twice?.logLikelihood ?? 0, plain?.logLikelihood ?? 1)).toBeLessThan(1e-12)
    expect(twice?.beta[1]).toBe(0)
  })

  test('a moving average outside of the unit circle has the likelihood of its reflection', () => {
    for (const { seed, w } of cases.slice(0, 40)) {
      const random = makeRandom(seed)
      const root = random.between(-0.95, 0.95)
      const other = random.between(-0.9, 0.9)
      const ar = Float64Array.of(random.between(-0.9, 0.9))
      const inside = { ar, ma: Float64Array.of(root + other, root * other) }
      const outside = { ar, ma: Float64Array.of(1 / root + other, other / root) }
      const gapped = w.map((value, t) => (t === 9 ? Number.NaN : value))
      for (const series of [w, gapped]) {
        const own = profileLikelihood(sampleOf(series, inside), inside)
        const reflected = profileLikelihood(sampleOf(series, outside), outside)
        const [a, b] = [own?.logLikelihood ?? 0, reflected?.logLikelihood ?? 1]
        expect(relative(a, b), `seed ${seed}`).toBeLessThan(1e-7)
      }
    }
  })

  test('long series settle into the steady state at the same likelihood as the full filter', () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = makeRandom(seed)
      const arma = randomSeasonalArma(random, 0.9)
      const w = simulate(random, arma, 3_000)
      const sample = sampleOf(w, arma, [ones(w.length)])
      const fast = profileLikelihood(sample, arma)
      const full = profileLikelihood({ ...sample, workspace: undefined }, arma)
      expect(relative(fast?.beta[0] ?? 0, full?.beta[0] ?? 1), `seed ${seed}`).toBeLessThan(1e-9)
      expect(relative(fast?.squares ?? 0, full?.squares ?? 1), `seed ${seed}`).toBeLessThan(1e-10)
    }
  })
})

function relative(a: number, b: number): number {
  return Math.abs(a - b) / Math.max(1, Math.abs(b))
}
