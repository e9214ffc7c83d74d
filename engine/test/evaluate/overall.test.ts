import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addErrors,
  addSteps,
  type Errors,
  errorColumns,
  judge,
  meanErrors,
  medianErrors,
  pooled,
  sumOfSteps,
  type Trial,
} from '../../src/index.ts'

const none: Errors = {
  ...{ mase: null, smape: null, rmse: null, mae: null },
  ...{ bias: null, pinball: null, scaledPinball: null },
}

function columnsOf(values: readonly (number | null)[]) {
  const columns = errorColumns()
  for (const mae of values) addErrors(columns, { ...none, mae })
  return columns
}

test('the mean and the median are over the series that have a value', () => {
  const columns = columnsOf([5, null, 1, 3, 100])
  expect(meanErrors(columns).mae).toBe(109 / 4)
  expect(medianErrors(columns).mae).toBe(4)
  expect(medianErrors(columnsOf([3, 1, 2])).mae).toBe(2)
  expect([meanErrors(columns).mase, medianErrors(columns).mase]).toEqual([null, null])
})

test('the median is that of the sorted values, ties and order no matter', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1 }), (values) => {
      const sorted = [...values].sort((a, b) => a - b)
      const [low, high] = [Math.floor((values.length - 1) / 2), Math.floor(values.length / 2)]
      expect(medianErrors(columnsOf(values)).mae).toBe((sorted[low]! + sorted[high]!) / 2)
    }),
  )
})

test('steps of several series add up: each forecast counts once, scaled ones by their own scale', () => {
  const trial: Trial = {
    ...{ horizon: 2, windows: 2, step: 2, levels: [80], mode: 'refit', season: null },
  }
  const spec = { family: 'baseline', method: 'naive' }
  const stepsOf = (...y: number[]) =>
    judge({ y: Float64Array.from(y) }, spec, trial, { seed: 1, workMax: 1e9 }).steps
  const first = stepsOf(1, 2, 4, 7, 5, 6, 10, 8)
  const flat = stepsOf(3, 3, 3, 3, 5, 6, 10, 8)
  const both = addSteps(addSteps(first, flat), stepsOf(1, 2))
  const [one] = both.map(pooled)
  // 2 and 4 of the first, whose scale is 2; 2 and 4 of the other, which has none.
  expect(one).toMatchObject({ count: 4, mae: 3, mase: (2 + 4) / 2 / 2 })
  const overall = pooled(sumOfSteps(both, 1))
  expect(overall.count).toBe(8)
  expect(overall.mae).toBe((9 + 11) / 8)
  expect(pooled(sumOfSteps([], 2))).toMatchObject({ count: 0, mae: null, coverage: [null, null] })
})
