import { expect, test } from 'vitest'
import type { SeriesRules } from '../../src/recipe/recipe.ts'
import { cleanSeries } from '../../src/series/clean.ts'
import { fillBetween, fillForward } from '../../src/series/gaps.ts'
import { levelShiftsOf } from '../../src/series/level-shifts.ts'
import { outliersOf } from '../../src/series/outliers.ts'

const gap = Number.NaN
const at = (y: readonly number[], reach: number) =>
  outliersOf(Float64Array.from(y), reach, 3).map((found) => found.at)

test('where most of a window is equal nothing is an outlier', () => {
  expect(at([0, 0, 0, 9, 0, 0, 0], 3)).toEqual([])
})

test('the window of an outlier reaches as far ahead as back', () => {
  // Only with both neighbours on each side 9 is far from what is around it.
  expect(at([9, 1, 2], 2)).toEqual([0])
  expect(at([2, 1, 9], 2)).toEqual([2])
})

test('only what is marked is filled', () => {
  const marked = Uint8Array.from([0, 1, 0, 0])
  const y = () => Float64Array.from([1, gap, gap, 4])
  const [forward, between] = [y(), y()]
  expect(fillForward(forward, marked)).toBe(1)
  expect([...forward]).toEqual([1, 1, gap, 4])
  expect(fillBetween(between, marked)).toBe(1)
  expect([...between]).toEqual([1, 2, gap, 4])
})

test('a level that moves with the last window is seen, and so is one a window later', () => {
  const steps = (...levels: readonly number[]) =>
    Float64Array.from(levels.flatMap((level) => [level, level, level]))
  expect(levelShiftsOf(steps(1, 5), 3, 3)).toEqual([{ at: 3, difference: 4 }])
  expect(levelShiftsOf(steps(1, 5, 9), 3, 3)).toEqual([
    { at: 3, difference: 4 },
    { at: 6, difference: 4 },
  ])
})

const plain: SeriesRules = {
  ...{ stockOuts: null, levelShifts: null, outliers: null },
  gaps: { fill: 'leave', of: 'absent', until: 'series' },
}

function cleaned(y: readonly number[], rules: Partial<SeriesRules>) {
  const raw = { periods: Float64Array.from(y, (_, i) => i), values: Float64Array.from(y) }
  return [...cleanSeries(raw, { ...plain, ...rules }, y.length - 1)!.y]
}

test('what is before each of several shifts is moved to the last level', () => {
  const levelShifts = { do: 'repair', window: 3, threshold: 3 } as const
  expect(cleaned([1, 1, 1, 5, 5, 5, 9, 9, 9], { levelShifts })).toEqual(Array(9).fill(9))
  // No sales are fewer than none.
  expect(cleaned([10, 10, 7, 2, 2, 2], { levelShifts })).toEqual([2, 2, 0, 2, 2, 2])
})

test('zeros are stock-outs between sales, and not before the first', () => {
  const stockOuts = { do: 'repair', zeros: 3 } as const
  expect(cleaned([0, 0, 0, 0, 5, 0, 0, 5], { stockOuts })).toEqual([0, 0, 0, 0, 5, 0, 0, 5])
  expect(cleaned([0, 5, 0, 0, 0, 5], { stockOuts })).toEqual([0, 5, gap, gap, gap, 5])
})

test('what has become missing is filled where all that is missing is', () => {
  const stockOuts = { do: 'repair', zeros: 3 } as const
  const filled = (of: 'absent' | 'missing') =>
    cleaned([4, 0, 0, 0, 8], { stockOuts, gaps: { fill: 'interpolate', of, until: 'series' } })
  expect(filled('missing')).toEqual([4, 5, 6, 7, 8])
  expect(filled('absent')).toEqual([4, gap, gap, gap, 8])
})
