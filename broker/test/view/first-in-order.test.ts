import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstInOrder, someNames } from '../../src/view/first-in-order.ts'

test('a page is what sorting everything would give', () => {
  const names = fc.uniqueArray(fc.string({ maxLength: 6 }), { maxLength: 60 })
  const cursors = fc.option(fc.string({ maxLength: 6 }))
  fc.assert(
    fc.property(names, cursors, fc.integer({ min: 1, max: 70 }), (texts, cursor, count) => {
      const sorted = texts.filter((text) => cursor === null || text > cursor)
      sorted.sort((a, b) => (a < b ? -1 : 1))
      expect(firstInOrder(texts, count, cursor)).toEqual(sorted.slice(0, count))
    }),
  )
})

test('five names are told, and whether there are more', () => {
  expect(someNames([])).toBe('')
  expect(someNames(['b', 'a'])).toBe('a, b')
  expect(someNames(['e', 'd', 'c', 'b', 'a'])).toBe('a, b, c, d, e')
  expect(someNames(['f', 'e', 'd', 'c', 'b', 'a'])).toBe('a, b, c, d, e, …')
})
