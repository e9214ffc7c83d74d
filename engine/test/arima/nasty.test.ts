import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ArimaSpec,
  decodeModel,
  encodeModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  type Outcome,
  updateModel,
} from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { specOf } from './models.ts'

const run = { seed: 1, workMax: 3e6 }
const ask = { horizon: 30, quantiles: levelQuantiles([80, 95]) }
const missing = Number.NaN
const long = 60

const specs: readonly ArimaSpec[] = [
  specOf({}),
  specOf({ p: 0, q: 1, d: 1 }),
  specOf({ p: 2, q: 2, constant: true }),
  specOf({ p: 7, q: 1, differenceLag: 5 }),
  specOf({ p: 1, q: 1, d: 2, differenceLag: 12, constant: true }),
  specOf({ p: 0 }),
  specOf({ d: 1, q: 1, P: 1, D: 1, Q: 1, seasonLength: 6 }),
]

const noise = noiseOf(long)
const nasty: readonly { name: string; y: Float64Array }[] = [
  { name: 'constant', y: new Float64Array(long).fill(21.7) },
  { name: 'zero', y: new Float64Array(long) },
  { name: 'constant and noise of 1e-12', y: noise.map((value) => 5 + 1e-12 * value) },
  { name: 'a straight line', y: noise.map((_, t) => 3 + 0.1 * t) },
  { name: 'a parabola', y: noise.map((_, t) => t * t) },
  { name: 'alternating', y: noise.map((_, t) => (t % 2 === 0 ? 1 : -1)) },
  { name: 'a sine', y: noise.map((_, t) => Math.sin(t)) },
  { name: 'a step', y: noise.map((_, t) => (t < 30 ? 0 : 1)) },
  { name: 'one spike', y: noise.map((_, t) => (t === 30 ? 1 : 0)) },
  { name: 'one huge spike in noise', y: noise.map((value, t) => (t === 30 ? 1e100 : value)) },
  { name: 'exponential growth', y: noise.map((_, t) => Math.exp(t)) },
  { name: 'huge', y: noise.map((value) => 1e149 * Math.sign(value)) },
  { name: 'tiny', y: noise.map((value) => 1e-310 * value) },
  { name: 'the smallest numbers', y: noise.map((value) => (value > 0 ? 5e-324 : 0)) },
  { name: 'a random walk', y: walkOf(long) },
  { name: 'gaps', y: walkOf(long).map((value, t) => (t % 17 === 3 ? missing : value)) },
  { name: 'a missing start', y: walkOf(long).map((value, t) => (t < 9 ? missing : value)) },
  { name: 'a missing end', y: walkOf(long).map((value, t) => (t > 52 ? missing : value)) },
  { name: 'constant with gaps', y: noise.map((_, t) => (t % 11 === 5 ? missing : 4)) },
  { name: 'a random walk of a hundred thousand', y: walkOf(100_000) },
]

describe.each(nasty)('a series that is $name', ({ y }) => {
  test.each(specs)(
    'has a model, stored and forecast in finite numbers: $p,$d,$q $differenceLag',
    (spec) => {
      const last = y[y.length - 1]!
      check(fitModel({ y }, spec, run), Float64Array.of(Number.isNaN(last) ? 1 : last, missing))
    },
  )
})

test('a constant series is forecast as it is, without width', () => {
  for (const spec of specs.filter(repeatsConstants)) {
    const fit = fitModel({ y: new Float64Array(long).fill(21.7) }, spec, run)
    const forecast = doneValue(forecastModel(doneValue(fit), ask))
    expect(new Set(forecast.point)).toEqual(new Set([21.7]))
    expect(new Set(forecast.quantiles)).toEqual(new Set([21.7]))
  }
})

