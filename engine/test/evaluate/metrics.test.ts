import { expect, test } from 'vitest'
import {
  addToTally,
  errorScale,
  makeTally,
  overallWeightedAverage,
  scoreForecast,
  scoresOf,
  sumOfTallies,
} from '../../src/evaluate/metrics.ts'
import { airPassengers } from '../series/sample-series.ts'

const none = new Float64Array(0)

test('the scale is the mean change over a season', () => {
  // Changes at lag 2: 3 - 1, 7 - 2, 4 - 3, 7 - 7.
  const scale = errorScale(Float64Array.of(1, 2, 3, 7, 4, 7), 2)
  expect(scale).toEqual({ absolute: (2 + 5 + 1 + 0) / 4, squared: (4 + 25 + 1 + 0) / 4 })
})

test('a series of a season and one value is too short for a seasonal scale', () => {
  const y = Float64Array.of(1, 2, 4, 8, 9)
  expect(errorScale(y, 4).absolute).toBe((1 + 2 + 4 + 1) / 4)
  expect(errorScale(y, 3).absolute).toBe((7 + 7) / 2)
})

test('a missing value counts in no change', () => {
  expect(errorScale(Float64Array.of(1, Number.NaN, 4, 6), 1).absolute).toBe(2)
  expect(errorScale(Float64Array.of(1), 1).absolute).toBeNaN()
})

test('errors are scaled and averaged as defined', () => {
  const scale = { absolute: 2, squared: 8 }
  const point = Float64Array.of(10, 14)
  const scores = scoreForecast(Float64Array.of(12, 10), { point, quantiles: none }, none, scale)
  expect(scores.count).toBe(2)
  expect(scores.mae).toBe(3)
  expect(scores.rmse).toBeCloseTo(Math.sqrt(10), 14)
  expect(scores.mase).toBe(1.5)
  expect(scores.rmsse).toBeCloseTo(Math.sqrt(20 / 8 / 2), 14)
  // 200 · 2 / 22 and 200 · 4 / 24.
  expect(scores.smape).toBeCloseTo((400 / 22 + 800 / 24) / 2, 12)
  expect(scores.levels).toEqual([])
})

test('a symmetric percentage error knows signs and zeros', () => {
  const smape = (actual: number, point: number) =>
    scoreForecast(
      Float64Array.of(actual),
      { point: Float64Array.of(point), quantiles: none },
      none,
      { absolute: 1, squared: 1 },
    ).smape
  expect(smape(0, 0)).toBe(0)
  expect(smape(0, 3)).toBe(200)
  expect(smape(-2, 2)).toBe(200)
  expect(smape(-2, -4)).toBeCloseTo(400 / 6, 12)
})

test('quantiles give pinball losses, coverage and interval scores', () => {
  const probabilities = Float64Array.of(0.1, 0.5, 0.9)
  const scale = { absolute: 4, squared: 16 }
  // Inside; 2 below the lower bound.
  const actual = Float64Array.of(11, 6)
  const quantiles = Float64Array.of(8, 10, 13, 8, 9, 12)
  const forecast = { point: Float64Array.of(10, 9), quantiles }
  const scores = scoreForecast(actual, forecast, probabilities, scale)
  const first = 0.1 * 3 + 0.5 * 1 + 0.1 * 2
  const second = 0.9 * 2 + 0.5 * 3 + 0.1 * 6
  expect(scores.scaledPinball).toBeCloseTo((2 * (first + second)) / 3 / 2 / 4, 14)
  const [level] = scores.levels
  expect(scores.levels).toHaveLength(1)
  expect(level?.level).toBe(80)
  expect(level?.coverage).toBe(0.5)
  // Widths of 5 and 4, and 2 / 0.2 times the 2 that lie outside.
  expect(level?.msis).toBeCloseTo((5 + 4 + 20) / 2 / 4, 14)
})

test('a bound belongs to its interval', () => {
  const probabilities = Float64Array.of(0.025, 0.975)
  const scale = { absolute: 1, squared: 1 }
  const forecast = { point: Float64Array.of(1, 1), quantiles: Float64Array.of(0, 2, 0, 2) }
  const scores = scoreForecast(Float64Array.of(0, 2), forecast, probabilities, scale)
  expect(scores.levels).toEqual([{ level: 95, coverage: 1, msis: 2 }])
})

