import { describe, expect, test } from 'vitest'
import type { AdditiveModel } from '../../src/additive/model.ts'
import type { AdditiveSpec } from '../../src/additive/spec.ts'
import {
  type Calendar,
  decodeModel,
  encodeModel,
  fitModel,
  forecastModel,
  parseSpec,
} from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { daily } from './series.ts'

const run = { seed: 2, workMax: 1e9 }
const ask = { horizon: 60, quantiles: Float64Array.of(0.05, 0.95) }
const specs = [
  {},
  { growth: 'flat' },
  { seasonMode: 'multiplicative' },
  { growth: 'logistic', capacity: 1e6, floor: -1e6 },
  { growth: 'logistic', capacity: 1e-3, seasonMode: 'multiplicative' },
  { changepointCount: 100, changepointRange: 1, changepointPriorScale: 1e6 },
]
const of = (n: number, value: (t: number) => number) =>
  Float64Array.from({ length: n }, (_, t) => value(t))
const random = makeRandom(77)
const drawn = of(400, () => random.normal())
const nasty: readonly (readonly [string, Float64Array])[] = [
  ['one value', of(1, () => 5)],
  ['one value in a gap', of(40, (t) => (t === 17 ? 5 : Number.NaN))],
  ['two values', of(2, (t) => 3 + t)],
  ['three values', of(3, (t) => 3 + t * t)],
  ['a constant', of(90, () => 7)],
  ['zeros', of(800, () => 0)],
  ['a line', of(100, (t) => 3 * t)],
  ['a step', of(100, (t) => (t < 50 ? 0 : 1))],
  ['a constant and a speck', of(200, (t) => 5 + 1e-12 * drawn[t]!)],
  ['noise far from zero', of(200, (t) => 1e9 + drawn[t]!)],
  ['huge values', of(400, (t) => 1e150 * Math.sin(t))],
  ['tiny values', of(400, (t) => 1e-150 * drawn[t]!)],
  ['the tiniest values', of(30, (t) => Number.MIN_VALUE * (t % 3))],
  ['one outlier', of(300, (t) => (t === 100 ? 1e100 : drawn[t]!))],
  ['few values among gaps', of(400, (t) => (t % 37 === 0 ? drawn[t]! : Number.NaN))],
  ['as many values as parameters', of(33, (t) => drawn[t]!)],
  ['a random walk', of(400, (t) => drawn.subarray(0, t).reduce((sum, v) => sum + v, 0))],
]
const calendars: readonly (readonly [string, Calendar | undefined])[] = [
  ['without a calendar', undefined],
  ['by days', daily],
  ['by months', { start: 0, step: { kind: 'calendar', unit: 'month', count: 1 } }],
  ['by seconds', { start: 0, step: { kind: 'fixed', ms: 1_000 } }],
  ['by centuries', { start: 0, step: { kind: 'calendar', unit: 'year', count: 100 } }],
]

describe.each(nasty)('%s', (_, y) => {
  test.each(calendars)('%s: numbers come out, and the same bytes', (_name, calendar) => {
    for (const fields of specs) {
      const spec = doneValue(parseSpec({ family: 'additive', ...fields }))
      const series = { y, seasons: [7], ...(calendar && { calendar }) }
      const outcome = fitModel(series, spec, run)
      const model = doneValue(outcome) as AdditiveModel
      const said = outcome.kind === 'refused' ? {} : outcome.report
      for (const figure of Object.values(said)) expect(figure).not.toBeNaN()
      const bytes = encodeModel(model)
      expect(encodeModel(doneValue(decodeModel(bytes)))).toEqual(bytes)
      const forecast = forecastModel(model, ask, run)
      const { point, quantiles } = doneValue(forecast)
      expect([...point, ...quantiles].every(Number.isFinite), JSON.stringify(fields)).toBe(true)
    }
  })
})

test('a line is continued, and a constant forecast as itself', () => {
  const fit = (y: Float64Array) => {
    const spec = doneValue(parseSpec({ family: 'additive' }))
    return doneValue(forecastModel(doneValue(fitModel({ y }, spec, run)), ask, run))
  }
  expect(fit(of(100, (t) => 3 * t)).point[59]).toBeCloseTo(3 * 159, 2)
  const constant = fit(of(50, () => 7))
  expect(constant.point).toEqual(new Float64Array(60).fill(7))
  expect(constant.quantiles).toEqual(new Float64Array(120).fill(7))
})

test('a column that comes twice, or is constant, or huge, leaves the others their effect', () => {
  const y = of(200, (t) => 10 + 3 * (t % 2) + 0.1 * drawn[t]!)
  const odd = of(200, (t) => t % 2)
  const x = { odd, again: odd, constant: of(200, () => 4), huge: of(200, (t) => 5e149 * (t % 3)) }
  const spec = doneValue(parseSpec({ family: 'additive' }))
  const model = doneValue(fitModel({ y, x }, spec, run)) as AdditiveModel
  expect(model.sigma * model.scale).toBeLessThan(0.2)
})

test('a fit that has to end gives its best so far', () => {
  const y = of(400, (t) => 50 + 0.1 * t + drawn[t]!)
  const spec = doneValue(
    parseSpec({ family: 'additive', seasonMode: 'multiplicative' }),
  ) as AdditiveSpec
  const full = fitModel({ y, seasons: [7] }, spec, run)
  const spent: number[] = []
  for (const passes of [0, 1, 2]) {
    const outcome = fitModel({ y, seasons: [7] }, spec, { ...run, workMax: 800 * passes })
    expect(outcome.kind).toBe('stopped')
    spent.push((doneValue(outcome) as AdditiveModel).sigma)
  }
  expect(full.kind).toBe('done')
  expect(spent[2]).toBeLessThan(spent[0]!)
  let polls = 0
  const stopped = fitModel({ y, seasons: [7] }, spec, { ...run, shouldStop: () => ++polls > 1 })
  expect(stopped.kind).toBe('stopped')
})
