import { describe, expect, test } from 'vitest'
import { arimaAt } from '../../src/arima/fit.ts'
import { filterSeries } from '../../src/arima/model.ts'
import { armaFromCoefficients, armaFromPartials } from '../../src/arima/parameters.ts'
import { fitModel, forecastModel, levelQuantiles } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { simulate } from './dense.ts'
import { parametersOf, randomModel, specOf } from './models.ts'

const quantiles = levelQuantiles([80, 95])
const run = { seed: 1, workMax: 1e8 }

describe('a forecast', () => {
  test('for a short horizon is exactly the beginning of one for a long horizon', () => {
    for (let seed = 0; seed < 200; seed++) {
      const { model } = randomModel(seed)
      const short = doneValue(forecastModel(model, { horizon: 1 + (seed % 40), quantiles }))
      const long = doneValue(forecastModel(model, { horizon: 60, quantiles }))
      expect(short.point).toEqual(long.point.slice(0, short.point.length))
      expect(short.quantiles).toEqual(long.quantiles.slice(0, short.quantiles.length))
    }
  })

  test('is finite and its quantiles never cross, up to 10,000 steps', () => {
    for (let seed = 0; seed < 40; seed++) {
      const { model } = randomModel(seed)
      const forecast = doneValue(forecastModel(model, { horizon: 10_000, quantiles }))
      expect(forecast.point.every(Number.isFinite)).toBe(true)
      const crossed = forecast.quantiles.findIndex((bound, k) => {
        return k % 4 !== 0 && !(bound >= forecast.quantiles[k - 1]!)
      })
      expect(crossed, `seed ${seed}`).toBe(-1)
    }
  })

  test('of a first-order autoregression is what the textbook says', () => {
    const arma = armaFromPartials(Float64Array.of(0.5), new Float64Array(0))
    const parameters = parametersOf(specOf({}), arma, { mean: 10, sigma2: 4 })
    const model = filterSeries(parameters, { y: Float64Array.of(10, 12) })
    const { point, quantiles: bounds } = doneValue(
      forecastModel(model, { horizon: 3, quantiles: Float64Array.of(0.975) }),
    )
    expect([...point]).toEqual([11, 10.5, 10.25])
    const deviations = [2, 2 * Math.sqrt(1.25), 2 * Math.sqrt(1.3125)]
    deviations.forEach((deviation, h) => {
      expect(bounds[h]).toBeCloseTo(point[h]! + 1.959963984540054 * deviation, 12)
    })
  })

  test('has bounds in order even for neighbouring probabilities', () => {
    const { model } = randomModel(0)
    for (const centre of [0.3000000000001102, 0.075]) {
      const close = neighbours(centre)
      const forecast = doneValue(forecastModel(model, { horizon: 1, quantiles: close }))
      expect(forecast.quantiles).toEqual(forecast.quantiles.slice().sort())
    }
  })

  test('after missing values at the end is the one from before them, later', () => {
    const { model } = randomModel(2)
    const parameters = { ...model }
    const y = Float64Array.from({ length: 80 }, (_, t) => Math.sin(t) + t / 10)
    const seen = filterSeries(parameters, { y })
    const waited = filterSeries(parameters, { y: Float64Array.of(...y, Number.NaN, Number.NaN) })
    const long = doneValue(forecastModel(seen, { horizon: 12, quantiles }))
    const later = doneValue(forecastModel(waited, { horizon: 10, quantiles }))
    expect(later.point).toEqual(long.point.slice(2))
    expect(later.quantiles).toEqual(long.quantiles.slice(8))
  })

  test.each([
    { name: 'complete', missing: [] as number[] },
    { name: 'with a gap at the end', missing: [37, 38, 39] },
    { name: 'with a gap one season before the end', missing: [33, 34] },
  ])('has the errors and the variance of simulated continuations: $name', ({ missing }) => {
    const spec = specOf({ p: 2, d: 1, q: 1, differenceLag: 12 })
    const arma = armaFromCoefficients(Float64Array.of(0.5, -0.3), Float64Array.of(0.4))!
    const random = makeRandom(11)
    const [past, horizon, replicates] = [40, 12, 3_000]
    const squares = new Float64Array(horizon)
    const sums = new Float64Array(horizon)
    let deviations = new Float64Array(horizon)
    for (let replicate = 0; replicate < replicates; replicate++) {
      const w = simulate(random, arma, past + horizon, 50)
      const y = new Float64Array(past + horizon)
      for (let t = 0; t < y.length; t++) {
        const before = (lag: number) => (t >= lag ? y[t - lag]! : 0)
        y[t] = w[t]! + before(1) + before(12) - before(13)
      }
      const seen = y.slice(0, past)
      for (const t of missing) seen[t] = Number.NaN
      const model = filterSeries(parametersOf(spec, arma), { y: seen })
      const bounds = { horizon, quantiles: Float64Array.of(0.8413447460685429) }
      const forecast = doneValue(forecastModel(model, bounds))
      deviations = forecast.quantiles.map((bound, h) => bound - forecast.point[h]!)
      for (let h = 0; h < horizon; h++) {
        const error = y[past + h]! - forecast.point[h]!
        sums[h]! += error
        squares[h]! += error * error
      }
    }
    // Steps whose season was filled in lean on a level that counts as known.
    const exact = missing.includes(33) ? 4 : horizon
    for (let h = 0; h < exact; h++) {
      const deviation = Math.sqrt(squares[h]! / replicates)
      expect(Math.abs(deviation / deviations[h]! - 1), `step ${h}`).toBeLessThan(0.05)
      expect(Math.abs(sums[h]! / replicates)).toBeLessThan(4 * (deviation / Math.sqrt(replicates)))
    }
  })
})