test('levels come in ascending order, and only where both bounds are there', () => {
  const levels = scoresOf(makeTally(Float64Array.of(0.025, 0.1, 0.3, 0.9, 0.975))).levels
  expect(levels.map(({ level }) => level)).toEqual([80, 95])
})

test('a missing observation counts nowhere', () => {
  const probabilities = Float64Array.of(0.1, 0.9)
  const scale = { absolute: 1, squared: 1 }
  const forecast = { point: Float64Array.of(1, 5), quantiles: Float64Array.of(0, 2, 4, 6) }
  const scores = scoreForecast(Float64Array.of(2, Number.NaN), forecast, probabilities, scale)
  expect(scores).toMatchObject({ count: 1, missing: 1, mae: 1, levels: [{ coverage: 1 }] })
})

test('no observation at all has no scores', () => {
  const scores = scoresOf(makeTally(none))
  expect(scores.count).toBe(0)
  expect([scores.mae, scores.mase, scores.smape]).toEqual([Number.NaN, Number.NaN, Number.NaN])
})

test('tallies of parts add up to the tally of all', () => {
  const probabilities = Float64Array.of(0.1, 0.5, 0.9)
  const scale = { absolute: 3, squared: 11 }
  const whole = makeTally(probabilities)
  const parts = [makeTally(probabilities), makeTally(probabilities)] as const
  for (let t = 0; t < 10; t++) {
    const quantiles = Float64Array.of(t - 3, t, t + 3)
    const actual = t % 3 === 0 ? t + 4 : t + 0.5
    addToTally(whole, actual, t, quantiles, 0, scale)
    addToTally(parts[t % 2 === 0 ? 0 : 1], actual, t, quantiles, 0, scale)
  }
  const sum = scoresOf(sumOfTallies(parts, probabilities))
  const all = scoresOf(whole)
  expect(sum.count).toBe(10)
  expect(sum.mase).toBeCloseTo(all.mase, 13)
  expect(sum.scaledPinball).toBeCloseTo(all.scaledPinball, 13)
  expect(sum.levels[0]?.coverage).toBe(all.levels[0]?.coverage)
  expect(sum.levels[0]?.msis).toBeCloseTo(all.levels[0]?.msis ?? 0, 13)
})

test('the overall weighted average is 1 for the benchmark itself', () => {
  const benchmark = { mase: 1.5, smape: 12 }
  expect(overallWeightedAverage(benchmark, benchmark)).toBe(1)
  expect(overallWeightedAverage({ mase: 0.75, smape: 12 }, benchmark)).toBe(0.75)
})

test('the accuracy of R is what R says (forecast 8.20, AirPassengers, 1960 held out)', () => {
  const series = airPassengers
  // accuracy(forecast(Arima(…, order=c(0,1,1), seasonal=c(0,1,1), lambda=0, method='ML'), h=12), …)
  const point = Float64Array.of(
    ...[419.326182549585, 398.920279064687, 466.579175541646, 454.406816168903],
    ...[473.265750683442, 547.120828376877, 622.22145023042, 630.157286496378],
    ...[526.748283177817, 462.291674899287, 406.629999324391, 452.297863873697],
  )
  const [train, actual] = [series.subarray(0, -12), series.subarray(-12)]
  const scale = errorScale(train, 12)
  const scores = scoreForecast(actual, { point, quantiles: none }, none, scale)
  expect(scores.me).toBeCloseTo(-12.1637991989274, 10)
  expect(scores.rmse).toBeCloseTo(18.5949294206384, 10)
  expect(scores.mae).toBeCloseTo(13.2626631707769, 10)
  expect(scores.mase).toBeCloseTo(0.435555440748009, 12)
})

test('a pinball loss is in the units of the series, and the signed error has its sign', () => {
  const probabilities = Float64Array.of(0.1, 0.5, 0.9)
  const forecast = { point: Float64Array.of(10), quantiles: Float64Array.of(8, 10, 13) }
  const scale = { absolute: 4, squared: 16 }
  const scores = scoreForecast(Float64Array.of(14), forecast, probabilities, scale)
  expect(scores.me).toBe(4)
  expect(scores.pinball).toBeCloseTo((0.1 * 6 + 0.5 * 4 + 0.9 * 1) / 3, 14)
  expect(scores.scaledPinball).toBeCloseTo((2 * scores.pinball) / 4, 14)
})
