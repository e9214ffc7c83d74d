import { describe, expect, test } from 'vitest'
import { judge, type Series, type Trial } from '../../src/index.ts'

const run = { seed: 1, workMax: 1e9 }
const naive = { family: 'baseline', method: 'naive' }
const trial: Trial = {
  ...{ horizon: 2, windows: 2, step: 2, levels: [80], mode: 'refit', season: null },
}
const judged = (
  given: readonly number[],
  instead: Partial<Trial> = {},
  more: Partial<Series> = {},
) => judge({ y: Float64Array.from(given), ...more }, naive, { ...trial, ...instead }, run)

describe('a verdict', () => {
  // From 7 on 5 and 6; from 6 on 10 and 8: errors of -2, -1, 4 and 2.
  const y = [1, 2, 4, 7, 5, 6, 10, 8]

  test('has the errors that were computed by hand', () => {
    const { code, windows, count, missing, errors } = judged(y)
    expect({ code, windows, count, missing }).toEqual({
      ...{ code: 'ok', windows: 2, count: 4, missing: 0 },
    })
    expect(errors.bias).toBe((-2 - 1 + 4 + 2) / 4)
    expect(errors.mae).toBe(9 / 4)
    expect(errors.rmse).toBe(Math.sqrt((4 + 1 + 16 + 4) / 4))
    expect(errors.smape).toBeCloseTo((200 * (2 / 12 + 1 / 13 + 4 / 16 + 2 / 14)) / 4, 12)
  })

  test('scales by the changes before the first origin, whatever comes after', () => {
    const { scale, season, errors, steps } = judged(y)
    expect([scale, season]).toEqual([(1 + 2 + 3) / 3, 1])
    expect(errors.mase).toBe(9 / 4 / 2)
    expect(errors.scaledPinball).toBe(errors.pinball! / 2)
    expect(steps.map((step) => step.scaledAbsolute)).toEqual([(2 + 4) / 2, (1 + 2) / 2])
    expect(judged([...y.slice(0, 4), 90, -7, 3, 4]).scale).toBe(2)
  })

  test('has the mean pinball loss of the median and the bounds of each level', () => {
    const spread = judged(y, { levels: [80, 95] })
    const narrow = judged(y, { levels: [80] })
    expect(spread.errors.pinball).not.toBe(narrow.errors.pinball)
    // With the median alone it would be half of the mean absolute error; bounds change that.
    expect(narrow.errors.pinball).toBeLessThan(narrow.errors.mae!)
    expect(spread.coverage).toHaveLength(2)
    const sums = narrow.steps.map(({ pinball }) => pinball)
    expect(narrow.errors.pinball).toBeCloseTo((sums[0]! + sums[1]!) / 4, 14)
  })

  test('leaves out what is missing, and counts it', () => {
    const gappy = [1, 2, 4, 7, Number.NaN, 6, 10, 8]
    const { code, count, missing, steps, errors } = judged(gappy)
    expect({ code, count, missing }).toEqual({ code: 'ok', count: 3, missing: 1 })
    expect(steps.map((step) => [step.count, step.missing])).toEqual([
      [1, 1],
      [2, 0],
    ])
    expect(errors.bias).toBe((-1 + 4 + 2) / 3)
  })

  test('takes the season that is told, or that of the series, where both fit', () => {
    const long = Array.from({ length: 20 }, (_, t) => (t % 4) + t)
    const seasonal = { seasons: [4] }
    expect(judged(long, {}, seasonal)).toMatchObject({ season: 4, scale: 4 })
    expect(judged(long, { season: 2 }, seasonal).season).toBe(2)
    expect(judged(long).season).toBe(1)
    expect(judged(long, { season: 16 }).season).toBe(1)
  })

  test('is the same by updates as by fits where parameters do not matter', () => {
    expect(judged(y, { mode: 'update' }).errors.mae).toBe(judged(y).errors.mae)
  })
})

describe('a series that cannot be judged as asked', () => {
  test('is too short for its windows', () => {
    const { code, detail, errors, steps, coverage } = judged([1, 2, 3, 4])
    expect(code).toBe('too-short')
    expect(detail).toContain('4 observations')
    expect([errors.mae, errors.mase, ...coverage]).toEqual([null, null, null])
    expect(steps).toEqual([])
  })

  test('without a change before the first origin has errors, but no scaled ones', () => {
    const { code, scale, errors, steps } = judged([3, 3, 3, 3, 5, 6, 10, 8])
    expect(code).toBe('zero-scale')
    expect([scale, errors.mase, errors.scaledPinball]).toEqual([null, null, null])
    expect(errors.mae).toBe((2 + 3 + 4 + 2) / 4)
    expect(steps.map((step) => step.scaledCount)).toEqual([0, 0])
  })

  test('with one value before the first origin has no scale', () => {
    expect(judged([3, 5, 6, 10, 8]).code).toBe('no-scale')
  })

  test('without anything to compare with says so', () => {
    const nothing = [1, 2, 4, 7, ...Array.from({ length: 4 }, () => Number.NaN)]
    const { code, count, missing, errors } = judged(nothing)
    expect({ code, count, missing }).toEqual({ code: 'no-actuals', count: 0, missing: 4 })
    expect(errors.mae).toBeNull()
  })

  test('at some origins has errors of the others', () => {
    const spec = { family: 'arima', p: 1, d: 0, q: 0, differenceLag: 0, constant: true }
    const y = Float64Array.from({ length: 16 }, (_, t) => (t < 8 ? Number.NaN : Math.sin(t * t)))
    const verdict = judge({ y }, spec, { ...trial, windows: 4 }, run)
    expect(verdict.code).toBe('partly')
    expect(verdict.windows).toBeGreaterThan(0)
    expect(verdict.windows).toBeLessThan(4)
    expect(verdict.count).toBe(2 * verdict.windows)
  })

  test('has the reason of its spec where no origin could be fitted', () => {
    const spec = { family: 'arima', p: 1, d: 0, q: 0, differenceLag: 365, constant: true }
    const y = Float64Array.from({ length: 8 }, (_, t) => t)
    expect(judge({ y }, spec, trial, run).code).toBe('too-short')
    expect(judge({ y }, { family: 'none' }, trial, run).code).toBe('unknown-family')
  })
})
