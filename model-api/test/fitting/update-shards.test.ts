import { decodeModel, encodeModel, updateModel } from '@almanac/engine'
import { codecs, put, versionKey } from '@almanac/shared'
import { expect, test, vi } from 'vitest'
import {
  type Machine,
  openMachine,
  openNode,
  readVersion,
  soon,
  untilJob,
} from '../support/machine.ts'
import {
  type Keyed,
  keyedSeries,
  orderShards,
  queueShards,
  queueUpdate,
  readModels,
} from '../support/shards.ts'

const crashing = new URL('../support/crashing-worker.ts', import.meta.url)

/** A stored version of so many series, four to a shard. */
async function openFitted(count = 16, nodes = 1) {
  const machine = await openMachine()
  const opened = await Promise.all(Array.from({ length: nodes }, () => openNode(machine)))
  const of = await queueShards(machine, keyedSeries(count), 4)
  for (const node of opened) await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const { blob } = await readVersion(machine, of)
  return { machine, nodes: opened, of, base: await readModels(machine, blob!) }
}

/** Each model of a version, by key. */
async function modelsOf(machine: Machine, blob: string) {
  const { shards } = await readModels(machine, blob)
  return new Map(
    shards.flatMap((shard) =>
      Array.from({ length: shard.count }, (_, place) => [
        shard.keyAt(place),
        Buffer.from(shard.payloadAt(place)),
      ]),
    ) as [string, Buffer][],
  )
}

function updatedAlone(model: Buffer, { y }: Keyed): Buffer {
  const decoded = decodeModel(model)
  if (decoded.kind === 'refused') throw new Error(decoded.reason.detail)
  const newer = { y: Float64Array.from(y, (value) => value ?? Number.NaN) }
  const updated = updateModel(decoded.value, newer)
  if (updated.kind === 'refused') throw new Error(updated.reason.detail)
  return Buffer.from(encodeModel(updated.value))
}

test('nodes share an update; shards without news are those of the base', async () => {
  const { machine, nodes, of, base } = await openFitted(40, 2)
  const news = [1, 2, 9, 20, 21, 22, 30, 39].map((i) => ({
    key: `product=${String(i).padStart(3, '0')}`,
    y: [11 + i, null, 12 + i],
  }))
  const update = await queueUpdate(machine, of, news)
  for (const node of nodes) await orderShards(machine, node, update.job)
  await untilJob(machine, update, 'done')

  const version = await readVersion(machine, update)
  expect(version).toMatchObject({ state: 'stored', series: 40 })
  expect(version.calendar).toBeUndefined()
  expect(version.metrics).toMatchObject({ series: 40, shards: 10, 'code:ok': 40 })
  const { index } = await readModels(machine, version.blob!)
  const isNew = index.shards.map(({ blob }, i) => blob !== base.index.shards[i]!.blob)
  const written = new Set([0, 2, 5, 7, 9])
  expect(isNew).toEqual(isNew.map((_, i) => written.has(i)))
  expect(index.shards.map(({ first }) => first)).toEqual(
    base.index.shards.map(({ first }) => first),
  )
  const before = await modelsOf(machine, (await readVersion(machine, of)).blob!)
  for (const [key, model] of await modelsOf(machine, version.blob!)) {
    const own = news.find((one) => one.key === key)
    expect(model, key).toEqual(own ? updatedAlone(before.get(key)!, own) : before.get(key))
  }
  expect(version.metrics.modelBytes).toBe(
    index.shards.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  )
})

test('new series are counted, before the first and after the last, and what comes next finds them', async () => {
  const { machine, nodes, of } = await openFitted(8)
  const fresh = (key: string) => ({ key, y: keyedSeries(1)[0]!.y })
  const keys = ['a first', 'product=001x', 'z last']
  const update = await queueUpdate(machine, of, keys.map(fresh))
  await orderShards(machine, nodes[0]!, update.job)
  await untilJob(machine, update, 'done')
  const version = await readVersion(machine, update)
  expect(version).toMatchObject({ series: 11, metrics: { series: 11, 'code:ok': 11 } })
  const { index, shards } = await readModels(machine, version.blob!)
  expect(index.shards.map(({ first, series }) => [first, series])).toEqual([
    ['a first', 6],
    ['product=004', 5],
  ])
  expect(shards[0]!.find('product=001x')).toBe(3)

  const next = await queueUpdate(machine, update, [{ key: 'a first', y: [1] }])
  await orderShards(machine, nodes[0]!, next.job)
  await untilJob(machine, next, 'done')
  expect(await readVersion(machine, next)).toMatchObject({ series: 11 })
})

