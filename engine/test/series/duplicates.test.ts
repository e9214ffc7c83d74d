import { describe, expect, test } from 'vitest'
import { cleanObservations, fixedGrid } from '../../src/series/duplicates.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { makeRandom } from '../random.ts'

const missing = Number.NaN

describe('observations', () => {
  test('are sorted by instant, and counted where they were not', () => {
    const { instants, y, cleaning } = doneValue(cleanObservations([30, 10, 20], [3, 1, missing]))
    expect(instants).toEqual(Float64Array.of(10, 20, 30))
    expect(y).toEqual(Float64Array.of(1, missing, 3))
    expect(cleaning).toEqual({
      outOfOrder: 2,
      duplicates: 0,
      duplicatedInstants: 0,
      inserted: 0,
      missing: 1,
    })
  })

  test('at one instant are refused unless somebody says how to merge them', () => {
    expect(refusalOf(cleanObservations([1, 2, 1], [5, 6, 7]))).toMatchObject({
      code: 'duplicate',
      field: '/instants/2',
    })
  })

  test.each([
    ['sum', 12],
    ['mean', 4],
    ['first', 1],
    ['last', 6],
  ] as const)('at one instant are merged by %s, missing ones aside', (rule, merged) => {
    const instants = [7, 5, 7, 7, 5, 7]
    const values = [missing, missing, 1, 5, missing, 6]
    const { y, cleaning } = doneValue(cleanObservations(instants, values, rule))
    expect(y).toEqual(Float64Array.of(missing, merged))
    expect(cleaning).toMatchObject({ duplicates: 4, duplicatedInstants: 2, missing: 3 })
  })

  test('leave missing values on the steps of the grid that have none', () => {
    const instants = Float64Array.of(0, 10, 40)
    const grid = doneValue(fixedGrid(instants, 10))
    const { y, cleaning } = doneValue(cleanObservations(instants, [1, 2, 3], 'refuse', grid))
    expect(y).toEqual(Float64Array.of(1, 2, missing, missing, 3))
    expect(cleaning.inserted).toBe(2)
  })

  test.each([[[0, 15]], [[-10, 0]], [[0, 30]]])('off the grid are refused: %j', (instants) => {
    const grid = Float64Array.of(0, 10, 20)
    expect(refusalOf(cleanObservations(instants, [1, 2], 'sum', grid)).code).toBe('off-grid')
  })

  test('that are shuffled give the same series, whatever the order', () => {
    const random = makeRandom(6)
    const length = 500
    const at = Array.from({ length }, () => random.integer(0, 200) * 1_000)
    const once = doneValue(cleanObservations(at, at, 'mean'))
    expect([...once.instants]).toEqual([...new Set(at)].sort((a, b) => a - b))
    expect(once.y).toEqual(once.instants)
  })

  test('without a number for an instant, or without a value for each, are refused', () => {
    expect(refusalOf(cleanObservations([1, missing], [1, 2])).field).toBe('/instants/1')
    expect(refusalOf(cleanObservations([1], [1, 2])).code).toBe('wrong-length')
  })

  test('so far apart that the grid would not fit are refused before it is made', () => {
    expect(refusalOf(fixedGrid(Float64Array.of(0, 1e15), 1)).code).toBe('too-long')
    expect(refusalOf(fixedGrid(Float64Array.of(0, 1), 0)).code).toBe('out-of-range')
    expect(doneValue(fixedGrid(new Float64Array(0), 5)).length).toBe(0)
  })
})