test('a straight line goes on, without width, though its differences are rounded', () => {
  const line = noise.map((_, t) => 3 + 0.1 * t)
  const fit = fitModel({ y: line }, specOf({ d: 1, constant: true }), run)
  if (fit.kind === 'refused') throw new Error(fit.reason.detail)
  const summary = expect.stringContaining('does not vary')
  expect(fit.report).toMatchObject({ sigma2: 0, summary })
  const { point, quantiles } = doneValue(forecastModel(fit.value, ask))
  point.forEach((value, h) => {
    expect(value).toBeCloseTo(3 + 0.1 * (long + h), 9)
    expect(quantiles[4 * h]).toBe(quantiles[4 * h + 3])
  })
})

test.each([
  { name: 'empty', y: new Float64Array(0), code: 'too-short' },
  { name: 'one point', y: Float64Array.of(1), code: 'too-short' },
  { name: 'all missing', y: new Float64Array(long).fill(missing), code: 'all-missing' },
  { name: 'infinite', y: noise.map((v, t) => (t === 4 ? Infinity : v)), code: 'not-finite' },
  { name: 'beyond range', y: noise.map((v) => v * 1e160), code: 'out-of-range' },
  {
    name: 'every other missing',
    y: noise.map((v, t) => (t % 2 ? missing : v)),
    code: 'too-many-missing',
  },
])('a series that is $name is refused', ({ y, code }) => {
  expect(refusalOf(fitModel({ y }, specOf({ d: 1 }), run)).code).toBe(code)
})

test('any series with any spec has an outcome and never a number that is not finite', () => {
  const extreme = fc.oneof(fc.double(), fc.double({ min: -10, max: 10 }), fc.constant(missing))
  const tame = fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: -5, max: 5 }) },
    fc.constant(missing),
  )
  const series = fc.oneof(fc.array(extreme, { maxLength: 60 }), fc.array(tame, { maxLength: 60 }))
  const spec = fc.record({
    p: fc.nat(3),
    d: fc.nat(2),
    q: fc.nat(3),
    differenceLag: fc.nat(5),
    constant: fc.boolean(),
  })
  const property = fc.property(series, series, spec, (values, newer, fields) => {
    const y = Float64Array.from(values)
    check(fitModel({ y }, specOf(fields), { seed: 1, workMax: 1e5 }), Float64Array.from(newer))
  })
  fc.assert(property, { seed: 3, numRuns: 400 })
})

/** Refused with a reason, or a model of which everything works. */
function check(fit: Outcome<Parameters<typeof encodeModel>[0]>, newer: Float64Array): void {
  if (fit.kind === 'refused') {
    expect(fit.reason.code).toMatch(
      /^(too-short|too-many-missing|all-missing|not-finite|out-of-range)$/,
    )
    return
  }
  for (const [name, value] of Object.entries(fit.report)) {
    expect(typeof value === 'string' || Number.isFinite(value), `${name} is ${value}`).toBe(true)
  }
  const stored = doneValue(decodeModel(encodeModel(fit.value)))
  expect(encodeModel(stored)).toEqual(encodeModel(fit.value))
  checkForecast(stored)
  const updated = updateModel(stored, { y: newer })
  if (updated.kind !== 'refused') {
    checkForecast(doneValue(decodeModel(encodeModel(updated.value))))
  }
}

function checkForecast(model: Parameters<typeof encodeModel>[0]): void {
  const { point, quantiles } = doneValue(forecastModel(model, ask))
  expect(point.every(Number.isFinite)).toBe(true)
  for (let h = 0; h < ask.horizon; h++) {
    const bounds = quantiles.subarray(4 * h, 4 * h + 4)
    expect([...bounds]).toEqual([...bounds].sort((a, b) => a - b))
    expect(bounds[0]! <= point[h]! && point[h]! <= bounds[3]!).toBe(true)
  }
}

/** Whether a difference, or a mean, makes a constant a series without variation. */
function repeatsConstants({ d, differenceLag, constant }: ArimaSpec): boolean {
  return d + differenceLag > 0 || constant
}

function noiseOf(length: number): Float64Array {
  const random = makeRandom(8)
  return Float64Array.from({ length }, () => random.normal())
}

function walkOf(length: number): Float64Array {
  let level = 0
  return noiseOf(length).map((value) => {
    level += value
    return level
  })
}
