import { describe, expect, test } from 'vitest'
import {
  type AnyModel,
  decodeModel,
  encodeModel,
  explainModel,
  filterModel,
  fitModel,
  forecastModel,
  parseSpec,
  type Run,
  type Series,
  simulateModel,
  updateModel,
} from '../../../src/index.ts'
import { doneValue, refusalOf } from '../../expect-done.ts'
import { makeRandom } from '../../random.ts'
import { referenceSeries } from '../references.ts'

const run: Run = { seed: 11, workMax: 50_000_000 }
const passengers: Series = {
  y: Float64Array.from(referenceSeries.AirPassengers!),
  seasons: [12],
}
const airline = { p: 0, d: 1, q: 1, P: 0, D: 1, Q: 1 }

function fitOf(series: Series, fields: Record<string, unknown>): AnyModel {
  const outcome = fitModel(series, doneValue(parseSpec({ family: 'arima', ...fields })), run)
  expect(outcome.kind).toBe('done')
  return doneValue(outcome)
}

const forecastOf = (model: AnyModel, horizon: number, point: 'median' | 'mean' = 'median') =>
  doneValue(forecastModel(model, { horizon, point, quantiles: Float64Array.of(0.1, 0.5, 0.9) }))

describe('specs of the design, each with its promises', () => {
  const specs: [string, Record<string, unknown>, number][] = [
    ['a logarithm', { ...airline, boxCox: 0 }, 0],
    ['a root', { ...airline, boxCox: 0.5 }, 3],
    ['a λ that is chosen', { ...airline, boxCox: 'auto' }, 0],
    ['a negative λ', { ...airline, boxCox: -0.3 }, 0],
    ['Fourier terms', { p: 1, constant: true, fourier: [{ period: 12, pairs: 6 }] }, 2],
    [
      'Fourier terms and a root',
      { q: 1, d: 1, boxCox: 0.5, fourier: [{ period: 12, pairs: 2 }] },
      2,
    ],
    ['orders that are chosen', { select: true, boxCox: 0 }, 4],
    ['orders beside Fourier terms', { select: true, fourier: [{ period: 12.5, pairs: 3 }] }, 1],
  ]
  for (const [name, fields, gaps] of specs) {
    const y = passengers.y.slice()
    for (let k = 0; k < gaps; k++) y[30 + 17 * k] = Number.NaN
    const series = { ...passengers, y }

    test(`${name}: parts add up to fit and forecast`, () => {
      const model = fitOf(series, fields)
      const ask = { horizon: 30, quantiles: new Float64Array(0) }
      const whole = [
        doneValue(explainModel(model, { series })),
        doneValue(explainModel(model, { ask })),
      ]
      for (const { total, parts } of whole) {
        total.forEach((value, t) => {
          const sum = Object.values(parts).reduce((before, part) => before + part[t]!, 0)
          if (Number.isNaN(value)) expect(sum).toBeNaN()
          else expect(Math.abs(sum - value)).toBeLessThan(1e-9 * Math.abs(value))
        })
        expect('fourier' in parts).toBe('fourier' in fields)
        expect('transform' in parts).toBe('boxCox' in fields)
      }
      expect(whole[1]!.total).toEqual(forecastOf(model, 30).point)
      expect(whole[0]!.total.filter(Number.isFinite).length).toBeGreaterThan(90)
    })

    test(`${name}: an update is a filter of the whole, and bytes bring the model back`, () => {
      const model = fitOf({ ...series, y: y.slice(0, 130) }, fields)
      const updated = doneValue(updateModel(model, { ...series, y: y.slice(130) }))
      const filtered = doneValue(filterModel(model, series))
      expect(encodeModel(updated)).toEqual(encodeModel(filtered))
      const back = doneValue(decodeModel(encodeModel(updated)))
      expect(forecastOf(back, 20)).toEqual(forecastOf(updated, 20))
    })

    test(`${name}: a short forecast begins a long one, quantiles ascend, the median is one`, () => {
      const model = fitOf(series, fields)
      const long = forecastOf(model, 60)
      const short = forecastOf(model, 7)
      expect(short.point).toEqual(long.point.slice(0, 7))
      expect(short.quantiles).toEqual(long.quantiles.slice(0, 21))
      for (let h = 0; h < 60; h++) {
        const [low, middle, high] = long.quantiles.slice(3 * h, 3 * h + 3)
        expect(low!).toBeLessThan(middle!)
        expect(middle!).toBeLessThan(high!)
        expect(middle!).toBeCloseTo(long.point[h]!, 6)
      }
    })
  }
})

