import { describe, expect, test } from 'vitest'
import { fitAdditive } from '../../src/additive/fit.ts'
import { forecastAdditive } from '../../src/additive/forecast.ts'
import { type AdditiveSpec, parseAdditiveSpec } from '../../src/additive/spec.ts'
import type { Ask, Series } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { readSampleData } from '../sample-data.ts'
import { dense, type Plain, plainOf, type Settings } from './dense.ts'
import { multipliedTemperatures, promoted, saturated, temperatures } from './references.ts'
import { daily, fairs, promotedDays, saturating } from './series.ts'

const run = { seed: 1, workMax: 1e12 }
const specOf = (fields: object) => doneValue(parseAdditiveSpec({ family: 'additive', ...fields }))
const dateAt = (t: number) => new Date(daily.start + t * 86_400_000).toISOString().slice(0, 10)

const years: Series = {
  y: readSampleData(),
  calendar: { start: Date.UTC(1981, 0, 1), step: { kind: 'calendar', unit: 'day', count: 1 } },
}
const promotedSeries: Series = promotedDays()
const dates = [...fairs, '2023-02-06']
const price = Float64Array.from({ length: 20 }, (_, h) => (h % 2 === 0 ? 19 : 21))
const promotion = Float64Array.from({ length: 20 }, (_, h) => (h % 4 === 1 ? 1 : 0))

/** Columns of two holidays' days and two regressors over the series and its forecast. */
function promotedColumns(): number[][] {
  const { price: told, promotion: told2 } = promotedSeries.x as Record<string, Float64Array>
  const all = Array.from({ length: 720 }, (_, t) => t)
  const mean = told!.reduce((sum, value) => sum + value, 0) / 700
  const squares = told!.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const prices = [...told!, ...price].map((value) => (value - mean) / Math.sqrt(squares / 699))
  const isFair = (t: number) => (dates.includes(dateAt(t)) ? 1 : 0)
  return [all.map(isFair), all.map((t) => isFair(t - 1)), prices, [...told2!, ...promotion]]
}

type Case = {
  readonly name: string
  readonly series: Series
  readonly spec: AdditiveSpec
  readonly settings: Settings
  readonly prophet: Plain & { readonly forecast: readonly number[] }
  readonly future?: NonNullable<Ask['future']>
  /**
   * How far forecasts may differ, as a share of the largest value; Prophet's optimiser stops early.
   */
  readonly within: number
}

const cases: readonly Case[] = [
  {
    name: 'ten years of days',
    series: years,
    spec: specOf({}),
    settings: { yearly: 10, weekly: 3 },
    prophet: temperatures,
    within: 3e-4,
  },
  {
    name: 'multiplicative seasons',
    series: years,
    spec: specOf({ seasonMode: 'multiplicative' }),
    settings: { yearly: 10, weekly: 3, multiplicative: true },
    prophet: multipliedTemperatures,
    within: 3e-3,
  },
  {
    name: 'a holiday with a window and regressors',
    series: promotedSeries,
    spec: specOf({ holidays: [{ name: 'fair', dates, upperWindow: 1 }], yearly: 0 }),
    settings: { yearly: 0, weekly: 3, more: promotedColumns() },
    prophet: promoted,
    future: { price, promotion },
    within: 2e-3,
  },
  {
    name: 'logistic growth with gaps',
    series: { y: saturating(), calendar: daily },
    spec: specOf({ growth: 'logistic', capacity: 130, floor: 10 }),
    settings: { yearly: 0, weekly: 3, capacity: 130, floor: 10 },
    prophet: saturated,
    within: 5e-3,
  },
]

