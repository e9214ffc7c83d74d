import { describe, expect, test } from 'vitest'
import { arimaDefaults } from '../../src/arima/spec.ts'
import { encodeModel, fitModel } from '../../src/index.ts'
import { limits } from '../../src/limits.ts'
import { doneValue } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { readSampleData } from '../sample-data.ts'
import { specOf } from './models.ts'

const y = readSampleData()
const boundless = { seed: 1, workMax: 1e12 }

describe('a fit', () => {
  test('gives the same bytes for the same input and seed, and the same optimum for any seed', () => {
    const fit = (seed: number) => fitModel({ y }, arimaDefaults, { ...boundless, seed })
    const first = fit(1)
    if (first.kind !== 'done') throw new Error(first.kind)
    expect(encodeModel(doneValue(fit(1)))).toEqual(encodeModel(first.value))
    expect(encodeModel(first.value).length).toBeLessThan(4_000)
    const other = fit(99)
    if (other.kind !== 'done') throw new Error(other.kind)
    const apart = Number(other.report.logLikelihood) - Number(first.report.logLikelihood)
    expect(Math.abs(apart)).toBeLessThan(1e-4)
  })

  test('that is asked to stop returns the best so far at once, marked so', () => {
    let polls = 0
    const stopAt = (limit: number) => {
      polls = 0
      return fitModel({ y }, arimaDefaults, { ...boundless, shouldStop: () => ++polls >= limit })
    }
    let before = Number.NEGATIVE_INFINITY
    for (const limit of [1, 20, 200, 2_000]) {
      const fit = stopAt(limit)
      if (fit.kind !== 'stopped') throw new Error(fit.kind)
      expect(polls).toBe(limit)
      expect(fit.report).toMatchObject({ stopped: 'as asked', converged: 'no' })
      expect(fit.report.logLikelihood).toBeGreaterThanOrEqual(before)
      before = Number(fit.report.logLikelihood)
    }
  })

  test('that has spent its budget stops, at the same place each time', () => {
    const run = { seed: 1, workMax: 500_000 }
    const fit = fitModel({ y }, arimaDefaults, run)
    if (fit.kind !== 'stopped') throw new Error(fit.kind)
    expect(fit.report.stopped).toBe('the budget of work is spent')
    expect(Number(fit.report.evaluations) * 3_285).toBeLessThan(500_000 + 2 * 3_285)
    const again = doneValue(fitModel({ y }, arimaDefaults, run))
    expect(encodeModel(again)).toEqual(encodeModel(fit.value))
  })

  test.each([
    { name: 'complete', gap: -1 },
    { name: 'with gaps', gap: 5 },
  ])('of a long series polls every thousand points or so: $name', ({ gap }) => {
    const random = makeRandom(2)
    const long = Float64Array.from({ length: 20_000 }, (_, t) => {
      return t % 100 === gap ? Number.NaN : random.normal()
    })
    let polls = 0
    const shouldStop = () => ++polls < 0
    const fit = fitModel({ y: long }, specOf({ p: 1, q: 1 }), { seed: 1, workMax: 4e6, shouldStop })
    if (fit.kind === 'refused') throw new Error(fit.reason.detail)
    const points = Number(fit.report.evaluations) * long.length
    expect(points).toBeGreaterThan(3e6)
    expect(polls).toBeGreaterThan(points / (2 * limits.pollPoints))
  })

  test('tells its progress, which never goes back and ends at one', () => {
    const told: number[] = []
    fitModel({ y }, arimaDefaults, { ...boundless, onProgress: (fraction) => told.push(fraction) })
    expect(told.length).toBeGreaterThan(5)
    expect(told).toEqual([...told].sort((a, b) => a - b))
    expect(told[0]).toBeGreaterThan(0)
    expect(told.at(-1)).toBe(1)
  })
})
