import { describe, expect, test } from 'vitest'
import { arima } from '../../src/arima/family.ts'
import {
  type Ask,
  encodeModel,
  explainModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
  type Series,
  simulateModel,
} from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { randomSeasonalArma, simulate } from './dense.ts'
import { specOf } from './models.ts'

const run = { seed: 3, workMax: 1e9 }
const quantiles = levelQuantiles([80])
const random = makeRandom(12)
const length = 150
const horizon = 20
const noise = simulate(random, randomSeasonalArma(makeRandom(5), 0.8), length + horizon)
const price = noise.map(() => random.normal())
const promotion = noise.map((_, t) => (t % 11 === 4 ? 1 : 0))
const level = noise.map((value, t) => 50 + value + t / 10)
const whole = level.map((value, t) => value - 4 * price[t]! + 25 * promotion[t]!)
const spec = specOf({ p: 1, d: 1, q: 1, Q: 1, seasonLength: 7, regressors: ['price', 'promotion'] })

const between = (from: number, to: number): Series => ({
  y: whole.slice(from, to),
  x: { price: price.slice(from, to), promotion: promotion.slice(from, to) },
})
const series = between(0, length)
const future = between(length, length + horizon).x!
const ask: Ask = { horizon, quantiles, future }
const model = doneValue(arima.fit(series, spec, run))

describe('a model with regressors', () => {
  test('finds their coefficients, and says them by name', () => {
    expect(Math.abs(model.beta[0]! + 4)).toBeLessThan(0.5)
    expect(Math.abs(model.beta[1]! - 25)).toBeLessThan(1)
    const fit = fitModel(series, spec, run)
    if (fit.kind !== 'done') throw new Error(fit.kind)
    expect(fit.report['regressor price']).toBe(model.beta[0])
    expect(fit.report['regressor promotion']).toBe(model.beta[1])
  })

  test('forecasts the rest and adds what they bring', () => {
    const forecast = doneValue(forecastModel(model, ask))
    const nothing = { price: new Float64Array(horizon), promotion: new Float64Array(horizon) }
    const without = doneValue(forecastModel(model, { ...ask, future: nothing }))
    for (let h = 0; h < horizon; h++) {
      const brought = model.beta[0]! * future.price![h]! + model.beta[1]! * future.promotion![h]!
      expect(Math.abs(forecast.point[h]! - without.point[h]! - brought)).toBeLessThan(1e-9)
    }
  })

  test('asks for the columns that are missing, in the series and in the future', () => {
    const { price: _, ...others } = series.x!
    expect(refusalOf(fitModel({ y: series.y, x: others }, spec, run))).toMatchObject({
      code: 'missing-regressor',
      field: '/x/price',
    })
    const ahead = refusalOf(forecastModel(model, { horizon, quantiles }))
    expect(ahead).toMatchObject({ code: 'missing-regressor', field: '/future/price' })
    const paths = simulateModel(model, { horizon, quantiles }, 3, run)
    expect(refusalOf(paths).code).toBe('missing-regressor')
    expect(refusalOf(arima.update(model, { y: series.y })).code).toBe('missing-regressor')
  })

  test('is updated in pieces as it is filtered whole, byte by byte, with gaps', () => {
    const gapped = {
      ...series,
      y: series.y.map((value, t) => (t % 13 === 12 ? Number.NaN : value)),
    }
    const filtered = doneValue(arima.filter(model, gapped))
    const cut = (from: number, to: number): Series => ({
      ...between(from, to),
      y: gapped.y.slice(from, to),
    })
    let pieces = doneValue(arima.filter(model, cut(0, 60)))
    for (const [from, to] of [
      [60, 61],
      [61, 103],
      [103, length],
    ] as const) {
      pieces = doneValue(arima.update(pieces, cut(from, to)))
    }
    expect(encodeModel(pieces)).toEqual(encodeModel(filtered))
  })

  test('comes back from its bytes as it was', () => {
    const read = doneValue(arima.decode(encodeModel(model)))
    expect(read).toEqual(model)
    expect(doneValue(forecastModel(read, ask))).toEqual(doneValue(forecastModel(model, ask)))
  })

  test('is explained by parts that add up, the regressors among them', () => {
    for (const what of [{ series }, { ask }]) {
      const { total, parts } = doneValue(explainModel(model, what))
      expect(Object.keys(parts)).toContain('regressors')
      for (let t = 0; t < total.length; t++) {
        const sum = Object.values(parts).reduce((all, part) => all + part[t]!, 0)
        if (!Number.isNaN(total[t]!)) expect(Math.abs(sum - total[t]!)).toBeLessThan(1e-9)
      }
    }
  })

  test('simulates paths whose mean and spread are those of the forecast', () => {
    const paths = 4_000
    const drawn = doneValue(simulateModel(model, ask, paths, run))
    const forecast = doneValue(forecastModel(model, ask))
    for (const h of [0, 6, 7, 19]) {
      const values = Float64Array.from({ length: paths }, (_, k) => drawn[k * horizon + h]!).sort()
      const width = forecast.quantiles[2 * h + 1]! - forecast.quantiles[2 * h]!
      const off = values[paths / 2]! - forecast.point[h]!
      expect(Math.abs(off) / width, `step ${h}`).toBeLessThan(0.03)
      const simulated = values[0.9 * paths]! - values[0.1 * paths]!
      expect(Math.abs(simulated / width - 1), `step ${h}`).toBeLessThan(0.06)
    }
  })

  test('that explain everything leave no error and no width', () => {
    const exact = { ...series, y: price.slice(0, length).map((value) => 3 * value) }
    const only = specOf({ p: 1, regressors: ['price'] })
    const fitted = doneValue(arima.fit(exact, only, run))
    expect(fitted.beta[0]).toBeCloseTo(3, 12)
    const { point, quantiles: bounds } = doneValue(forecastModel(fitted, ask))
    for (let h = 0; h < horizon; h++) {
      expect(point[h]).toBeCloseTo(3 * future.price![h]!, 9)
      expect(bounds[2 * h]).toBeCloseTo(point[h]!, 9)
    }
  })
})

