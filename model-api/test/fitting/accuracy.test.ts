import { limits } from '@almanac/shared'
import { expect, test } from 'vitest'
import { accuracyOfMany } from '../../src/fitting/accuracy.ts'

const update = (version: number) => ({ version, count: 2, scaled: version })

test('of many series it begins with the first update that was foreseen', () => {
  expect(accuracyOfMany({ version: 2 }, { count: 0, scaled: 0 })).toBeUndefined()
  expect(accuracyOfMany({ version: 3 }, { count: 4, scaled: 6 })).toEqual({
    scale: 1,
    updates: [{ version: 3, count: 4, scaled: 6, errorMax: 10 }],
  })
})

test('it goes on from that of the base, newest first, as far as is kept', () => {
  const known = Array.from({ length: limits.accuracyUpdatesMax }, (_, i) => update(90 - i))
  const accuracy = { scale: 1, updates: known }
  const after = accuracyOfMany({ version: 91, accuracy }, { count: 1, scaled: 3 })
  expect(after?.updates).toEqual([
    { version: 91, count: 1, scaled: 3, errorMax: 10 },
    ...known.slice(0, -1),
  ])
  expect(accuracyOfMany({ version: 91, accuracy }, { count: 0, scaled: 0 })).toEqual(accuracy)
})
