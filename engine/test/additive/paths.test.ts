import { describe, expect, test } from 'vitest'
import type { AdditiveModel } from '../../src/additive/model.ts'
import type { AdditiveSpec } from '../../src/additive/spec.ts'
import {
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
  simulateModel,
  updateModel,
} from '../../src/index.ts'
import { normalAt } from '../../src/numeric/random.ts'
import { doneValue } from '../expect-done.ts'
import { promotedDays, saturating } from './series.ts'

const run = { seed: 9, workMax: 1e10 }
const none = new Float64Array(0)
const { y } = promotedDays()
const fitted = (fields: Partial<AdditiveSpec> = {}, values: Float64Array = y) => {
  const spec = doneValue(parseSpec({ family: 'additive', ...fields }))
  return doneValue(fitModel({ y: values }, spec, run)) as AdditiveModel
}
const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
const varianceOf = (values: readonly number[]) => {
  const mean = meanOf(values)
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
}

describe('simulated paths', () => {
  const horizon = 400
  const paths = 4_000

  test('have the mean and the variance that changes and noise add up to', () => {
    const model = fitted({ changepointPriorScale: 5 })
    const { deltas, changepoints } = model.trend
    const { point } = doneValue(forecastModel(model, { horizon, quantiles: none }, run))
    const drawn = doneValue(simulateModel(model, { horizon, quantiles: none }, paths, run))
    const size = deltas.reduce((sum, delta) => sum + Math.abs(delta), 0) / deltas.length
    for (const h of [0, 49, 199, 399]) {
      const values = Array.from({ length: paths }, (_, path) => drawn[path * horizon + h]!)
      const ahead = (h + 1) / 699
      // A change at s adds Laplace · (t - s); their number is Poisson.
      const changes = (changepoints.length * 2 * size ** 2 * ahead ** 3) / 3
      const expected = model.scale ** 2 * (model.sigma ** 2 + changes)
      const deviation = Math.sqrt(expected / paths)
      expect(Math.abs(meanOf(values) - point[h]!)).toBeLessThan(4 * deviation)
      expect(varianceOf(values) / expected).toBeGreaterThan(0.85)
      expect(varianceOf(values) / expected).toBeLessThan(1.15)
    }
  })

  test('give the quantiles of the forecast', () => {
    const model = fitted({ paths: 2_000 })
    const quantiles = levelQuantiles([80])
    const ask = { horizon: 60, quantiles }
    const { quantiles: rows } = doneValue(forecastModel(model, ask, run))
    const count = 40_000
    const drawn = doneValue(simulateModel(model, ask, count, run))
    // Four standard deviations of the share in the paths of both sides.
    const slack = 4 * Math.sqrt(0.09 * (1 / count + 1 / 2_000))
    for (const h of [0, 30, 59]) {
      const below = (bound: number) =>
        Array.from({ length: count }, (_, path) => drawn[path * 60 + h]!).filter((v) => v < bound)
          .length / count
      expect(Math.abs(below(rows[2 * h]!) - 0.1)).toBeLessThan(slack)
      expect(Math.abs(below(rows[2 * h + 1]!) - 0.9)).toBeLessThan(slack)
    }
  })

  test('begin with bounds that have hardly an error of chance', () => {
    const model = fitted({ paths: 1_000 })
    const half = 1.2815515655446004 * model.sigma * model.scale
    for (const seed of [1, 2, 3]) {
      const ask = { horizon: 1, quantiles: levelQuantiles([80]) }
      const { point, quantiles } = doneValue(forecastModel(model, ask, { ...run, seed }))
      expect(Math.abs(point[0]! - half - quantiles[0]!)).toBeLessThan(0.005 * half)
      expect(Math.abs(point[0]! + half - quantiles[1]!)).toBeLessThan(0.005 * half)
    }
  })

  test('of a trend that never bends are normal around the point', () => {
    for (const model of [fitted({ changepoints: [] }), fitted({ growth: 'flat' })]) {
      const ask = { horizon: 3, quantiles: Float64Array.of(0.025, 0.975) }
      const { point, quantiles } = doneValue(forecastModel(model, ask, run))
      const half = 1.959963984540054 * model.sigma * model.scale
      expect(quantiles[0]).toBeCloseTo(point[0]! - half, 9)
      expect(quantiles[5]).toBeCloseTo(point[2]! + half, 9)
    }
  })

  test('widen with the distance to the fit, also after updates', () => {
    const model = fitted()
    const moved = doneValue(updateModel(model, { y: new Float64Array(600).fill(Number.NaN) }))
    const ask = { horizon: 1, quantiles: levelQuantiles([90]) }
    const widthOf = (of: typeof moved) => {
      const { quantiles } = doneValue(forecastModel(of, ask, run))
      return quantiles[1]! - quantiles[0]!
    }
    expect(widthOf(moved)).toBeGreaterThan(1.4 * widthOf(model))
  })
})

test('a logistic trend stays between floor and capacity, and its mean differs from its median', () => {
  const model = fitted(
    { growth: 'logistic', capacity: 130, floor: 10, seasons: [], changepointPriorScale: 1 },
    saturating(),
  )
  const ask = { horizon: 600, quantiles: levelQuantiles([90]) }
  const median = doneValue(forecastModel(model, ask, run))
  const mean = doneValue(forecastModel(model, { ...ask, point: 'mean' }, run))
  expect(median.point.every((value) => value > 10 && value < 130)).toBe(true)
  const slack = 3 * model.sigma * model.scale
  expect(median.quantiles.every((value) => value > 10 - slack && value < 130 + slack)).toBe(true)
  expect(Math.abs(mean.point[599]! - median.point[599]!)).toBeGreaterThan(0.5)
})

test('multiplicative seasons grow with the trend, and are shown as what they add', () => {
  const growing = Float64Array.from({ length: 300 }, (_, t) => {
    return (20 + 0.5 * t) * (1 + 0.3 * Math.sin((2 * Math.PI * t) / 12)) + normalAt(8, 0, t)
  })
  const spec = doneValue(parseSpec({ family: 'additive', seasonMode: 'multiplicative' }))
  const fit = (mode: object) =>
    doneValue(fitModel({ y: growing, seasons: [12] }, { ...spec, ...mode } as AdditiveSpec, run))
  const model = fit({}) as AdditiveModel
  expect(model.sigma * model.scale).toBeLessThan(1.2)
  const rigid = fit({ seasonMode: 'additive' }) as AdditiveModel
  expect(rigid.sigma * rigid.scale).toBeGreaterThan(5)
  const [sine = 0] = model.betas
  expect(sine).toBeCloseTo(0.3, 2)
})