test('a series that ends its thread keeps its model; the news of others are added', async () => {
  const { machine, of, base } = await openFitted(4)
  vi.stubEnv('ALMANAC_TEST_CRASH_AT', '1')
  const node = await openNode(machine, { fitWorkerFile: crashing })
  const news = ['product=000', 'product=002', 'product=003'].map((key) => ({ key, y: [9] }))
  const update = await queueUpdate(machine, of, news)
  await orderShards(machine, node, update.job)
  await untilJob(machine, update, 'done')
  vi.unstubAllEnvs()
  const { metrics, blob } = await readVersion(machine, update)
  expect(metrics).toMatchObject({ 'code:ok': 3, 'code:ends-threads': 1 })
  const { shards } = await readModels(machine, blob!)
  expect(shards[0]!.columns.get('code')).toEqual(['ok', 'ok', 'ends-threads', 'ok'])
  expect(shards[0]!.columns.get('steps')).toEqual(Int32Array.of(41, 40, 40, 41))
  expect(Buffer.from(shards[0]!.payloadAt(2))).toEqual(Buffer.from(base.shards[0]!.payloadAt(2)))
})

test.each(['a shard', 'the index'])(
  '%s of the base that is not what was meant ends the update',
  async (what) => {
    const { machine, nodes, of, base } = await openFitted(8)
    const update = await queueUpdate(machine, of, [{ key: 'product=005', y: [9] }])
    const { store } = machine
    const version = await readVersion(machine, update)
    const blob = what === 'a shard' ? base.index.shards[1]!.blob : version.base!.blob
    if (what === 'a shard') {
      const content = await store.readBlob({ kind: 'model', id: blob }, soon())
      content[content.length >> 1]! ^= 1
      await store.deleteBlob({ kind: 'model', id: blob }, soon())
      await store.writeBlob({ kind: 'model', id: blob, content, label: 'spoiled' }, soon())
    } else {
      const other = { ...version, base: { ...version.base!, sha256: '0'.repeat(64) } }
      const then = [put(versionKey(update, 2), codecs.version.encode(other))]
      await machine.coordinator.transact({ when: [], then }, soon())
    }
    await orderShards(machine, nodes[0]!, update.job)
    const job = await untilJob(machine, update, 'failed')
    expect(job.error).toMatchObject({ phase: 'fit', reason: 'bad-dataset' })
    expect(job.error?.detail).toMatch(/version 1, the base, has SHA-256/)
  },
)

test('an update with two shards of data for one of the base fails: one would hide the other', async () => {
  const { machine, nodes, of } = await openFitted(8)
  const news = ['product=004', 'product=005'].map((key) => ({ key, y: [9] }))
  const cut = news.map((one) => [one])
  const update = await queueUpdate(machine, of, news, cut)
  await orderShards(machine, nodes[0]!, update.job)
  const job = await untilJob(machine, update, 'failed')
  expect(job.error?.detail).toContain('Two shards are of product=004')
})

test('indexes are read once for all shards of a job, not at each of them', async () => {
  const machine = await openMachine()
  const reads: string[] = []
  const store = new Proxy(machine.store, {
    get: (target, name) => {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (ref: { readonly id: string }, ...rest: unknown[]) => {
        if (name === 'readBlob') reads.push(ref.id)
        return value.call(target, ref, ...rest)
      }
    },
  })
  const node = await openNode({ ...machine, store }, { roles: ['fit'] })
  const of = await queueShards(machine, keyedSeries(24), 4)
  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const fitted = await readVersion(machine, of)
  const news = [0, 4, 8, 12, 16, 20].map((i) => ({
    key: `product=${String(i).padStart(3, '0')}`,
    y: [11 + i],
  }))
  const update = await queueUpdate(machine, of, news)
  await orderShards(machine, node, update.job)
  await untilJob(machine, update, 'done')
  const updated = await readVersion(machine, update)
  // One for all shards, and one by who joins them.
  const countOf = (blob: string) => reads.filter((id) => id === blob).length
  const indexes = [fitted.dataset.blob, updated.dataset.blob, fitted.blob!]
  expect(indexes.map(countOf)).toEqual([2, 2, 2])
})
