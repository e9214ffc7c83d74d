import { describe, expect, test } from 'vitest'
import { makeBudget } from '../../src/numeric/budget.ts'
import { type StlOptions, stl } from '../../src/series/stl.ts'
import { median, robustWeights } from '../../src/series/stl-weights.ts'
import { strengths, strengthsOf } from '../../src/series/strength.ts'
import { makeRandom } from '../random.ts'
import { readSampleData } from '../sample-data.ts'
import { airPassengers, nottem } from './sample-series.ts'

const everyPoint = { seasonalJump: 1, trendJump: 1, lowPassJump: 1 }

type Reference = {
  readonly name: string
  readonly y: Float64Array
  readonly options: StlOptions
  readonly rows: readonly number[]
  readonly trend: readonly number[]
  readonly seasonal: readonly number[]
}

const references: readonly Reference[] = [
  {
    name: 'statsmodels 0.15.0: STL(log AirPassengers, period=12, seasonal=13)',
    y: airPassengers.map(Math.log),
    options: { period: 12, seasonalWindow: 13, ...everyPoint },
    rows: [0, 1, 2, 141, 142, 143],
    trend: [
      4.804636407631178, 4.810024932735853, 4.815353014530285, 6.1773005039179605,
      6.184150243031455, 6.190975304562681,
    ],
    seasonal: [
      -0.09122180072290499, -0.02432103624694634, 0.08450664309910284, -0.06180619545559909,
      -0.21405838925437287, -0.1235661408397593,
    ],
  },
  {
    name: 'statsmodels 0.15.0: STL(nottem, period=12, seasonal=7, robust=True)',
    y: nottem,
    options: { period: 12, seasonalWindow: 7, outer: 15, ...everyPoint },
    rows: [0, 1, 2, 237, 238, 239],
    trend: [
      48.78509219182635, 48.828699544949075, 48.872893128226984, 49.32547925166999,
      49.27330144695554, 49.21829917925285,
    ],
    seasonal: [
      -7.574471133529439, -8.665932325380538, -4.3398837454599235, -0.9685154947673926,
      -2.4304956408515963, -11.108602196798994,
    ],
  },
  {
    name: "R 4.2.2: stl(daily minimum temperatures, s.window='periodic'), which jumps",
    y: readSampleData(),
    options: { period: 365, seasonalWindow: 'periodic', inner: 2 },
    rows: [0, 1, 2, 3647, 3648, 3649],
    trend: [
      12.3414057198393, 12.3368503632997, 12.33229500676, 11.7093995996035, 11.7095537987656,
      11.7097079979276,
    ],
    seasonal: [
      4.62958958566191, 4.06003201772368, 3.47047444978546, 2.47773112798072, 4.38770402874991,
      4.45767692951911,
    ],
  },
]