describe('a fit follows y → a·y + b', () => {
  const y = simulated()
  const spec = specOf({ p: 2, q: 1, d: 0, differenceLag: 7 })
  const ask = { horizon: 20, quantiles }
  const base = doneValue(forecastModel(doneValue(fitModel({ y }, spec, run)), ask))

  test.each([
    { a: 2 ** 40, b: 0 },
    { a: 2 ** -60, b: 0 },
    { a: -1, b: 0 },
  ])('exactly for a = $a', ({ a }) => {
    const scaled = y.map((value) => a * value)
    const forecast = doneValue(forecastModel(doneValue(fitModel({ y: scaled }, spec, run)), ask))
    expect(forecast.point).toEqual(base.point.map((value) => a * value))
  })

  test.each([
    { a: 1e6 / 3, b: 1e7 },
    { a: -1e-5, b: 3 },
    { a: 7, b: -1_000 },
  ])('nearly for a = $a, b = $b', ({ a, b }) => {
    const moved = y.map((value) => a * value + b)
    const forecast = doneValue(forecastModel(doneValue(fitModel({ y: moved }, spec, run)), ask))
    for (let h = 0; h < ask.horizon; h++) {
      const difference = (forecast.point[h]! - b) / a - base.point[h]!
      expect(Math.abs(difference)).toBeLessThan(1e-4)
      const width = (forecast.quantiles[4 * h + 3]! - forecast.quantiles[4 * h]!) / Math.abs(a)
      const expected = base.quantiles[4 * h + 3]! - base.quantiles[4 * h]!
      expect(Math.abs(width / expected - 1)).toBeLessThan(1e-4)
    }
  })
})

test('a model at given parameters keeps them', () => {
  const arma = armaFromPartials(Float64Array.of(0.3), Float64Array.of(-0.2))
  const { model } = arimaAt({ y: simulated() }, specOf({ q: 1 }), arma)
  expect(model.arma).toBe(arma)
})

function simulated(): Float64Array {
  const random = makeRandom(5)
  const arma = armaFromCoefficients(Float64Array.of(0.6, -0.2), Float64Array.of(0.3))!
  return simulate(random, arma, 300).map((value, t) => value + 5 * Math.sin((2 * Math.PI * t) / 7))
}

/** A hundred adjacent doubles: there an approximation of the normal quantile is not monotone. */
function neighbours(centre: number): Float64Array {
  const bits = new BigInt64Array(Float64Array.of(centre).buffer)
  const start = bits[0]! - 50n
  return new Float64Array(BigInt64Array.from({ length: 100 }, (_, k) => start + BigInt(k)).buffer)
}
