import { expect, test } from 'vitest'
import { ByteCache } from '../../src/serving/byte-cache.ts'

test('what was used longest ago goes first, and the bytes stay within bounds', () => {
  const cache = new ByteCache<Buffer>(5_000, ({ length }) => length)
  cache.set('a', Buffer.alloc(1_000))
  cache.set('b', Buffer.alloc(1_000))
  cache.set('c', Buffer.alloc(1_000))
  expect(cache.get('a')).toBeDefined()
  cache.set('d', Buffer.alloc(1_000))
  cache.set('e', Buffer.alloc(1_000))
  expect(cache.get('b')).toBeUndefined()
  expect(cache.get('a')).toBeDefined()
  expect(cache.bytes).toBeLessThanOrEqual(5_000)
})

test('one large answer does not throw everything else out', () => {
  const cache = new ByteCache<Buffer>(5_000, ({ length }) => length)
  cache.set('small', Buffer.alloc(100))
  cache.set('large', Buffer.alloc(4_000))
  expect(cache.get('large')).toBeUndefined()
  expect(cache.get('small')).toBeDefined()
})

test('replacing an entry counts it once', () => {
  const cache = new ByteCache<Buffer>(5_000, ({ length }) => length)
  for (let i = 0; i < 100; i++) cache.set('a', Buffer.alloc(1_000))
  expect(cache.bytes).toBeLessThan(1_500)
})
