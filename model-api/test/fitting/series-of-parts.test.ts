import { hash } from 'node:crypto'
import type { CutShard } from '@almanac/engine'
import { type BlobRef, encodeShardIndex, limits, type VersionRecord } from '@almanac/shared'
import { expect, test } from 'vitest'
import { bounds } from '../../src/config/bounds.ts'
import { seriesOfParts } from '../../src/fitting/parts/series-of-parts.ts'
import type { FitReply } from '../../src/fitting/worker-protocol.ts'

type Work = Parameters<Parameters<typeof seriesOfParts>[1]['fit']>[0]

/** Joins parts of these shards of bytes with a thread that says what it is told to. */
function join(
  parts: readonly (readonly Uint8Array[])[],
  reply: (work: Work, place: number) => Partial<FitReply & { kind: 'joined' }>,
  observations = 1,
) {
  const blobs = new Map<string, Uint8Array>()
  const indexes = parts.map((shards, part) => {
    const refs = shards.map((bytes, shard) => {
      const blob = `${part}/${shard}`
      blobs.set(blob, bytes)
      const known = { sizeBytes: bytes.byteLength, sha256: hash('sha256', bytes, 'hex') }
      return { first: `k=${shard}`, blob, ...known, series: 1 }
    })
    blobs.set(`${part}`, encodeShardIndex({ format: 1, kind: 'data', shards: refs }))
    return { version: part + 1, blob: `${part}`, observations }
  })
  const read: string[] = []
  const works: Work[] = []
  const made = seriesOfParts({ metrics: {}, parts: indexes } as Partial<VersionRecord> as never, {
    read: async ({ id }: BlobRef) => {
      read.push(id)
      return blobs.get(id)!
    },
    store: async () => 'stored',
    onProgress: () => {},
    fit: async (work) => {
      works.push(work)
      return { kind: 'joined', id: 1, full: [], rest: null, ...reply(work, works.length - 1) }
    },
  })
  return made.then((result) => ({ result, read, works }))
}

const cut = (first: string): CutShard => ({
  ...{ first, series: 1, observations: 1, missing: 0, bytes: new Uint8Array(8) },
})
const byte = (value: number) => Uint8Array.of(value)

test('each shard of the fit is joined with what came later, oldest first, and what was left', async () => {
  const parts = [
    [byte(1), byte(2)],
    [byte(3), byte(4)],
    [byte(5), byte(6)],
  ]
  const { works, result } = await join(parts, (_, place) => ({ rest: cut(`k=${place}`) }))
  const bytes = works.map(({ dataset, join: asked }) => [dataset, ...asked!.later].map(([b]) => b))
  expect(bytes).toEqual([
    [1, 3, 5],
    [2, 4, 6],
  ])
  expect(works.map(({ join: asked }) => asked!.rest?.length)).toEqual([undefined, 8])
  expect(result).toMatchObject({ kind: 'made', shards: 1, series: 1 })
})

test('shards are those of a fit, and larger where there would be too many', async () => {
  const sizesOf = async (observations: number) =>
    (await join([[byte(1)]], () => ({ full: [cut('a')] }), observations)).works[0]!.join!.sizes
  expect(await sizesOf(1_000_000)).toEqual({
    series: limits.shardSeriesMax,
    observations: limits.shardObservationsMax,
  })
  // Half of the aim would be cut by observations: more than the most there can be, else.
  const { observations } = await sizesOf(400 * 1_000_000)
  expect(observations).toBe(1_000_000)
})

test('as many shards as a version can have are made, and one more is refused', async () => {
  const full = Array.from({ length: limits.shardsMax }, (_, i) => cut(String(i).padStart(4, '0')))
  const most = await join([[byte(1)]], () => ({ full }))
  expect(most.result).toMatchObject({ kind: 'made', shards: limits.shardsMax })
  const more = await join([[byte(1)]], () => ({ full, rest: cut('z') }))
  expect(more.result).toMatchObject({ kind: 'refused', reason: 'too-many' })
})

test('more bytes than a shard may come to are refused, and not read on', async () => {
  const half = new Uint8Array(bounds.joinedPartsBytesMax / 2)
  const parts = [[half, byte(1)], [half], [byte(7)], [byte(8)]]
  const { result, read, works } = await join(parts, () => ({}))
  expect(result).toMatchObject({ kind: 'refused', reason: 'too-large' })
  expect(read.at(-1)).toBe('2/0')
  expect(works).toEqual([])
}, 60_000)
