import { describe, expect, test } from 'vitest'
import { forecastModel, simulateModel } from '../../src/index.ts'
import { croston, tsb } from '../../src/intermittent/family.ts'
import type { CrostonModel, TsbModel } from '../../src/intermittent/model.ts'
import { bestWeight, smoothingError } from '../../src/intermittent/smoothing.ts'
import type { CrostonSpec, TsbSpec } from '../../src/intermittent/spec.ts'
import { makeBudget } from '../../src/numeric/budget.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { makeRandom } from '../random.ts'

const run = { seed: 3, workMax: 1e9 }
const nothing = new Float64Array(0)
const missing = Number.NaN

const y = Float64Array.of(
  ...[0, 0, 3, 0, 1, 0, 0, 0, 2, 5, 0, 0, 1, 0, 0, 0, 0, 4, 0, 2, 0, 0, 1, 0],
)

function crostonOf(fields: Readonly<Record<string, unknown>> = {}): CrostonSpec {
  return doneValue(croston.parse({ family: 'croston', ...fields }))
}

function tsbOf(fields: Readonly<Record<string, unknown>> = {}): TsbSpec {
  return doneValue(tsb.parse({ family: 'tsb', ...fields }))
}

function rate(spec: CrostonSpec, values: Float64Array): number {
  const model = doneValue(croston.fit({ y: values }, spec, run))
  return doneValue(croston.forecast(model, { horizon: 1, quantiles: nothing }, run)).point[0]!
}

describe("Croston's method", () => {
  test.each([
    ['statsforecast 2.1.1: CrostonClassic', 'classic', 0.88610859],
    ['statsforecast 2.1.1: CrostonSBA', 'sba', 0.84180316],
    ['statsforecast 2.1.1: CrostonOptimized', 'optimised', 0.88610859],
  ])('is that of %s', (_, method, expected) => {
    expect(Math.abs(rate(crostonOf({ method }), y) - expected)).toBeLessThan(1e-8)
  })

  test('of Shale, Boylan and Johnston takes off half of 0.1 in 1.9', () => {
    const classic = rate(crostonOf({ method: 'classic' }), y)
    expect(rate(crostonOf({ method: 'sbj' }), y)).toBeCloseTo(classic * (1 - 0.1 / 1.9), 12)
  })

  test('is a mean of sizes by a mean of intervals, step by step', () => {
    const model = doneValue(
      croston.fit({ y: Float64Array.of(0, 4, 0, 0, 6) }, crostonOf({ smoothing: 0.5 }), run),
    )
    expect(model).toMatchObject({ size: 5, time: 2.5, since: 0 })
  })

  test('stops the clock over missing values', () => {
    const gappy = Float64Array.of(0, 4, missing, 0, missing, 0, 6, missing)
    const model = doneValue(croston.fit({ y: gappy }, crostonOf({ smoothing: 0.5 }), run))
    expect(model).toMatchObject({ size: 5, time: 2.5, since: 0, observations: 5, missing: 3 })
  })

  test('goes on saying its last rate when demands cease, where that of TSB fades', () => {
    const model = doneValue(croston.fit({ y }, crostonOf(), run))
    const silent = doneValue(croston.update(model, { y: new Float64Array(200) }))
    expect(pointOf(silent)).toBe(pointOf(model))
    const fading = doneValue(tsb.fit({ y }, tsbOf({ probabilitySmoothing: 0.1 }), run))
    const faded = doneValue(tsb.update(fading, { y: new Float64Array(200) }))
    expect(pointOf(faded)).toBeLessThan(1e-6 * pointOf(fading))
  })

  test('refuses to be told the smoothing that it shall choose', () => {
    const spec = { family: 'croston', method: 'optimised', smoothing: 0.2 }
    expect(refusalOf(croston.parse(spec))).toMatchObject({ code: 'conflict', field: '/smoothing' })
  })
})

describe('TSB', () => {
  test('is that of statsforecast 2.1.1, TSB(0.2, 0.1), from the same first state', () => {
    const spec = tsbOf({ demandSmoothing: 0.2, probabilitySmoothing: 0.1 })
    const model = doneValue(tsb.fit({ y }, spec, run))
    const begun = { ...model, firstSize: 3, firstProbability: 0 }
    const point = pointOf(doneValue(tsb.filter(begun, { y })))
    expect(Math.abs(point - 0.72596841)).toBeLessThan(1e-8)
  })

  test('finds the rate that a steady series has, and chooses small weights for it', () => {
    const random = makeRandom(12)
    const steady = Float64Array.from({ length: 2_000 }, () =>
      random.uniform() < 0.25 ? random.integer(1, 7) : 0,
    )
    const outcome = tsb.fit({ y: steady }, tsbOf(), run)
    const model = doneValue(outcome)
    expect(Math.abs(pointOf(model) - 1)).toBeLessThan(0.3)
    expect(model.timeSmoothing).toBeLessThan(0.05)
    expect(outcome).toMatchObject({ report: { converged: 'yes', missing: 0 } })
  })
})