test('a transform is as if the series had been transformed before', () => {
  const logs = { ...passengers, y: passengers.y.map(Math.log) }
  const plain = forecastOf(fitOf(logs, airline), 24)
  const model = fitOf(passengers, { ...airline, boxCox: 0 })
  const back = forecastOf(model, 24)
  const mean = forecastOf(model, 24, 'mean')
  for (let h = 0; h < 24; h++) {
    expect(back.point[h]!).toBeCloseTo(Math.exp(plain.point[h]!), 9)
    expect(mean.point[h]!).toBeGreaterThan(back.point[h]!)
  }
  // R 4.2 forecast 8.20: Arima(AP, c(0,1,1), c(0,1,1), lambda = 0, biasadj = TRUE), whose mean is
  // of second order in the variance.
  expect(mean.point[0]! / 450.731179251286).toBeCloseTo(1, 4)
  expect(mean.point[11]! / 478.857672320405).toBeCloseTo(1, 4)
})

test('the mean of the forecast is that of simulated paths', () => {
  const model = fitOf(passengers, { ...airline, boxCox: 0.3 })
  const horizon = 12
  const paths = 20_000
  const ask = { horizon, quantiles: new Float64Array(0) }
  const values = doneValue(simulateModel(model, ask, paths, run))
  const mean = forecastOf(model, horizon, 'mean').point
  for (let h = 0; h < horizon; h++) {
    let sum = 0
    for (let path = 0; path < paths; path++) sum += values[path * horizon + h]!
    expect(sum / paths / mean[h]!).toBeCloseTo(1, 2)
  }
})

test('Fourier terms find the season that made the series', () => {
  const random = makeRandom(3)
  const y = Float64Array.from(
    { length: 400 },
    (_, t) => 50 + 10 * Math.sin((2 * Math.PI * t) / 52.18) + 0.5 * random.normal(),
  )
  const model = fitOf({ y }, { constant: true, fourier: [{ period: 52.18, pairs: 2 }] })
  const { point } = forecastOf(model, 60)
  for (let h = 0; h < 60; h++) {
    expect(
      Math.abs(point[h]! - 50 - 10 * Math.sin((2 * Math.PI * (400 + h)) / 52.18)),
    ).toBeLessThan(0.4)
  }
})

test('a regressor that the caller brings stands beside Fourier terms, and has to be brought', () => {
  const y = passengers.y
  const promotion = Float64Array.from(y, (_, t) => (t % 7 === 3 ? 1 : 0))
  const series = { ...passengers, y: y.map((v, t) => v + 30 * promotion[t]!), x: { promotion } }
  const fields = { d: 1, q: 1, regressors: ['promotion'], fourier: [{ period: 12, pairs: 4 }] }
  const model = fitOf(series, fields)
  const ask = { horizon: 5, quantiles: new Float64Array(0) }
  expect(refusalOf(forecastModel(model, ask)).field).toBe('/future/promotion')
  const future = { promotion: Float64Array.of(0, 1, 0, 0, 0) }
  const { parts } = doneValue(explainModel(model, { ask: { ...ask, future } }))
  expect(parts.regressors![1]!).toBeGreaterThan(20)
  expect([0, 2, 3, 4].map((h) => Math.abs(parts.regressors![h]!) < 1e-9)).toEqual(
    new Array(4).fill(true),
  )
})

