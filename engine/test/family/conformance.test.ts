import { describe, expect, test } from 'vitest'
import { families } from '../../src/families.ts'
import {
  type AnyModel,
  type Ask,
  checkSeries,
  decodeModel,
  encodeModel,
  explainModel,
  filterModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  modelSizeBytes,
  parseSpec,
  prepareForecast,
  type Series,
  simulateModel,
  updateModel,
} from '../../src/index.ts'
import { uniformAt } from '../../src/numeric/random.ts'
import { doneValue } from '../expect-done.ts'
import { cases } from './cases.ts'
import { nastySeries, withGaps } from './series.ts'

const run = { seed: 11, workMax: 1e9 }
const quantiles = levelQuantiles([50, 95])

test('every family has cases here', () => {
  expect([...families.keys()].filter((name) => !cases.has(name))).toEqual([])
})

const listed = [...cases].filter(([family]) => families.has(family))

for (const [family, examples] of listed) {
  for (const { name, spec: given, series } of examples) {
    const spec = doneValue(parseSpec({ family, ...given }))
    const ask = (horizon: number): Ask => ({ horizon, quantiles, ...futureOf(series, horizon) })
    const fit = () => doneValue(fitModel(series, spec, run))

    describe(`${family}, ${name}`, () => {
      test('a parsed spec is plain JSON that parses to itself', () => {
        expect(doneValue(parseSpec(JSON.parse(JSON.stringify(spec))))).toEqual(spec)
        const stranger = parseSpec({ family, ...given, colour: 'red' })
        expect(stranger).toMatchObject({ reason: { code: 'unknown-field', field: '/colour' } })
      })

      test('the same series gives the same bytes, and is left as it was', () => {
        const before = series.y.slice()
        const bytes = encodeModel(fit())
        expect(encodeModel(fit())).toEqual(bytes)
        expect(series.y).toEqual(before)
      })

      test('a fit ends where filtering its series ends', () => {
        const model = fit()
        expect(encodeModel(doneValue(filterModel(model, series)))).toEqual(encodeModel(model))
      })

      test('an update, whole or in pieces, equals filtering all, to the byte', () => {
        const n = series.y.length
        for (const y of [series.y, withGaps(series.y, 0), withGaps(series.y, 3)]) {
          const all = { ...series, y }
          const cut = Math.floor(0.8 * n)
          const first = slice(all, 0, cut)
          const fitted = fitModel(first, spec, run)
          if (fitted.kind === 'refused') continue
          const model = fitted.value
          const whole = doneValue(updateModel(model, slice(all, cut, n)))
          const middle = Math.floor(0.9 * n)
          const pieces = [
            slice(all, cut, cut + 1),
            slice(all, cut + 1, middle),
            slice(all, middle, n),
          ]
          const stepwise = pieces.reduce<AnyModel>(
            (made, piece) => doneValue(updateModel(made, piece)),
            model,
          )
          const expected = encodeModel(doneValue(filterModel(model, all)))
          expect(encodeModel(whole)).toEqual(expected)
          expect(encodeModel(stepwise)).toEqual(expected)
          expect(encodeModel(doneValue(updateModel(model, slice(all, cut, cut))))).toEqual(
            encodeModel(model),
          )
        }
      })

      test('a short forecast is exactly the beginning of a long one', () => {
        const model = fit()
        const long = doneValue(forecastModel(model, ask(40), run))
        for (const horizon of [1, 7, 13]) {
          const short = doneValue(forecastModel(model, ask(horizon), run))
          expect(short.point).toEqual(long.point.slice(0, horizon))
          expect(short.quantiles).toEqual(long.quantiles.slice(0, horizon * quantiles.length))
        }
      })

      test('a prepared forecast is the forecast, whatever the quantiles and however often', () => {
        const model = fit()
        const { horizon, quantiles: _, ...future } = ask(40)
        for (const more of [{}, { point: 'mean' as const }, { bounds: { lower: 1, upper: 9 } }]) {
          const plan = { horizon, ...future, ...more }
          const prepared = prepareForecast(model, plan, run)
          // Begun or not, it says the same.
          if (!('bounds' in more)) for (const _ of prepared.begin?.() ?? []);
          for (const levels of [[80], [], [50.5, 95, 99.9], [80]]) {
            const wanted = levelQuantiles(levels)
            expect(doneValue(prepared.at(wanted))).toEqual(
              doneValue(forecastModel(model, { ...plan, quantiles: wanted }, run)),
            )
          }
          for (const shorter of [1, 7, 25]) {
            const wanted = levelQuantiles([50.5, 80])
            expect(doneValue(prepared.at(wanted, shorter))).toEqual(
              doneValue(
                forecastModel(model, { ...plan, horizon: shorter, quantiles: wanted }, run),
              ),
            )
          }
        }
      })

      test('bounds rise with the quantile, hold asked bounds, and stay finite for 500 steps', () => {
        const model = fit()
        const { point, quantiles: rows } = doneValue(forecastModel(model, ask(500), run))
        expect(point.every(Number.isFinite) && rows.every(Number.isFinite)).toBe(true)
        for (let at = 0; at < rows.length; at++) {
          if (at % quantiles.length > 0) expect(rows[at]).toBeGreaterThanOrEqual(rows[at - 1]!)
        }
        const bounds = { lower: point[3]! - 0.01, upper: point[3]! + 0.01 }
        const held = doneValue(forecastModel(model, { ...ask(20), bounds }, run))
        for (const value of [...held.point, ...held.quantiles]) {
          expect(value >= bounds.lower && value <= bounds.upper).toBe(true)
        }
      })

      test('a simulated path begins the same, however long and however many', () => {
        const model = fit()
        const few = doneValue(simulateModel(model, ask(5), 3, run))
        const many = doneValue(simulateModel(model, ask(12), 6, run))
        for (let path = 0; path < 3; path++) {
          const short = few.slice(path * 5, path * 5 + 5)
          expect(short).toEqual(many.slice(path * 12, path * 12 + 5))
          expect(short.every(Number.isFinite)).toBe(true)
        }
        const other = doneValue(simulateModel(model, ask(12), 6, { ...run, seed: 12 }))
        expect(other).not.toEqual(many)
      })

      test('bytes give the same model back; a flipped bit, or other bytes, are refused', () => {
        const model = fit()
        const bytes = encodeModel(model)
        expect(bytes.length).toBeLessThan(100_000)
        expect(modelSizeBytes(model)).toBeGreaterThan(0)
        const read = doneValue(decodeModel(bytes))
        expect(encodeModel(read)).toEqual(bytes)
        expect(forecastModel(read, ask(10), run)).toEqual(forecastModel(model, ask(10), run))
        for (let i = 0; i < 60; i++) {
          const damaged = bytes.slice()
          damaged[Math.floor(uniformAt(1, i, 0) * bytes.length)]! ^= 1 << (i % 8)
          expect(decodeModel(damaged).kind).toBe('refused')
        }
        expect(decodeModel(bytes.subarray(0, bytes.length - 9)).kind).toBe('refused')
      })

      test('parts add up: to the point forecast, and to the one-step fits', () => {
        const model = fit()
        const forecast = doneValue(forecastModel(model, ask(24), run))
        const ahead = doneValue(explainModel(model, { ask: ask(24) }))
        expectSums(ahead.parts, ahead.total)
        expectClose(ahead.total, forecast.point)
        const past = doneValue(explainModel(model, { series }))
        expect(past.total.length).toBe(series.y.length)
        expectSums(past.parts, past.total)
        expect(past.total.subarray(series.y.length / 2).every(Number.isFinite)).toBe(true)
      })

      test('gaps anywhere give a forecast, one at the end widens its bounds no less', () => {
        for (const trailing of [0, 4]) {
          const gappy = { ...series, y: withGaps(series.y, trailing) }
          const model = fitModel(gappy, spec, run)
          if (model.kind === 'refused') continue
          const { point, quantiles: rows } = doneValue(forecastModel(model.value, ask(8), run))
          expect(point.every(Number.isFinite) && rows.every(Number.isFinite)).toBe(true)
        }
      })

      test('larger units give the same forecast in larger units', () => {
        const model = fit()
        const unit = 1024
        const scaled = { ...series, y: series.y.map((value) => value * unit) }
        const larger = doneValue(fitModel(scaled, spec, run))
        const { point } = doneValue(forecastModel(model, ask(12), run))
        const there = doneValue(forecastModel(larger, ask(12), run))
        expectClose(
          there.point.map((value) => value / unit),
          point,
          1e-4,
        )
      })

      test('a fit that is stopped at once, or may spend nothing, answers all the same', () => {
        for (const poor of [
          { ...run, shouldStop: () => true },
          { ...run, workMax: 0 },
          { ...run, workMax: 5_000 },
        ]) {
          const outcome = fitModel(series, spec, poor)
          if (outcome.kind === 'refused') continue
          const { point } = doneValue(forecastModel(outcome.value, ask(5), run))
          expect(point.every(Number.isFinite)).toBe(true)
        }
      })
    })

    test.each([...nastySeries()])(`${family}, ${name}: %s gives an answer or a reason`, (_, y) => {
      for (const seasons of [[], series.seasons ?? []]) {
        const nasty: Series = { y, seasons, ...regressorsOf(series, y.length) }
        const refusal = checkSeries(nasty, spec)
        const outcome = fitModel(nasty, spec, run)
        if (outcome.kind === 'refused') {
          expect(outcome.reason.code).toMatch(/^[a-z-]+$/)
          continue
        }
        expect(refusal).toBeUndefined()
        const bytes = encodeModel(outcome.value)
        expect(encodeModel(doneValue(decodeModel(bytes)))).toEqual(bytes)
        const forecast = forecastModel(outcome.value, ask(30), run)
        if (forecast.kind === 'refused') {
          expect(forecast.reason.code).toBe('not-finite')
          continue
        }
        const { point, quantiles: rows } = forecast.value
        expect([...point, ...rows].every(Number.isFinite)).toBe(true)
      }
    })
  }
}

