import { describe, expect, test } from 'vitest'
import {
  type AnyModel,
  encodeModel,
  explainModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  modelSizeBytes,
  parseSpec,
  type Series,
  simulateModel,
  updateModel,
} from '../../src/index.ts'
import { mstl } from '../../src/mstl/family.ts'
import type { MstlModel } from '../../src/mstl/model.ts'
import type { MstlSpec } from '../../src/mstl/spec.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { readSampleData } from '../sample-data.ts'
import { airPassengers } from '../series/sample-series.ts'

const run = { seed: 5, workMax: 1e10 }
const naive = { family: 'baseline', method: 'naive' }
const mean = { family: 'baseline', method: 'mean' }
const quantiles = levelQuantiles([80])

function specOf(fields: Readonly<Record<string, unknown>> = {}): MstlSpec {
  return doneValue(mstl.parse({ family: 'mstl', member: naive, ...fields }))
}

function fitted(series: Series, spec: MstlSpec): MstlModel {
  return doneValue(mstl.fit(series, spec, run))
}

const pattern = [3, -1, 4, -6]
const regular = Float64Array.from({ length: 60 }, (_, t) => 20 + pattern[t % 4]!)

describe('MSTL', () => {
  test('carries a pattern on from where the series ends, whatever its last phase', () => {
    for (const length of [57, 58, 59, 60]) {
      const model = fitted({ y: regular.slice(0, length), seasons: [4] }, specOf())
      const { point } = doneValue(mstl.forecast(model, { horizon: 9, quantiles }, run))
      point.forEach((value, h) => {
        expect(value).toBeCloseTo(20 + pattern[(length + h) % 4]!, 6)
      })
    }
  })

  test('takes the seasons of its spec before those of the series', () => {
    const model = fitted({ y: regular, seasons: [7] }, specOf({ seasons: [4] }))
    expect([...model.seasons]).toEqual([4])
    expect(fitted({ y: regular }, specOf()).seasons.length).toBe(0)
  })

  test('is robust for a long season or several unless told otherwise, and says so', () => {
    const y = readSampleData().slice(0, 800)
    const fitOf = (seasons: number[], fields = {}) => mstl.fit({ y, seasons }, specOf(fields), run)
    expect(fitOf([12])).toMatchObject({ report: { summary: expect.stringContaining('by STL') } })
    const robust = { report: { summary: expect.stringContaining('by robust STL') } }
    expect(fitOf([365])).toMatchObject(robust)
    expect(fitOf([7, 12])).toMatchObject(robust)
    expect(fitOf([12], { robust: true })).toMatchObject(robust)
    expect(fitOf([365], { robust: false })).not.toMatchObject(robust)
  })

  test('says which seasons it dropped, and what it filled', () => {
    const y = regular.map((value, t) => (t === 9 || t === 30 ? Number.NaN : value))
    const outcome = mstl.fit({ y, seasons: [4, 31] }, specOf(), run)
    if (outcome.kind === 'refused') throw new Error(outcome.reason.detail)
    expect([...outcome.value.seasons]).toEqual([4])
    expect(outcome.report.summary).toContain('not 31')
    expect(outcome.report.repairs).toContain('2 missing values filled for the decomposition only')
    expect(outcome.report).toMatchObject({ observations: 58, missing: 2 })
  })

  test('multiplies after a logarithm, and its mean is above its median', () => {
    const spec = specOf({ boxCox: 'log', member: { family: 'baseline', method: 'drift' } })
    const model = fitted({ y: airPassengers, seasons: [12] }, spec)
    const ask = { horizon: 24, quantiles }
    const { point } = doneValue(mstl.forecast(model, ask, run))
    const average = doneValue(mstl.forecast(model, { ...ask, point: 'mean' }, run)).point
    expect(point.every((value, h) => average[h]! > value)).toBe(true)
    // July is the top of every year, and by more in the second than in the first.
    expect(point[6]).toBeGreaterThan(point[5]!)
    expect(point[18]! - point[22]!).toBeGreaterThan(point[6]! - point[10]!)
    const drawn = doneValue(mstl.simulate(model, ask, 4_000, run))
    let last = 0
    for (let path = 0; path < 4_000; path++) last += drawn[path * 24 + 23]! / 4_000
    expect(Math.abs(last / average[23]! - 1)).toBeLessThan(0.02)
  })

  test('after a logarithm has parts that add up for fits and forecasts, mean or median', () => {
    const spec = specOf({ boxCox: 'log' })
    const model = fitted({ y: airPassengers, seasons: [12] }, spec)
    for (const point of ['mean', 'median'] as const) {
      const ask = { horizon: 30, quantiles, point }
      const { total, parts } = doneValue(mstl.explain(model, { ask }))
      const forecast = doneValue(mstl.forecast(model, ask, run)).point
      total.forEach((value, h) => {
        expect(Math.abs(value / forecast[h]! - 1)).toBeLessThan(1e-12)
        expect(Math.abs(parts.level![h]! + parts.season12![h]! - value)).toBeLessThan(1e-9)
      })
    }
    const past = doneValue(explainModel(model, { series: { y: airPassengers } }))
    expect(Object.keys(past.parts)).toEqual(['level', 'season12'])
    expect(
      past.total.subarray(1).every((value, t) => {
        return Math.abs(past.parts.level![t + 1]! + past.parts.season12![t + 1]! - value) < 1e-9
      }),
    ).toBe(true)
  })

  test('refuses a member whose regressors nobody could send', () => {
    const member = { family: 'arima', p: 1, regressors: ['price'] }
    const reason = refusalOf(mstl.parse({ family: 'mstl', member }))
    expect(reason).toMatchObject({ code: 'no-regressors', field: '/member/regressors' })
  })

  test('refuses a logarithm of zero, in a fit and in an update', () => {
    const spec = specOf({ boxCox: 'log' })
    const zero = { y: Float64Array.of(1, 2, 0, 3), seasons: [] }
    expect(refusalOf(mstl.fit(zero, spec, run))).toMatchObject({
      code: 'not-positive',
      field: '/y/2',
    })
    const model = fitted({ y: airPassengers, seasons: [12] }, spec)
    expect(refusalOf(mstl.update(model, { y: Float64Array.of(-1) })).code).toBe('not-positive')
  })

  test('takes an update far below zero with the member that it has by default', () => {
    const spec = doneValue(parseSpec({ family: 'mstl' }))
    const model = doneValue(fitModel({ y: regular, seasons: [4] }, spec, run))
    const updated = doneValue(updateModel(model, { y: Float64Array.of(-1e5, 0, 3) }))
    const { point } = doneValue(forecastModel(updated, { horizon: 3, quantiles }, run))
    expect(point.every(Number.isFinite)).toBe(true)
  })

  test.each([
    ['a member of itself', { member: { family: 'mstl' } }, '/member/family'],
    ['a member with a fault', { member: { ...naive, window: -1 } }, '/member/window'],
    ['a member that is a word', { member: 'ets' }, '/member'],
    ['seasons that descend', { seasons: [12, 4] }, '/seasons'],
    ['a season of one', { seasons: [1] }, '/seasons/0'],
    ['another transform', { boxCox: 'root' }, '/boxCox'],
  ])('refuses %s', (_, fields, field) => {
    expect(refusalOf(mstl.parse({ family: 'mstl', member: naive, ...fields })).field).toBe(field)
  })

  test('keeps ten years of days with a week and a year in a few kilobytes', () => {
    const spec = doneValue(parseSpec({ family: 'mstl' }))
    const model = doneValue(fitModel({ y: readSampleData(), seasons: [7, 365] }, spec, run))
    expect(encodeModel(model).length).toBeLessThan(10_000)
    expect(modelSizeBytes(model)).toBeLessThan(20_000)
  })

  test('moves on from the patterns, which an update leaves as they are', () => {
    const model = fitted({ y: regular, seasons: [4] }, specOf())
    const updated = doneValue(mstl.update(model, { y: Float64Array.of(90, 91, 92) }))
    expect(updated.patterns).toEqual(model.patterns)
    expect([...updated.phases]).toEqual([3])
    const { point } = doneValue(mstl.forecast(updated, { horizon: 1, quantiles }, run))
    expect(point[0]).toBeCloseTo(92 - 4 - 6, 6)
  })
})