test('values without a transform are refused by their place; `auto` then takes none', () => {
  const y = passengers.y.slice()
  y[5] = 0
  y[9] = -3
  const series = { ...passengers, y }
  const specOf = (boxCox: unknown) => doneValue(parseSpec({ family: 'arima', ...airline, boxCox }))
  expect(refusalOf(fitModel(series, specOf(0), run))).toMatchObject({
    code: 'not-positive',
    field: '/y/5',
  })
  expect(refusalOf(fitModel(series, specOf(0.5), run)).field).toBe('/y/9')
  const model = fitOf(series, { ...airline, boxCox: 'auto' })
  expect(model.spec).toMatchObject({ boxCox: null })
  const later = fitOf(passengers, { ...airline, boxCox: 0 })
  const newer = { y: Float64Array.of(400, -1) }
  expect(refusalOf(updateModel(later, newer)).field).toBe('/y/1')
})

test('far forecasts of a negative λ end at the ceiling with a note, not in a refusal', () => {
  const model = fitOf(passengers, { d: 2, q: 1, boxCox: -1 })
  const { point, quantiles, notes } = forecastOf(model, 3_000)
  expect([...point, ...quantiles].every(Number.isFinite)).toBe(true)
  expect(notes.map(({ code }) => code)).toEqual(['overflow'])
})

test('a spec that contradicts itself is refused by its field', () => {
  const many = Array.from({ length: 90 }, (_, i) => `column ${i}`)
  const cases: [Record<string, unknown>, string][] = [
    [{ select: true, p: 2 }, '/p'],
    [{ select: true, constant: true }, '/constant'],
    [{ boxCox: 3 }, '/boxCox'],
    [{ boxCox: 'log' }, '/boxCox'],
    [{ fourier: [{ period: 12, pairs: 7 }] }, '/fourier/0'],
    [{ fourier: [{ period: 1, pairs: 1 }] }, '/fourier/0'],
    [{ fourier: [{ period: 12, pairs: 1, phase: 0 }] }, '/fourier/0'],
    [
      {
        fourier: [
          { period: 12, pairs: 1 },
          { period: 12, pairs: 2 },
        ],
      },
      '/fourier',
    ],
    [{ fourier: [{ period: 365, pairs: 60 }] }, '/fourier'],
    [{ regressors: many, fourier: [{ period: 12, pairs: 6 }] }, '/fourier'],
  ]
  for (const [fields, field] of cases) {
    expect(refusalOf(parseSpec({ family: 'arima', ...fields })).field).toBe(field)
  }
})

test('a choice reports its candidates, and its model names the orders that were chosen', () => {
  const spec = doneValue(parseSpec({ family: 'arima', select: true, boxCox: 'auto' }))
  const outcome = fitModel(passengers, spec, run)
  if (outcome.kind !== 'done') throw new Error(outcome.kind)
  const { report, value } = outcome
  expect(report.summary).toContain('ARIMA(0,1,1)(0,1,1)[12]')
  expect(report.candidates![0]!.aicc).toBeCloseTo(report.aicc as number, 6)
  expect(value.spec).toMatchObject({ select: false, p: 0, d: 1, q: 1, P: 0, D: 1, Q: 1 })
  const again = fitModel(passengers, value.spec, run)
  if (again.kind !== 'done') throw new Error(again.kind)
  expect(again.report.logLikelihood).toBeCloseTo(report.logLikelihood as number, 6)
})

test('a choice that is stopped is a model all the same', () => {
  const spec = doneValue(parseSpec({ family: 'arima', select: true }))
  for (const workMax of [0, 5_000, 40_000]) {
    const outcome = fitModel(passengers, spec, { seed: 1, workMax })
    expect(outcome.kind).toBe('stopped')
    expect(forecastOf(doneValue(outcome), 12).point.every(Number.isFinite)).toBe(true)
  }
  let polls = 0
  const shouldStop = () => ++polls > 3
  expect(fitModel(passengers, spec, { ...run, shouldStop }).kind).toBe('stopped')
})
