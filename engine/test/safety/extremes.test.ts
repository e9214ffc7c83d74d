import { describe, expect, test } from 'vitest'
import { fitModel, forecastModel, parseSpec, type Series } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { cases } from '../family/cases.ts'
import { walk } from '../family/series.ts'

const run = { seed: 5, workMax: 1e9 }

describe('quantiles at the ends of the distribution', () => {
  const quantiles = Float64Array.of(1e-12, 0.0001, 0.5, 0.9999, 1 - 1e-12)
  for (const [family, examples] of cases) {
    test(`of ${family} are finite and ascend, however far ahead`, () => {
      for (const { spec: given, series } of examples) {
        const spec = doneValue(parseSpec({ family, ...given }))
        const model = doneValue(fitModel(series, spec, run))
        const ask = { horizon: 100, quantiles, ...futureOf(series, 100) }
        const { quantiles: rows } = doneValue(forecastModel(model, ask, run))
        expect(rows.every(Number.isFinite)).toBe(true)
        for (let at = 0; at < rows.length; at++) {
          if (at % quantiles.length > 0) expect(rows[at]).toBeGreaterThanOrEqual(rows[at - 1]!)
        }
      }
    })
  }
})

describe('a forecast of a transformed series', () => {
  const near = walk(80, 9, 0).map((value) => Math.abs(value) / 10)
  const withZeros = near.map((value, t) => (t % 11 === 0 ? 0 : value))
  const falling = Float64Array.from({ length: 60 }, (_, t) => Math.exp(-0.4 * t))
  const rising = Float64Array.from({ length: 60 }, (_, t) => Math.exp(5 * t))
  const model = (y: Float64Array, orders: object, boxCox: number) =>
    fitModel({ y, seasons: [] }, doneValue(parseSpec({ family: 'arima', boxCox, ...orders })), run)

  test.each<[string, Float64Array, object, number]>([
    ['zeros under a root', withZeros, { p: 1, constant: true }, 0.5],
    ['zeros that a walk carries below zero', withZeros, { d: 1 }, 0.3],
    ['values that vanish', falling, { d: 1, constant: true }, 0],
    ['growth beyond all numbers', rising, { d: 1, constant: true }, 0],
    ['growth beyond the pole of a negative λ', rising.map(Math.log1p), { d: 2 }, -0.5],
    ['nothing but ones', new Float64Array(40).fill(1), { d: 1 }, 0.5],
  ])('is finite, never below zero, and in order for %s', (_name, y, orders, lambda) => {
    const fitted = doneValue(model(y, orders, lambda))
    const quantiles = Float64Array.of(0.0001, 0.025, 0.5, 0.975, 0.9999)
    for (const point of ['median', 'mean'] as const) {
      const forecast = doneValue(forecastModel(fitted, { horizon: 500, quantiles, point }, run))
      for (const value of [...forecast.point, ...forecast.quantiles]) {
        expect(value >= 0 && Number.isFinite(value)).toBe(true)
      }
      for (let h = 0; h < 500; h++) {
        const row = forecast.quantiles.subarray(5 * h, 5 * h + 5)
        expect([...row].sort((a, b) => a - b)).toEqual([...row])
        if (point === 'median') expect(forecast.point[h]).toBeCloseTo(row[2]!, 9)
      }
    }
  })

  test('has a mean above the median where the transform is concave, as drawn paths have', () => {
    const fitted = doneValue(
      model(
        near.map((value) => value + 2),
        { p: 1, constant: true },
        0,
      ),
    )
    const ask = { horizon: 6, quantiles: new Float64Array(0) }
    const median = doneValue(forecastModel(fitted, { ...ask, point: 'median' }, run)).point
    const mean = doneValue(forecastModel(fitted, { ...ask, point: 'mean' }, run)).point
    for (const [h, value] of mean.entries()) expect(value).toBeGreaterThan(median[h]!)
  })

  test.each([
    ['a negative value', Float64Array.of(3, 4, -1, 5, 6, 7), 0.5],
    ['a zero under a logarithm', Float64Array.of(3, 4, 0, 5, 6, 7), 0],
    ['a zero under a negative λ', Float64Array.of(3, 4, 0, 5, 6, 7), -1],
  ])('is refused by its place for %s', (_name, y, lambda) => {
    expect(model(y, { d: 1 }, lambda)).toMatchObject({
      kind: 'refused',
      reason: { code: 'not-positive', field: '/y/2' },
    })
  })
})

function futureOf({ x }: Series, horizon: number) {
  if (x === undefined) return {}
  const cycled = Object.entries(x).map(([name, column]) => [
    name,
    Float64Array.from({ length: horizon }, (_, t) => column[t % column.length]!),
  ])
  return { future: Object.fromEntries(cycled) as Record<string, Float64Array> }
}