describe.each(cases)('$name', ({ series, spec, settings, prophet, future, within }) => {
  const { y } = series
  const outcome = fitAdditive(series, spec, run)
  const model = doneValue(outcome)
  const ours = dense(series, settings, plainOf(model))
  const horizon = prophet.forecast.length
  const largest = Math.max(...prophet.forecast.map(Math.abs))
  const ask: Ask = { horizon, quantiles: new Float64Array(0), ...(future && { future }) }
  const pointOf = (of: typeof model) => doneValue(forecastAdditive(of, ask, run)).point

  test('has no lower posterior density than where Prophet stopped', () => {
    const theirs = dense(series, settings, prophet).density
    expect(ours.density).toBeGreaterThan(theirs)
    // It is the same posterior: the two ends of the search are close to each other.
    expect(ours.density - theirs).toBeLessThan(0.005 * Math.abs(theirs))
    if (outcome.kind === 'refused') return
    expect(outcome.report.converged).toBe('yes')
    expect(outcome.report.logPosterior).toBeCloseTo(ours.density, 5)
  })

  test('is a mode: no parameter can be moved to a higher density', () => {
    const at = plainOf(model)
    const random = makeRandom(7)
    for (const size of [1e-2, 1e-3, 1e-4]) {
      for (let i = 0; i < 12; i++) {
        const share = i % 3 === 0 ? 0.3 : 0.03
        const move = (value: number) =>
          value + size * random.normal() * (random.uniform() < share ? 1 : 0)
        const moved = {
          ...{ ...at, k: move(at.k), m: move(at.m), sigma: at.sigma * Math.exp(move(0)) },
          ...{ deltas: at.deltas.map(move), betas: at.betas.map(move) },
        }
        const { density } = dense(series, settings, moved)
        expect(density).toBeLessThan(ours.density + 1e-6 * Math.abs(ours.density))
      }
    }
  })

  test('has no slope of its density in the noise, nor from rate to offset', () => {
    const at = plainOf(model)
    const slope = (move: (by: number) => Partial<Plain>) => {
      const [up, down] = [1e-4, -1e-4].map(
        (by) => dense(series, settings, { ...at, ...move(by) }).density,
      )
      return Math.abs(up! - down!) / 2e-4
    }
    expect(slope((by) => ({ sigma: at.sigma * (1 + by) }))).toBeLessThan(1e-4 * years.y.length)
    if (settings.capacity === undefined) return
    expect(slope((by) => ({ k: at.k * (1 + by), m: at.m / (1 + by) }))).toBeLessThan(0.02)
  })

  test('puts changepoints where Prophet does, and at its parameters forecasts what it does', () => {
    expect([...model.trend.changepoints].length).toBe(prophet.changepoints.length)
    for (const [j, time] of prophet.changepoints.entries()) {
      expect(model.trend.changepoints[j]).toBeCloseTo(time, 10)
    }
    const { k, m, sigma, deltas, betas } = prophet
    const trend = { ...model.trend, k, m, deltas: Float64Array.from(deltas) }
    const theirs = { ...model, trend, sigma, betas: Float64Array.from(betas) }
    for (const [h, value] of pointOf(theirs).entries()) {
      expect(Math.abs(value - prophet.forecast[h]!)).toBeLessThan(1e-9 * largest)
      expect(Math.abs(ours.valueAt(y.length + h) - pointOf(model)[h]!)).toBeLessThan(1e-9 * largest)
    }
  })

  test('forecasts close to Prophet, whose optimiser stops early', () => {
    const point = pointOf(model)
    const apart = point.map((value, h) => Math.abs(value - prophet.forecast[h]!) / largest)
    expect(Math.max(...apart)).toBeLessThan(within)
  })
})

test('a logistic trend that hardly grows has its mode where the prior of its offset puts it', () => {
  const random = makeRandom(12)
  const y = Float64Array.from({ length: 300 }, (_, t) => 40 + 0.01 * t + random.normal())
  const series = { y, calendar: daily }
  const spec = specOf({ growth: 'logistic', capacity: 130, yearly: 0, weekly: 0 })
  const at = plainOf(doneValue(fitAdditive(series, spec, run)))
  const settings = { yearly: 0, weekly: 0, capacity: 130 }
  const densityAt = (by: number) =>
    dense(series, settings, { ...at, k: at.k * (1 + by), m: at.m / (1 + by) }).density
  // The curvature tells how far from the mode a slope is.
  const [up, here, down] = [densityAt(1e-3), densityAt(0), densityAt(-1e-3)]
  const slope = (up - down) / 2e-3
  const curvature = (2 * here - up - down) / 1e-6
  expect((slope * slope) / (2 * curvature)).toBeLessThan(5e-3)
})

test('the rolling forecast of the temperatures is as good as that of Prophet', () => {
  const origins = Array.from({ length: 24 }, (_, i) => 3_620 - 30 * i)
  let sum = 0
  for (const origin of origins) {
    const model = doneValue(fitAdditive({ ...years, y: years.y.slice(0, origin) }, specOf({}), run))
    const ask = { horizon: 30, quantiles: new Float64Array(0) }
    const { point } = doneValue(forecastAdditive(model, ask, run))
    for (const [h, value] of point.entries()) sum += Math.abs(value - years.y[origin + h]!)
  }
  // Prophet 1.5 with its defaults at the same origins: 2.0209.
  expect(sum / (24 * 30)).toBeLessThan(2.0209 * 1.005)
})
