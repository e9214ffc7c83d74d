import { expect, test } from 'vitest'
import { maseOfFit } from '../../src/evaluate/fit-error.ts'
import { fitModel, parseSpec, type Series } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'

const run = { seed: 1, workMax: 1e8 }
const fitted = (series: Series, spec: object) =>
  doneValue(fitModel(series, doneValue(parseSpec(spec)), run))
const naive = { family: 'baseline', method: 'naive' }

test('errors of one step are divided by the changes from one season to the next', () => {
  const y = Float64Array.of(1, 3, 2, 6, 4, Number.NaN, 5, 9)
  const model = fitted({ y }, naive)
  // The changes are the errors: but where the last value is two steps away.
  const [errors, changes] = [
    [2, 1, 4, 2, 1, 4],
    [2, 1, 4, 2, 4],
  ]
  const mean = (all: readonly number[]) => all.reduce((sum, one) => sum + one) / all.length
  expect(maseOfFit(model, { y })).toBeCloseTo(mean(errors) / mean(changes), 12)
  const seasonal = { y, seasons: [2, 4] }
  // The scale is that of the shortest season, where both ends are there.
  expect(maseOfFit(model, seasonal)).toBeCloseTo(mean(errors) / mean([1, 3, 2, 1]), 12)
})

test('a series that never changes has no scale', () => {
  const y = Float64Array.of(5, 5, 5)
  expect(maseOfFit(fitted({ y }, naive), { y })).toBeNaN()
})