describe('a seasonal model', () => {
  test.each([
    { p: 0, d: 1, q: 1, P: 0, D: 1, Q: 1, seasonLength: 12 },
    { p: 2, d: 2, q: 1, P: 1, D: 0, Q: 1, seasonLength: 4, constant: true },
    { p: 1, d: 0, q: 0, P: 2, D: 1, Q: 0, seasonLength: 7, constant: true },
  ])('%j is finite 500 steps ahead, and wider than at once', (fields) => {
    const fitted = doneValue(arima.fit({ y: series.y }, specOf(fields), run))
    const far = doneValue(forecastModel(fitted, { horizon: 500, quantiles }))
    expect(far.point.every(Number.isFinite)).toBe(true)
    const width = (h: number) => far.quantiles[2 * h + 1]! - far.quantiles[2 * h]!
    for (let h = 0; h < 500; h++) expect(Number.isFinite(width(h)) && width(h) > 0).toBe(true)
    expect(width(499)).toBeGreaterThan(width(0))
  })

  test('takes the season of the series unless its spec has one, and refuses to do without', () => {
    const given = { p: 1, Q: 1 }
    const parsed = doneValue(parseSpec({ family: 'arima', ...given }))
    const fit = (seasons: number[]) => arima.fit({ y: series.y, seasons }, specOf(given), run)
    expect(parsed).toMatchObject({ p: 1, d: 0, q: 0, differenceLag: 0, seasonLength: null })
    expect(doneValue(fit([5, 30])).orders.seasonLength).toBe(5)
    expect(refusalOf(fit([])).code).toBe('no-season')
  })

  test.each([
    [{ Q: -1 }, 'out-of-range', '/Q'],
    [{ P: 9 }, 'out-of-range', '/P'],
    [{ D: '1' }, 'wrong-type', '/D'],
    [{ seasonLength: 0 }, 'out-of-range', '/seasonLength'],
    [{ regressors: 'price' }, 'wrong-type', '/regressors'],
    [{ regressors: ['a', 'a'] }, 'out-of-range', '/regressors'],
    [{ regressors: [''] }, 'out-of-range', '/regressors/0'],
  ])('of %j is refused: %s at %s', (fields, code, field) => {
    expect(refusalOf(parseSpec({ family: 'arima', ...fields }))).toMatchObject({ code, field })
  })

  test('of terms beyond what can be filtered is refused before it is fitted', () => {
    const long = specOf({ P: 2, seasonLength: 300 })
    expect(arima.check({ y: new Float64Array(5_000) }, long)).toMatchObject({
      code: 'out-of-range',
      field: '/P',
    })
  })
})
