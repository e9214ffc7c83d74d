import { expect, test } from 'vitest'
import { findAnomalies, fitModel, parseSpec, type Series } from '../../src/index.ts'
import { normalQuantile } from '../../src/numeric/normal.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { makeRandom } from '../random.ts'

const run = { seed: 1, workMax: 1e8 }

function fitted(spec: Record<string, unknown>, series: Series) {
  return doneValue(fitModel(series, doneValue(parseSpec(spec)), run))
}

const autoregression = { family: 'arima', p: 1, d: 0, q: 0, differenceLag: 0, constant: true }
const naive = { family: 'baseline', method: 'naive' }

test('the spread is the median absolute error of the one-step fits', () => {
  // Changes of 1, -2, 3, -1, 50: their median size is 2.
  const series = { y: Float64Array.of(10, 11, 9, 12, 11, 61) }
  const { found, lower, upper, expected } = doneValue(
    findAnomalies(fitted(naive, series), series, { level: 90 }),
  )
  const sigma = 2 / normalQuantile(0.75)
  // Student's t with 4 degrees of freedom: its 95% quantile is 2.1318467863.
  expect(upper[3]! - expected[3]!).toBeCloseTo(2.1318467863 * sigma, 8)
  expect(expected[3]! - lower[3]!).toBeCloseTo(2.1318467863 * sigma, 8)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({ at: 5, actual: 61, expected: 11 })
  expect(found[0]?.score).toBeCloseTo(50 / sigma, 10)
})

test('a spike is found, and the return to normal after it is not one', () => {
  const random = makeRandom(2)
  const y = new Float64Array(200)
  for (let t = 1; t < 200; t++) y[t] = 0.8 * y[t - 1]! + random.normal()
  y[120]! += 15
  y[121]! -= 12
  const { found } = doneValue(findAnomalies(fitted(autoregression, { y }), { y }))
  expect(found.map(({ at }) => at)).toEqual([120, 121])
  expect(found[0]!.score).toBeGreaterThan(5)
  expect(found[1]!.score).toBeLessThan(-5)
})

test('a naive forecast does not take the way back from a spike for a second one', () => {
  const y = Float64Array.from({ length: 40 }, (_, t) => (t % 2) + (t === 25 ? 30 : 0))
  const { found } = doneValue(findAnomalies(fitted(naive, { y }), { y }))
  expect(found.map(({ at }) => at)).toEqual([25])
})

test('ordinary observations lie outside as often as the level says', () => {
  const random = makeRandom(7)
  const y = Float64Array.from({ length: 4_000 }, () => random.normal())
  const model = fitted({ family: 'baseline', method: 'mean' }, { y })
  const share = (level: number) =>
    doneValue(findAnomalies(model, { y }, { level })).found.length / 4_000
  expect(share(80)).toBeGreaterThan(0.18)
  expect(share(80)).toBeLessThan(0.22)
  expect(share(99)).toBeGreaterThan(0.004)
  expect(share(99)).toBeLessThan(0.018)
})

test('a series that hardly ever moves has the spread of its few moves', () => {
  const y = new Float64Array(60).fill(5)
  y[40] = 9
  const { found } = doneValue(findAnomalies(fitted(naive, { y }), { y }))
  expect(found.map(({ at }) => at)).toEqual([40])
})

test('constant and gappy series have no anomalies, and no fault', () => {
  const constant = { y: new Float64Array(20).fill(3) }
  expect(doneValue(findAnomalies(fitted(naive, constant), constant)).found).toEqual([])
  const gappy = { y: Float64Array.of(1, Number.NaN, 2, 1, Number.NaN, 2, 1) }
  const { found, expected } = doneValue(findAnomalies(fitted(naive, gappy), gappy))
  expect(found).toEqual([])
  expect(expected[0]).toBeNaN()
})

test('a level outside of 0 to 100 is refused', () => {
  const series = { y: Float64Array.of(1, 2, 1, 2) }
  const model = fitted(naive, series)
  expect(refusalOf(findAnomalies(model, series, { level: 100 })).field).toBe('/level')
  expect(refusalOf(findAnomalies(model, series, { level: Number.NaN })).field).toBe('/level')
})