function slice(series: Series, from: number, to: number): Series {
  const { y, x } = series
  return {
    ...series,
    y: y.slice(from, to),
    ...(x === undefined ? {} : { x: mapColumns(x, (column) => column.slice(from, to)) }),
  }
}

function futureOf({ x }: Series, horizon: number): Pick<Ask, 'future'> {
  if (x === undefined) return {}
  return { future: mapColumns(x, (column) => cycled(column, horizon)) }
}

function regressorsOf({ x }: Series, length: number): Pick<Series, 'x'> {
  return x === undefined ? {} : { x: mapColumns(x, (column) => cycled(column, length)) }
}

function cycled(column: Float64Array, length: number): Float64Array {
  return Float64Array.from({ length }, (_, t) => column[t % column.length]!)
}

function mapColumns(
  columns: NonNullable<Series['x']>,
  change: (column: Float64Array) => Float64Array,
): Record<string, Float64Array> {
  return Object.fromEntries(Object.entries(columns).map(([name, c]) => [name, change(c)]))
}

function expectSums(parts: Readonly<Record<string, Float64Array>>, total: Float64Array): void {
  const sums = total.map((_, t) => Object.values(parts).reduce((sum, part) => sum + part[t]!, 0))
  expectClose(sums, total)
}

/** Equal to a share of the largest value; NaN only where both have it. */
function expectClose(actual: Float64Array, expected: Float64Array, within = 1e-9): void {
  expect(actual.length).toBe(expected.length)
  const largest = expected.reduce(
    (most, v) => (Number.isNaN(v) ? most : Math.max(most, Math.abs(v))),
    0,
  )
  for (const [t, value] of expected.entries()) {
    if (Number.isNaN(value)) expect(actual[t]).toBeNaN()
    else expect(Math.abs(actual[t]! - value)).toBeLessThanOrEqual(within * (1 + largest))
  }
}
