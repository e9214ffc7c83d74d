import { expect, test } from 'vitest'
import { decodeShardIndex, encodeShardIndex, type ShardIndex, shardOf } from '../../src/index.ts'

const shard = (first: string) => ({
  ...{ first, blob: `of-${first}`, sha256: 'a'.repeat(64), sizeBytes: 10, series: 2 },
})
const index = (...firsts: string[]): ShardIndex => ({
  ...{ format: 1, kind: 'models', shards: firsts.map(shard) },
})

test('an index comes back as it was written', () => {
  const written = index('a', 'b\u{10000}', 'c')
  expect(decodeShardIndex(encodeShardIndex(written))).toEqual({ ok: true, value: written })
})

test.each([
  ['no text', Uint8Array.of(0xff, 0x00)],
  ['no shards', encodeShardIndex({ ...index('a'), shards: [] })],
  ['shards out of order', encodeShardIndex(index('b', 'a'))],
  ['a shard twice', encodeShardIndex(index('a', 'a'))],
  ['UTF-16 order in place of that of bytes', encodeShardIndex(index('\u{10000}', '\uffff'))],
])('%s is refused with its fault', (_, bytes) => {
  expect(decodeShardIndex(bytes)).toMatchObject({ ok: false, fault: expect.any(String) })
})

test.each([
  ['before all', '0', 0],
  ['the first', 'b', 0],
  ['between', 'cc', 0],
  ['a border', 'd', 1],
  ['after all', 'zz', 2],
])('a key %s is looked for in its shard', (_, key, place) => {
  expect(shardOf(index('b', 'd', 'f'), key)).toBe(place)
})
