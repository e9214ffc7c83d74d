import { createHash } from 'node:crypto'
import { encodeShard } from '@almanac/engine'
import { Registry, type ShardRef, systemClock, Unavailable } from '@almanac/shared'
import { expect, test } from 'vitest'
import { Gate } from '../../src/base/gate.ts'
import { createNodeMetrics } from '../../src/base/metrics.ts'
import { bounds } from '../../src/config/bounds.ts'
import { Shards, type ShardsContext } from '../../src/serving/shards.ts'

const bytes = (i: number) =>
  encodeShard({ keys: [`k${i}`], columns: {}, payloads: [new Uint8Array(1_000).fill(i)] })
const refOf = (i: number): ShardRef => ({
  ...{ first: `k${i}`, blob: `b${i}`, sizeBytes: 1_000, series: 1 },
  sha256: createHash('sha256').update(bytes(i)).digest('hex'),
})

function shards(bytesMax: number, readBlob: (id: string) => Promise<Uint8Array>) {
  const reads: string[] = []
  const store = {
    readBlob: ({ id }: { id: string }) => {
      reads.push(id)
      return readBlob(id)
    },
  } as never
  const metrics = createNodeMetrics(new Registry())
  const context: ShardsContext = { store, clock: systemClock, metrics, largeLoads: new Gate(1) }
  return { shards: new Shards(context, bytesMax), reads }
}

const stored = async (id: string) => bytes(Number(id.slice(1)))

test('those that were used last are kept, as many as there is room for', async () => {
  const { shards: some, reads } = shards(4_500, stored)
  for (const i of [1, 2, 3]) await some.load(refOf(i))
  await some.load(refOf(1))
  await some.load(refOf(4))
  const kept = [1, 2, 3, 4].filter((i) => some.find(refOf(i)))
  expect([kept, reads]).toEqual([
    [1, 3, 4],
    ['b1', 'b2', 'b3', 'b4'],
  ])
})

test('one that is larger than all room is read again each time', async () => {
  const { shards: some, reads } = shards(500, stored)
  for (let i = 0; i < 2; i++) expect((await some.load(refOf(7))).keyAt(0)).toBe('k7')
  expect(reads).toEqual(['b7', 'b7'])
})

test('only so many are read at once, only so many wait, and the others are told so', async () => {
  const ready = Promise.withResolvers<void>()
  const { shards: some, reads } = shards(1_000_000, async (id) => {
    await ready.promise
    return await stored(id)
  })
  const loads = Array.from({ length: bounds.shardLoadsMax }, (_, i) => some.load(refOf(i), 60_000))
  const busy = { status: 503, code: 'busy', retryAfterSeconds: 1 }
  await expect(some.load(refOf(999))).rejects.toMatchObject(busy)
  const same = Array.from({ length: bounds.shardWaitersMax - bounds.shardLoadsMax }, () =>
    some.load(refOf(0), 60_000),
  )
  await expect(some.load(refOf(0))).rejects.toMatchObject(busy)
  expect(reads).toHaveLength(bounds.shardLoadsAtOnceMax)
  ready.resolve()
  await Promise.all([...loads, ...same])
  expect(reads).toHaveLength(bounds.shardLoadsMax)
})

test('a damaged one is not read at every request', async () => {
  const { shards: some, reads } = shards(1_000_000, async () => bytes(2))
  for (let i = 0; i < 3; i++)
    await expect(some.load(refOf(1))).rejects.toMatchObject({ status: 500, code: 'unloadable' })
  expect(reads).toEqual(['b1'])
})

test('what is read ahead leaves half of the memory to what is in use, and is the same ranges', async () => {
  const { shards: some, reads } = shards(10_000, stored)
  const index = (...places: number[]) => {
    const of = { format: 1, kind: 'models' } as const
    return { ...of, shards: places.map((i) => ({ ...refOf(i % 100), first: `k${i}` })) }
  }
  // Seven are in use; the next version has two shards where this one has one.
  const from = index(10, 20, 30, 40, 50, 60, 70)
  for (const ref of from.shards) await some.load(ref)
  reads.length = 0
  const to = index(11, 15, 21, 25, 31, 35, 41, 45)
  await some.readAhead(from, to, new AbortController().signal)
  expect(reads).toHaveLength(5)
  for (const id of reads) expect(to.shards.map(({ blob }) => blob)).toContain(id)
})

test('what is read ahead ends with the store, and nobody is told', async () => {
  const { shards: some } = shards(10_000, async (id) => {
    if (id === 'b2') throw new Unavailable('store', 'away')
    return await stored(id)
  })
  const index = (i: number) => ({ format: 1, kind: 'models', shards: [refOf(i)] }) as const
  await some.load(refOf(1))
  const signal = new AbortController().signal
  const to = { ...index(2), shards: [{ ...refOf(2), first: 'k1' }] }
  await some.readAhead({ ...index(1), shards: [...index(1).shards] }, to, signal)
  expect(some.find(refOf(2))).toBeUndefined()
})
