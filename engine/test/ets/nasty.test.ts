import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AnyModel,
  decodeModel,
  encodeModel,
  explainModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  type Outcome,
  parseSpec,
  simulateModel,
  updateModel,
} from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { etsSpecOf, formNames } from './forms.ts'

const run = { seed: 1, workMax: 3e6 }
const ask = { horizon: 30, quantiles: levelQuantiles([80, 95]) }
const missing = Number.NaN
const random = makeRandom(8)
const noise = Float64Array.from({ length: 60 }, () => random.normal())

const nasty: readonly { name: string; y: Float64Array }[] = [
  { name: 'constant', y: new Float64Array(60).fill(21.7) },
  { name: 'zero', y: new Float64Array(60) },
  { name: 'constant and noise of 1e-12', y: noise.map((value) => 5 + 1e-12 * value) },
  { name: 'constant and the last digit', y: noise.map((_, t) => 5 + (t % 3) * 1e-15) },
  { name: 'a straight line', y: noise.map((_, t) => 3 + 0.1 * t) },
  { name: 'a pure season', y: noise.map((_, t) => 10 + (t % 4)) },
  { name: 'alternating', y: noise.map((_, t) => (t % 2 === 0 ? 1 : -1)) },
  { name: 'a step', y: noise.map((_, t) => (t < 30 ? 1 : 1_000)) },
  { name: 'one spike', y: noise.map((_, t) => (t === 30 ? 1 : 0)) },
  { name: 'one huge spike', y: noise.map((value, t) => (t === 30 ? 1e100 : 9 + value)) },
  { name: 'exponential growth', y: noise.map((_, t) => Math.exp(t)) },
  { name: 'exponential decay', y: noise.map((_, t) => Math.exp(-10 * t)) },
  { name: 'falling towards zero', y: noise.map((_, t) => 61 - t) },
  { name: 'huge', y: noise.map((value) => 1e147 * Math.exp(value)) },
  { name: 'huge, of both signs', y: noise.map((value) => 1e149 * Math.sign(value)) },
  { name: 'tiny', y: noise.map((value) => 1e-310 * Math.exp(value)) },
  { name: 'the smallest numbers', y: noise.map((value) => (value > 0 ? 5e-324 : 0)) },
  { name: 'gaps', y: noise.map((value, t) => (t % 17 === 3 ? missing : 10 + value)) },
  { name: 'a season never seen', y: noise.map((value, t) => (t % 4 === 3 ? missing : 10 + value)) },
  { name: 'a missing start', y: noise.map((value, t) => (t < 9 ? missing : 10 + value)) },
  { name: 'a missing end', y: noise.map((value, t) => (t > 52 ? missing : 10 + value)) },
  { name: 'four values, far apart', y: noise.map((_, t) => (t % 19 === 0 ? 3 + t : missing)) },
]

describe.each(nasty)('a series that is $name', ({ y }) => {
  test.each(formNames)('has a model that works, or is refused with a reason: %s', (name) => {
    check(fitModel({ y, seasons: [4] }, etsSpecOf(name), run), Float64Array.of(1, missing, 2))
  })

  test('has a model that is chosen for it, with either prior', () => {
    for (const prior of ['flat', 'steady']) {
      const spec = doneValue(parseSpec({ family: 'ets', prior }))
      const fit = fitModel({ y, seasons: [4] }, spec, run)
      expect(fit.kind).not.toBe('refused')
      check(fit, Float64Array.of(1e9, missing, 1e-9))
    }
  })
})

test('any series with any spec has an outcome and never a number that is not finite', () => {
  const extreme = fc.oneof(fc.double(), fc.double({ min: -10, max: 10 }), fc.constant(missing))
  const tame = fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: -1, max: 9 }) },
    fc.constant(missing),
  )
  const above = fc.double({ min: 1e-12, max: 1e12, noNaN: true })
  const series = fc.oneof(
    ...[extreme, tame, above].map((each) => fc.array(each, { maxLength: 40 })),
  )
  const spec = fc.record({
    family: fc.constant('ets'),
    error: fc.constantFrom('A', 'M', null),
    trend: fc.constantFrom('N', 'A', null),
    season: fc.constantFrom('N', 'A', 'M', null),
    seasonLength: fc.constantFrom(null, 2, 7),
    bounds: fc.constantFrom('usual', 'admissible', 'both'),
    prior: fc.constantFrom('flat', 'steady'),
  })
  const property = fc.property(series, series, spec, (values, newer, fields) => {
    const parsed = parseSpec(fields)
    if (parsed.kind === 'refused') return
    const y = Float64Array.from(values)
    check(fitModel({ y }, parsed.value, { seed: 1, workMax: 2e5 }), Float64Array.from(newer))
  })
  fc.assert(property, { seed: 3, numRuns: 400 })
})

/** Refused with a reason, or a model of which everything works. */
function check(fit: Outcome<AnyModel>, newer: Float64Array): void {
  if (fit.kind === 'refused') {
    expect(fit.reason.code).toMatch(
      /^(too-short|too-many-missing|all-missing|not-finite|out-of-range|not-positive)$/,
    )
    return
  }
  for (const [name, value] of Object.entries(fit.report)) {
    expect(typeof value !== 'number' || Number.isFinite(value), `${name} is ${value}`).toBe(true)
  }
  const stored = doneValue(decodeModel(encodeModel(fit.value)))
  expect(encodeModel(stored)).toEqual(encodeModel(fit.value))
  checkForecast(stored)
  const updated = updateModel(stored, { y: newer })
  if (updated.kind !== 'refused') {
    checkForecast(doneValue(decodeModel(encodeModel(updated.value))))
  }
}

function checkForecast(model: AnyModel): void {
  const forecast = forecastModel(model, ask)
  if (forecast.kind === 'refused') {
    expect(forecast.reason.code).toBe('not-finite')
    return
  }
  const { point, quantiles } = forecast.value
  expect(point.every(Number.isFinite)).toBe(true)
  for (let h = 0; h < ask.horizon; h++) {
    const bounds = quantiles.subarray(4 * h, 4 * h + 4)
    expect([...bounds]).toEqual([...bounds].sort((a, b) => a - b))
    expect(bounds[0]! <= point[h]! && point[h]! <= bounds[3]!).toBe(true)
  }
  const paths = simulateModel(model, ask, 3, run)
  if (paths.kind !== 'refused') expect(paths.value.every(Number.isFinite)).toBe(true)
  const { total, parts } = doneValue(explainModel(model, { ask }))
  expect(total.every(Number.isFinite)).toBe(true)
  expect(Object.values(parts).every((part) => part.every(Number.isFinite))).toBe(true)
}
