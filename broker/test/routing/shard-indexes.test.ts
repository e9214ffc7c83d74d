import { createHash } from 'node:crypto'
import {
  type ClusterState,
  encodeShardIndex,
  limits,
  type ShardIndex,
  type VersionRecord,
} from '@almanac/shared'
import { expect, test } from 'vitest'
import { createShardIndexes } from '../../src/routing/shard-indexes.ts'

const of = { tenant: 'default', model: 'm' }

const indexOf = (...firsts: string[]): ShardIndex => ({
  ...{ format: 1, kind: 'models' },
  shards: firsts.map((first) => ({
    ...{ first, blob: `of-${first}`, sha256: 'a'.repeat(64), sizeBytes: 10, series: 2 },
  })),
})
const recordOf = (blob: string, index: ShardIndex) => {
  const content = encodeShardIndex(index)
  const sha256 = createHash('sha256').update(content).digest('hex')
  const sizeBytes = content.byteLength
  return { blob, sha256, sizeBytes, state: 'stored', series: 4 } as VersionRecord
}

function indexes(stored: Record<string, ShardIndex>, change: Partial<typeof limits> = {}) {
  const reads: string[] = []
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs }
  const store = {
    readBlob: async ({ id }: { id: string }) => {
      reads.push(id)
      const found = stored[id]
      if (found === undefined) throw new Error('away on purpose')
      return encodeShardIndex(found)
    },
  }
  const versions = Object.entries(stored).map(
    ([blob, index], i) => [i + 1, { value: recordOf(blob, index) }] as const,
  )
  const state = { versions: new Map([['default/m', new Map(versions)]]) } as never as ClusterState
  const bounds = { ...limits, ...change }
  return { ...createShardIndexes({ store, clock, state: () => state, bounds }), reads, clock }
}

test('an index is read once for all who need it', async () => {
  const index = indexOf('a', 'b')
  const { read, reads } = indexes({ one: index })
  const record = recordOf('one', index)
  expect(await Promise.all([read(record), read(record)])).toEqual([index, index])
  expect(await read(record)).toEqual(index)
  expect(reads).toEqual(['one'])
})

test('an index that is not what the version says is of no use', async () => {
  const { read } = indexes({ one: indexOf('b'), data: { ...indexOf('a'), kind: 'data' } })
  await expect(read(recordOf('one', indexOf('a')))).rejects.toThrow('checksum')
  const data = recordOf('data', { ...indexOf('a'), kind: 'data' })
  await expect(read(data)).rejects.toThrow('not one of models')
  const sizeBytes = limits.shardIndexBytesMax + 1
  await expect(read({ ...recordOf('one', indexOf('b')), sizeBytes })).rejects.toThrow('more than')
})

test('what cannot be read is tried again after a moment', async () => {
  const { read, reads, clock } = indexes({})
  const record = recordOf('one', indexOf('a'))
  for (let i = 0; i < 3; i++) await expect(read(record)).rejects.toThrow('away')
  expect(reads).toHaveLength(1)
  clock.nowMs += limits.shardIndexRestMs
  await expect(read(record)).rejects.toThrow('away')
  expect(reads).toHaveLength(2)
})

test('the longest unused go where there is no room', async () => {
  const all = { one: indexOf('a'), two: indexOf('b'), three: indexOf('c') }
  const record = (blob: keyof typeof all) => recordOf(blob, all[blob])
  const room = { shardIndexesBytesMax: 2 * record('one').sizeBytes! }
  const { read, reads, bytes } = indexes(all, room as never)
  for (const blob of ['one', 'two', 'one', 'three', 'one', 'two'] as const) await read(record(blob))
  expect(reads).toEqual(['one', 'two', 'three', 'two'])
  expect(bytes()).toBeLessThanOrEqual(room.shardIndexesBytesMax)
})

test('a shard is known by where it begins, in whichever version', async () => {
  const { shardOf } = indexes({ one: indexOf('a', 'm'), two: indexOf('a', 'm', 'x') })
  expect(await shardOf(of, 1, 'n')).toBe('default/m m')
  expect(await shardOf(of, 2, 'n')).toBe('default/m m')
  expect(await shardOf(of, 2, 'z')).toBe('default/m x')
  expect(await shardOf(of, 3, 'z')).toBeUndefined()
})