describe('STL', () => {
  test.each(references)('is that of $name', ({ y, options, rows, trend, seasonal }) => {
    const parts = stl(y, options)
    expect(parts.complete).toBe(true)
    rows.forEach((row, i) => {
      expect(Math.abs(parts.trend[row]! - trend[i]!)).toBeLessThan(1e-9)
      expect(Math.abs(parts.seasonal[row]! - seasonal[i]!)).toBeLessThan(1e-9)
    })
  })

  test('finds a line and a pattern that are exactly there', () => {
    const pattern = [3, -1, 4, -6]
    const y = Float64Array.from({ length: 60 }, (_, t) => 5 + 0.25 * t + pattern[t % 4]!)
    const { seasonal, trend } = stl(y, { period: 4, seasonalWindow: 7 })
    y.forEach((_, t) => {
      expect(seasonal[t]).toBeCloseTo(pattern[t % 4]!, 9)
      expect(trend[t]).toBeCloseTo(5 + 0.25 * t, 9)
    })
  })

  test('gives outliers no weight, so that they leave the pattern alone', () => {
    const pattern = [3, -1, 4, -6]
    const random = makeRandom(5)
    const clean = Float64Array.from({ length: 80 }, (_, t) => pattern[t % 4]! + random.normal() / 9)
    const y = clean.map((value, t) => (t % 27 === 13 ? value + 40 : value))
    const plain = stl(y, { period: 4, seasonalWindow: 'periodic' })
    const robust = stl(y, { period: 4, seasonalWindow: 'periodic', outer: 5 })
    const fault = (seasonal: Float64Array) =>
      Math.max(...seasonal.map((value, t) => Math.abs(value - pattern[t % 4]!)))
    expect(fault(robust.seasonal)).toBeLessThan(0.3)
    expect(fault(plain.seasonal)).toBeGreaterThan(1)
    expect(robust.weights[13]).toBe(0)
  })

  test('that is ended by its budget has the parts of the last whole pass, and says so', () => {
    const y = airPassengers
    const options = { period: 12, seasonalWindow: 13, ...everyPoint, inner: 5 }
    const once = stl(y, { ...options, inner: 1 })
    const ended = stl(y, options, makeBudget({ workMax: 5 * y.length + 50 }))
    expect(ended.complete).toBe(false)
    expect(ended.seasonal).toEqual(once.seasonal)
    expect(ended.trend).toEqual(once.trend)
  })

  test('of values that do not vary, or are two seasons only, is in finite numbers', () => {
    for (const y of [new Float64Array(20), new Float64Array(10).fill(7), nottem.slice(0, 10)]) {
      const { seasonal, trend } = stl(y, { period: 5, seasonalWindow: 7, outer: 3 })
      expect([...seasonal, ...trend].every(Number.isFinite)).toBe(true)
    }
  })
})

test('the median is that of the sorted values', () => {
  const random = makeRandom(11)
  for (let length = 1; length < 60; length++) {
    const values = Float64Array.from({ length }, () => random.integer(-5, 5))
    const sorted = values.slice().sort()
    const middle = (sorted[(length - 1) >> 1]! + sorted[length >> 1]!) / 2
    expect(median(values)).toBe(middle)
  }
})

test('a robust weight falls from 1 to 0 at six medians', () => {
  const y = Float64Array.of(1, -1, 1, -1, 1, 3, 6.5)
  const nothing = new Float64Array(7)
  const weights = new Float64Array(7)
  robustWeights(y, nothing, nothing, weights)
  expect(weights[0]).toBeCloseTo((1 - 1 / 36) ** 2, 12)
  expect(weights[5]).toBeCloseTo((1 - 1 / 4) ** 2, 12)
  expect(weights[6]).toBe(0)
})

describe('strengths', () => {
  test('are near 1 for a trend and a season, near 0 for noise, and 0 without variation', () => {
    const random = makeRandom(2)
    const noise = Float64Array.from({ length: 240 }, () => random.normal())
    const strong = strengths(
      noise.map((e, t) => 0.1 * e + t + 20 * Math.sin((t * Math.PI) / 6)),
      12,
    )
    expect(strong.trend).toBeGreaterThan(0.95)
    expect(strong.seasonal).toBeGreaterThan(0.95)
    const weak = strengths(noise, 12)
    expect(weak.seasonal).toBeLessThan(0.4)
    expect(strengths(new Float64Array(60).fill(4), 12)).toEqual({ trend: 0, seasonal: 0 })
    expect(strengths(noise.slice(0, 24), 12)).toEqual({ trend: 0, seasonal: 0 })
  })

  test('follow their formula on given parts', () => {
    const seasonal = Float64Array.of(1, -1, 1, -1)
    const remainder = Float64Array.of(0.5, 0.5, -0.5, -0.5)
    const trend = Float64Array.of(1, 2, 3, 4)
    const y = trend.map((value, t) => value + seasonal[t]! + remainder[t]!)
    const found = strengthsOf(y, { seasonal, trend })
    expect(found.seasonal).toBeCloseTo(1 - 0.25 / 1.25, 12)
    expect(found.trend).toBeCloseTo(1 - 0.25 / 0.5, 12)
  })
})
