import { expect, test } from 'vitest'
import {
  kpssLag,
  kpssStatistic,
  ordinaryDifferences,
  seasonalDifferences,
} from '../../src/series/differencing-tests.ts'
import { seasonalStrength } from '../../src/series/seasonal-strength.ts'
import { referenceSeries } from '../arima/references.ts'
import { makeRandom } from '../random.ts'

const seriesOf = (name: string) => Float64Array.from(referenceSeries[name]!)

test('the KPSS statistic is that of R', () => {
  // R 4.2, urca: ur.kpss(x, type = 'mu', use.lag = trunc(3 * sqrt(n) / 13))@teststat.
  expect(kpssStatistic(seriesOf('AirPassengers'))).toBeCloseTo(4.34228679711413, 12)
  expect(kpssStatistic(seriesOf('LakeHuron'))).toBeCloseTo(1.22121856939499, 12)
  expect(kpssStatistic(seriesOf('Nile'))).toBeCloseTo(1.31522646317767, 12)
  expect([144, 98, 3650].map(kpssLag)).toEqual([2, 2, 13])
})

test('the KPSS statistic is that of its definition, worked out by hand', () => {
  // Around the mean 3 of 1 2 6 3: e = -2 -1 3 0, partial sums -2 -3 0 0, their squares 13;
  // Σe² = 14, Σe_t e_{t-1} = 2 - 3 + 0 = -1, so that with one lag the variance is (14 - 1)/4.
  const y = Float64Array.of(1, 2, 6, 3)
  expect(kpssStatistic(y, 'level', 0)).toBeCloseTo(13 / 16 / (14 / 4), 14)
  expect(kpssStatistic(y, 'level', 1)).toBeCloseTo(13 / 16 / (13 / 4), 14)
})

test('around a trend, a line changes nothing and neither does the unit', () => {
  const random = makeRandom(5)
  const noise = Float64Array.from({ length: 200 }, () => random.normal())
  const plain = kpssStatistic(noise, 'trend')
  const tilted = noise.map((value, t) => 1e100 * (value + 3 * t - 50))
  expect(kpssStatistic(tilted, 'trend')).toBeCloseTo(plain, 8)
  expect(plain).toBeLessThan(0.146)
  expect(kpssStatistic(tilted, 'level')).toBeGreaterThan(0.463)
})

test('the differences are those that R takes', () => {
  // R 4.2, forecast 8.20: ndiffs(x), nsdiffs(x).
  expect(ordinaryDifferences(seriesOf('AirPassengers'), 2)).toBe(1)
  expect(ordinaryDifferences(seriesOf('LakeHuron'), 2)).toBe(1)
  expect(ordinaryDifferences(seriesOf('Nile'), 2)).toBe(1)
  expect(seasonalDifferences(seriesOf('AirPassengers'), 12)).toBe(1)
})

test('walks of order one and two take as many differences', () => {
  const random = makeRandom(17)
  const counts = [0, 0, 0]
  for (let repeat = 0; repeat < 50; repeat++) {
    let level = 0
    let slope = 0
    const walks = [new Float64Array(300), new Float64Array(300), new Float64Array(300)]
    for (let t = 0; t < 300; t++) {
      const shock = random.normal()
      level += shock
      slope += level
      walks[0]![t] = shock
      walks[1]![t] = level
      walks[2]![t] = slope
    }
    for (const [d, walk] of walks.entries()) {
      if (ordinaryDifferences(walk, 2) === d) counts[d]!++
    }
  }
  for (const count of counts) expect(count).toBeGreaterThanOrEqual(40)
})

test('a season is differenced when it is strong, not when it is noise', () => {
  const random = makeRandom(23)
  const make = (strength: number) =>
    Float64Array.from(
      { length: 96 },
      (_, t) => strength * Math.sin((2 * Math.PI * t) / 12) + 0.05 * t + random.normal(),
    )
  let strong = 0
  let weak = 0
  for (let repeat = 0; repeat < 50; repeat++) {
    strong += seasonalDifferences(make(6), 12)
    weak += seasonalDifferences(make(0), 12)
  }
  expect(strong).toBe(50)
  expect(weak).toBeLessThan(5)
})

test('the seasonal strength does not depend on the unit, nor on a few gaps', () => {
  const y = seriesOf('AirPassengers')
  const plain = seasonalStrength(y, 12)
  expect(
    seasonalStrength(
      y.map((value) => value * 1e145),
      12,
    ),
  ).toBeCloseTo(plain, 9)
  y[0] = y[50] = y[51] = y[143] = Number.NaN
  expect(seasonalStrength(y, 12)).toBeCloseTo(plain, 1)
})

test('what does not vary is not differenced, rounding or not', () => {
  const line = Float64Array.from({ length: 60 }, (_, t) => 0.1 * t + 1e6)
  expect(ordinaryDifferences(new Float64Array(50).fill(7), 2)).toBe(0)
  expect(ordinaryDifferences(line, 2)).toBe(1)
  expect(ordinaryDifferences(new Float64Array(0), 2)).toBe(0)
  expect(ordinaryDifferences(new Float64Array(30).fill(Number.NaN), 2)).toBe(0)
  expect(seasonalDifferences(new Float64Array(48).fill(-2), 12)).toBe(0)
  const pattern = Float64Array.from({ length: 60 }, (_, t) => [0.1, 0.7, -3][t % 3]!)
  expect(seasonalDifferences(pattern, 3)).toBe(1)
  expect(
    ordinaryDifferences(
      pattern.slice(3).map((value, t) => value - pattern[t]!),
      2,
    ),
  ).toBe(0)
})

test('a short series is not differenced at its season', () => {
  const y = Float64Array.from({ length: 24 }, (_, t) => 10 * Math.sin((2 * Math.PI * t) / 12))
  expect(seasonalDifferences(y, 12)).toBe(0)
  expect(seasonalDifferences(y, 1)).toBe(0)
})
