import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  type AnyModel,
  decodeModel,
  encodeModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
  type Series,
  simulateModel,
} from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'
import { airPassengers } from '../series/sample-series.ts'

const run = { seed: 3, workMax: 1e9 }
const quantiles = levelQuantiles([95])
const missing = Number.NaN

function fitted(method: string, series: Series, fields = {}): AnyModel {
  const spec = doneValue(parseSpec({ family: 'baseline', method, ...fields }))
  return doneValue(fitModel(series, spec, run))
}

function forecastOf(method: string, series: Series, horizon = 12, fields = {}) {
  return doneValue(forecastModel(fitted(method, series, fields), { horizon, quantiles }))
}

describe('on monthly airline passengers', () => {
  const series = { y: airPassengers, seasons: [12] }

  test('the seasonal naive forecast and its bounds are those of R', () => {
    // R 4.2 forecast 8.20: snaive(AirPassengers, h = 12, level = 95)
    const { point, quantiles: bounds } = forecastOf('seasonal-naive', series)
    expect([...point]).toEqual([417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432])
    expect(bounds[0]).toBeCloseTo(345.822447770672, 9)
    expect(bounds[23]).toBeCloseTo(503.177552229328, 9)
  })

  test('the season counts its cycles: the second year is √2 as wide as the first', () => {
    const { point, quantiles: bounds } = forecastOf('seasonal-naive', series, 24)
    expect(bounds[25]! - point[12]!).toBeCloseTo(Math.SQRT2 * (bounds[1]! - point[0]!), 9)
  })
})

describe('by the formulas of the book', () => {
  // Changes of 1, 2, -2, 3: squares 18, mean change 1.
  const y = Float64Array.of(10, 11, 13, 11, 14)

  test('naive: the root of the mean square of the changes, growing with the root of time', () => {
    const { point, quantiles: bounds } = forecastOf('naive', { y }, 4)
    expect([...point]).toEqual([14, 14, 14, 14])
    for (let h = 0; h < 4; h++) {
      expect(bounds[2 * h + 1]! - 14).toBeCloseTo(1.959963984540054 * Math.sqrt(4.5 * (h + 1)), 12)
    }
  })

  test('drift: the mean change, its own error included', () => {
    const { point, quantiles: bounds } = forecastOf('drift', { y }, 4)
    expect([...point]).toEqual([15, 16, 17, 18])
    // Squares of 1 - 1, 2 - 1, -2 - 1, 3 - 1 over 4 - 1.
    for (let h = 1; h <= 4; h++) {
      const width = 1.959963984540054 * Math.sqrt((14 / 3) * h * (1 + h / 4))
      expect(bounds[2 * h - 1]! - point[h - 1]!).toBeCloseTo(width, 12)
    }
  })

  test('mean: the sample deviation, the error of the mean included', () => {
    const { point, quantiles: bounds } = forecastOf('mean', { y }, 2)
    expect(point[0]).toBeCloseTo(11.8, 12)
    const width = 1.959963984540054 * Math.sqrt(2.7 * (1 + 1 / 5))
    expect(bounds[1]! - point[0]!).toBeCloseTo(width, 12)
    expect(bounds[3]! - point[1]!).toBeCloseTo(width, 12)
  })

  test('a window of one is the naive forecast, and a window of all the mean', () => {
    const naive = forecastOf('naive', { y }, 5)
    const one = forecastOf('window', { y }, 5, { window: 1 })
    expect(one.point).toEqual(naive.point)
    one.quantiles.forEach((bound, i) => {
      expect(bound).toBeCloseTo(naive.quantiles[i]!, 12)
    })
    expect(forecastOf('window', { y }, 1, { window: 99 }).point[0]).toBeCloseTo(11.8, 12)
  })

  test('a change over a gap is scaled to a step, and a missing end counts as steps', () => {
    const gap = { y: Float64Array.of(1, 2, missing, missing, missing, 4, missing, missing) }
    const { point, quantiles: bounds } = forecastOf('naive', gap, 2)
    expect([...point]).toEqual([4, 4])
    // A change of 1 in a step and of 2 in four: (1 + 4 / 4) / 2; the first step is the third.
    expect(bounds[1]! - 4).toBeCloseTo(1.959963984540054 * Math.sqrt(3), 12)
    expect(forecastOf('drift', gap, 2).point[0]).toBeCloseTo(4 + (3 * 3) / 5, 12)
  })
})

test.each(['naive', 'mean', 'window'])('%s works from one observation, without width', (method) => {
  const { point, quantiles: bounds, notes } = forecastOf(method, { y: Float64Array.of(0.1) }, 3)
  expect([...point, ...bounds]).toEqual(new Array(9).fill(0.1))
  expect(notes[0]).toMatchObject({ code: 'no-width' })
})

test.each(['naive', 'seasonal-naive', 'drift', 'mean', 'window'])(
  '%s repeats a constant exactly, without width',
  (method) => {
    const constant = { y: new Float64Array(50).fill(21.7), seasons: [7] }
    const { point, quantiles: bounds } = forecastOf(method, constant, 15)
    expect(new Set([...point, ...bounds])).toEqual(new Set([21.7]))
  },
)

test.each(['naive', 'seasonal-naive', 'drift', 'mean', 'window'])(
  'paths of %s spread as its bounds say, after missing values too',
  (method) => {
    const y = airPassengers.slice(0, 60)
    y.fill(missing, 57)
    const model = fitted(method, { y, seasons: [12] })
    const [horizon, paths] = [20, 8_000]
    const ask = { horizon, quantiles }
    const { point, quantiles: bounds } = doneValue(forecastModel(model, ask))
    const values = doneValue(simulateModel(model, ask, paths, run))
    for (const h of [0, 11, 12, 19]) {
      let [sum, squares] = [0, 0]
      for (let path = 0; path < paths; path++) {
        const apart = values[path * horizon + h]! - point[h]!
        sum += apart
        squares += apart * apart
      }
      const deviation = (bounds[2 * h + 1]! - point[h]!) / 1.959963984540054
      expect(Math.abs(sum / paths) / deviation).toBeLessThan(0.06)
      expect(Math.sqrt(squares / paths) / deviation).toBeCloseTo(1, 1)
    }
  },
)

test('a season of which a step was never seen is refused', () => {
  const spec = doneValue(parseSpec({ family: 'baseline', method: 'seasonal-naive' }))
  const short = { y: Float64Array.of(1, 2, 3), seasons: [4] }
  expect(refusalOf(fitModel(short, spec, run)).code).toBe('too-short')
  const gap = { y: Float64Array.of(1, missing, 3, 4, 5, missing), seasons: [4] }
  expect(refusalOf(fitModel(gap, spec, run)).code).toBe('too-many-missing')
})

test('bytes of format 1 are read as they were written', () => {
  const bytes = readGolden('baseline-1.bin')
  const url = new URL('../golden/baseline-1.json', import.meta.url)
  const { point, bounds } = JSON.parse(readFileSync(url, 'utf8')) as Record<string, number[]>
  const model = doneValue(decodeModel(bytes))
  expect(Buffer.from(encodeModel(model))).toEqual(bytes)
  const forecast = doneValue(forecastModel(model, { horizon: 6, quantiles }))
  point!.forEach((value, h) => {
    expect(Math.abs(forecast.point[h]! / value - 1)).toBeLessThan(1e-8)
  })
  bounds!.forEach((value, i) => {
    expect(Math.abs(forecast.quantiles[i]! / value - 1)).toBeLessThan(1e-8)
  })
})
