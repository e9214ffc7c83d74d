import { expect, test } from 'vitest'
import {
  decodeShardIndex,
  encodeShardIndex,
  nextOf,
  nextText,
  type ShardIndex,
  shardOf,
  shardsWith,
} from '../../src/index.ts'

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

test.each([
  ['before all', '0', [0, 1]],
  ['in the first', 'ba', [0, 1]],
  ['at a border', 'd', [1, 3]],
  ['within a shard', 'da1', [2, 3]],
  ['over all', '', [0, 4]],
  ['after all', 'zz', [3, 4]],
])('a prefix %s is looked for in all shards that may have it', (_, prefix, [from, to]) => {
  expect(shardsWith(index('b', 'd', 'da', 'f'), prefix)).toEqual({ from, to })
})

test('where to go on comes through a header, whatever the key is', () => {
  for (const after of [null, '', 'store=3,product=\u00e9%', 'a b\n"'])
    expect(nextOf(nextText(after))).toEqual({ after })
  for (const text of [undefined, '', 'beginning', 'after=%', ['end']])
    expect(nextOf(text)).toBeUndefined()
})
