import { describe, expect, test } from 'vitest'
import { autocovariances } from '../../src/arima/autocovariance.ts'
import { filterSums } from '../../src/arima/kalman.ts'
import { makeSample, profileLikelihood } from '../../src/arima/likelihood.ts'
import { makeBudget } from '../../src/numeric/budget.ts'
import { makeRandom } from '../random.ts'
import { denseLogLikelihood, randomArma, simulate, summedAutocovariances } from './dense.ts'

const unbounded = () => makeBudget({ workMax: Number.POSITIVE_INFINITY })

/** Random models of every shape with roots up to 0.99; the case names the seed. */
const cases = Array.from({ length: 120 }, (_, seed) => {
  const random = makeRandom(seed)
  const p = random.integer(0, 5)
  const q = random.integer(0, 5)
  const arma = randomArma(random, p, q, 0.99)
  return { seed, p, q, arma, w: simulate(random, arma, random.integer(p + q + 3, 120)), random }
})

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

  test('innovations, Kalman filter and dense covariance agree on complete series', () => {
    for (const { seed, p, q, arma, w } of cases) {
      const dense = denseLogLikelihood(w, arma)
      const sample = makeSample(w, p, q, false)
      expect(sample.workspace, 'the fast path is taken').toBeDefined()
      const fast = profileLikelihood(sample, arma)?.logLikelihood ?? Number.NaN
      const filtered = profileLikelihood({ ...sample, workspace: undefined }, arma)
      const kalman = filtered?.logLikelihood ?? Number.NaN
      expect(relative(fast, kalman), `seed ${seed}: fast, Kalman`).toBeLessThan(1e-9)
      // Roots of both sides next to one make the dense matrix itself ill-conditioned.
      expect(relative(fast, dense), `seed ${seed}: fast, dense`).toBeLessThan(1e-7)
    }
  })

  test('gaps count as the dense likelihood with their rows deleted', () => {
    for (const { seed, p, q, arma, w, random } of cases) {
      const share = random.between(0.05, 0.6)
      const gapped = w.map((value) => (random.uniform() < share ? Number.NaN : value))
      gapped[random.integer(0, w.length - 1)] = 1
      const dense = denseLogLikelihood(gapped, arma)
      const likelihood = profileLikelihood(makeSample(gapped, p, q, false), arma)
      const filtered = likelihood?.logLikelihood ?? Number.NaN
      expect(relative(filtered, dense), `seed ${seed}`).toBeLessThan(1e-7)
    }
  })

  test('the mean is where the dense likelihood is highest, with gaps and without', () => {
    for (const { seed, p, q, arma, w, random } of cases.slice(0, 60)) {
      const shifted = w.map((value) => value + 3)
      const gapped = shifted.map((value) => (random.uniform() < 0.2 ? Number.NaN : value))
      gapped[0] = 3
      gapped[1] = 4
      for (const series of [shifted, gapped]) {
        const likelihood = profileLikelihood(makeSample(series, p, q, true), arma)
        if (likelihood === undefined) throw new Error(`no likelihood for seed ${seed}`)
        const { logLikelihood, mean } = likelihood
        const dense = denseLogLikelihood(series, arma, mean)
        expect(relative(logLikelihood, dense), `seed ${seed}`).toBeLessThan(1e-7)
        const near = 0.1 + Math.abs(mean) * 0.1
        expect(denseLogLikelihood(series, arma, mean + near)).toBeLessThan(dense)
        expect(denseLogLikelihood(series, arma, mean - near)).toBeLessThan(dense)
      }
    }
  })

  test('long series settle into the steady state at the same likelihood as the full filter', () => {
    const random = makeRandom(4)
    const arma = randomArma(random, 3, 2, 0.9)
    const w = simulate(random, arma, 3_000)
    const fast = profileLikelihood(makeSample(w, 3, 2, true), arma)
    const sums = filterSums(w, arma, true, unbounded())
    const mean = (sums?.cross ?? 0) / (sums?.ones ?? 0)
    expect(relative(fast?.mean ?? 0, mean)).toBeLessThan(1e-9)
    const squares = (sums?.squares ?? 0) - mean * (sums?.cross ?? 0)
    expect(relative(fast?.squares ?? 0, squares)).toBeLessThan(1e-10)
  })
})

function relative(a: number, b: number): number {
  return Math.abs(a - b) / Math.max(1, Math.abs(b))
}