describe('its bounds', () => {
  test('hold as often as they say on patterns of few cycles', () => {
    const random = makeRandom(31)
    let inside = 0
    let count = 0
    let plain = 0
    for (let trial = 0; trial < 150; trial++) {
      const year = Float64Array.from({ length: 12 }, () => 5 * random.normal())
      const all = Float64Array.from({ length: 60 }, (_, t) => year[t % 12]! + random.normal())
      const model = fitted({ y: all.slice(0, 48), seasons: [12] }, specOf({ member: mean }))
      const forecast = doneValue(mstl.forecast(model, { horizon: 12, quantiles }, run))
      const unwidened = { ...model, leverage: 0 }
      const narrow = doneValue(mstl.forecast(unwidened, { horizon: 12, quantiles }, run))
      for (let h = 0; h < 12; h++) {
        const value = all[48 + h]!
        count++
        if (value > forecast.quantiles[2 * h]! && value < forecast.quantiles[2 * h + 1]!) inside++
        if (value > narrow.quantiles[2 * h]! && value < narrow.quantiles[2 * h + 1]!) plain++
      }
    }
    expect(inside / count).toBeGreaterThan(0.77)
    expect(inside / count).toBeLessThan(0.84)
    expect(plain / count).toBeLessThan(0.72)
  })

  test('are those of simulated paths', () => {
    const model = fitted({ y: airPassengers, seasons: [12] }, specOf())
    expectLikePaths(model)
  })
})

function expectLikePaths(model: AnyModel): void {
  const ask = { horizon: 15, quantiles }
  const forecast = doneValue(forecastModel(model, ask, run))
  const paths = 4_000
  const drawn = doneValue(simulateModel(model, ask, paths, run))
  for (const h of [0, 5, 14]) {
    const values = Float64Array.from({ length: paths }, (_, path) => drawn[path * 15 + h]!).sort()
    const width = forecast.quantiles[2 * h + 1]! - forecast.quantiles[2 * h]!
    expect(Math.abs(values[paths / 10]! - forecast.quantiles[2 * h]!) / width).toBeLessThan(0.04)
    expect(
      Math.abs(values[(9 * paths) / 10]! - forecast.quantiles[2 * h + 1]!) / width,
    ).toBeLessThan(0.04)
  }
}