describe('a weight', () => {
  test('that is chosen has no more error than any of a fine grid, but for what it may not be', () => {
    const random = makeRandom(7)
    for (let trial = 0; trial < 20; trial++) {
      let level = 0
      const values = Float64Array.from({ length: 80 }, () => {
        level += 0.3 * random.normal()
        return level + random.normal()
      })
      const budget = makeBudget({ workMax: 1e9 })
      const { weight } = bestWeight(values, 0.01, 0.5, values[0]!, budget)
      const least = smoothingError(values, weight, values[0]!)
      for (let tried = 0.01; tried <= 0.5; tried += 0.001) {
        expect(least).toBeLessThanOrEqual(smoothingError(values, tried, values[0]!) * (1 + 1e-5))
      }
    }
  })

  test('is the usual one when nothing may be spent, and the fit says that it was stopped', () => {
    const outcome = tsb.fit({ y }, tsbOf(), { seed: 1, workMax: 0 })
    expect(outcome.kind).toBe('stopped')
    expect(doneValue(outcome)).toMatchObject({ sizeSmoothing: 0.1, timeSmoothing: 0.1 })
  })
})

describe('the distribution of a demand', () => {
  test.each([
    ['counts that vary much', true, 4, 2],
    ['counts that vary little', true, 4, 0.01],
    ['amounts', false, 4, 0.7],
    ['counts of one', true, 1, 0],
  ])(
    'of %s has the mean that the point says, and no negative value',
    (_, counts, size, variation) => {
      const model: TsbModel = {
        ...doneValue(tsb.fit({ y }, tsbOf(), run)),
        ...{ counts, size, variation, time: 0.4 },
      }
      const ask = { horizon: 50, quantiles: nothing }
      const paths = doneValue(simulateModel(model, ask, 4_000, run))
      const mean = paths.reduce((sum, value) => sum + value / paths.length, 0)
      expect(Math.abs(mean / (0.4 * size) - 1)).toBeLessThan(0.03)
      expect(paths.every((value) => value >= 0)).toBe(true)
      const zeros = paths.filter((value) => value === 0).length / paths.length
      expect(Math.abs(zeros - 0.6)).toBeLessThan(0.01)
      if (counts) expect(paths.every(Number.isInteger)).toBe(true)
      const square = paths.reduce((sum, value) => sum + (value * value) / paths.length, 0)
      const expected = 0.4 * size * size * (1 + variation)
      expect(Math.abs(square / expected - 1)).toBeLessThan(0.15)
    },
  )

  test('covers what it says on counts with many zeros', () => {
    const random = makeRandom(23)
    let below = 0
    let count = 0
    for (let trial = 0; trial < 60; trial++) {
      const demand = () => (random.uniform() < 0.3 ? 1 + Math.floor(6 * random.uniform() ** 2) : 0)
      const all = Float64Array.from({ length: 160 }, demand)
      const model = doneValue(croston.fit({ y: all.slice(0, 120) }, crostonOf(), run))
      const ask = { horizon: 40, quantiles: Float64Array.of(0.9) }
      const { quantiles } = doneValue(croston.forecast(model, ask, run))
      for (let h = 0; h < 40; h++) {
        count++
        if (all[120 + h]! <= quantiles[h]!) below++
      }
    }
    expect(below / count).toBeGreaterThan(0.88)
  })

  test('has its median as the point on request, and the mean with a note otherwise', () => {
    const model = doneValue(croston.fit({ y }, crostonOf(), run))
    const ask = { horizon: 2, quantiles: Float64Array.of(0.5) }
    const plain = doneValue(croston.forecast(model, ask, run))
    expect(plain.notes.map(({ code }) => code)).toEqual(['point-is-mean'])
    expect(plain.point[0]).toBeGreaterThan(0.5)
    const median = doneValue(croston.forecast(model, { ...ask, point: 'median' }, run))
    expect(median.point).toEqual(median.quantiles)
    expect(median.point[0]).toBe(0)
    expect(median.notes).toEqual([])
  })
})

describe('a series', () => {
  test.each([
    ['zeros', new Float64Array(30)],
    ['one zero', new Float64Array(1)],
    ['zeros with gaps', Float64Array.of(0, missing, 0, missing)],
  ])('of %s is forecast as zero, without width', (_, zeros) => {
    for (const model of [
      doneValue(croston.fit({ y: zeros }, crostonOf(), run)),
      doneValue(tsb.fit({ y: zeros }, tsbOf(), run)),
    ]) {
      const ask = { horizon: 3, quantiles: Float64Array.of(0.1, 0.99) }
      const { point, quantiles } = doneValue(forecastModel(model, ask, run))
      expect(point).toEqual(new Float64Array(3))
      expect(quantiles).toEqual(new Float64Array(6))
    }
  })

  test('with a value below zero is refused with its place', () => {
    const negative = { y: Float64Array.of(0, 1, -2) }
    expect(refusalOf(croston.fit(negative, crostonOf(), run))).toMatchObject({
      code: 'negative',
      field: '/y/2',
    })
    const model = doneValue(tsb.fit({ y }, tsbOf(), run))
    expect(refusalOf(tsb.update(model, negative)).field).toBe('/y/2')
  })
})

function pointOf(model: CrostonModel | TsbModel): number {
  return doneValue(forecastModel(model, { horizon: 1, quantiles: nothing }, run)).point[0]!
}
