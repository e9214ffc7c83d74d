import { encodeModel, fitModel, parseSpec, seedOfKey } from '@almanac/engine'
import { claimKey, codecs, put, remove, shardClaimKey } from '@almanac/shared'
import { expect, test, vi } from 'vitest'
import { seedOf } from '../../src/fitting/seed.ts'
import { breakable, breakableStore } from '../support/faults.ts'
import {
  type Order,
  openMachine,
  openNode,
  order,
  putModel,
  queueFit,
  quickSpec,
  readJob,
  readVersion,
  soon,
  until,
  untilJob,
} from '../support/machine.ts'
import { handedOver, shardsOf, tried, untilBegun } from '../support/shard-work.ts'
import {
  type Keyed,
  keyedSeries,
  orderShards,
  queueShards,
  readModels,
  readShardRecords,
} from '../support/shards.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)
const crashing = new URL('../support/crashing-worker.ts', import.meta.url)

function fittedAlone(of: Order, { key, y }: Keyed): Buffer {
  const spec = parseSpec(quickSpec)
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  const seed = seedOfKey(seedOf(of, of.version), key)
  const series = { key, y: Float64Array.from(y, (value) => value ?? Number.NaN) }
  const fitted = fitModel(series, spec.value, { seed, workMax: 1e9 })
  if (fitted.kind === 'refused') throw new Error(fitted.reason.detail)
  return Buffer.from(encodeModel(fitted.value))
}

test('nodes share the shards of a fit; each series has the model that it has alone', async () => {
  const machine = await openMachine()
  const nodes = [await openNode(machine), await openNode(machine)]
  const series = keyedSeries(60)
  const of = await queueShards(machine, series, 7)
  for (const node of nodes) await orderShards(machine, node, of.job)
  const job = await untilJob(machine, of, 'done')

  const version = await readVersion(machine, of)
  expect(version).toMatchObject({ state: 'stored', series: 60 })
  expect(version.metrics).toMatchObject({ series: 60, shards: 9, 'code:ok': 60 })
  expect(job.attempts).toBe(1)
  const { index, shards } = await readModels(machine, version.blob!)
  expect(index.shards.map(({ first }) => first)).toEqual(
    series.filter((_, i) => i % 7 === 0).map(({ key }) => key),
  )
  const models = shards.flatMap((shard) =>
    Array.from({ length: shard.count }, (_, place) => [
      shard.keyAt(place),
      Buffer.from(shard.payloadAt(place)),
    ]),
  )
  expect(models).toEqual(series.map((one) => [one.key, fittedAlone(of, one)]))
  const done = await Promise.all(nodes.map((node) => shardsOf(node, 'fitted')))
  expect(done[0]! + done[1]!).toBe(9)
  expect(Math.min(...done)).toBeGreaterThan(0)
})

test('a bad series has a code and a simpler model, or none, and sinks nobody', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const series = keyedSeries(6, { 1: [1, 2], 3: [null, null], 4: [5] })
  const of = await queueShards(machine, series, 4)
  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')

  const { metrics, blob } = await readVersion(machine, of)
  expect(metrics).toMatchObject({ series: 6, 'code:ok': 3 })
  const { index, shards } = await readModels(machine, blob!)
  const codes = shards.flatMap((shard) => shard.columns.get('code') as string[])
  expect(codes.map((code) => code === 'ok')).toEqual([true, false, true, false, false, true])
  const families = shards.flatMap((shard) => shard.columns.get('family') as string[])
  expect(families[1]).not.toBe('')
  expect(families[3]).toBe('')
  expect(index.shards[0]?.codes).toMatchObject({ ok: 2 })
})

test('what one node had done stays done when it is gone', async () => {
  const machine = await openMachine()
  const { of, kept, second } = await handedOver(machine, () =>
    queueShards(machine, keyedSeries(40), 4),
  )

  const { blob } = await readVersion(machine, of)
  const { index } = await readModels(machine, blob!)
  const blobs = index.shards.map((shard) => shard.blob)
  expect(blobs).toEqual(expect.arrayContaining(kept))
  expect(await shardsOf(second, 'fitted')).toBe(10 - kept.length)
})

test('series that end their thread are passed over; the rest of the shard is as asked', async () => {
  const machine = await openMachine()
  vi.stubEnv('ALMANAC_TEST_CRASH_AT', '2,5')
  const node = await openNode(machine, { fitWorkerFile: crashing })
  const series = keyedSeries(8)
  const of = await queueShards(machine, series, 8)
  await orderShards(machine, node, of.job)
  const job = await untilJob(machine, of, 'done')
  vi.unstubAllEnvs()
  expect(job.attempts).toBe(1)
  const { metrics, blob } = await readVersion(machine, of)
  expect(metrics).toMatchObject({ 'code:ok': 6, 'code:ends-threads': 2 })
  const { shards } = await readModels(machine, blob!)
  const codes = shards[0]!.columns.get('code') as string[]
  expect(codes[2]).toBe('ends-threads')
  expect(codes[5]).toBe('ends-threads')
})

test('a shard that cannot be read ends the fit with its reason', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueShards(machine, keyedSeries(8), 4)
  const version = await readVersion(machine, of)
  const index = await machine.store.readBlob({ kind: 'dataset', id: version.dataset.blob }, soon())
  const [, second] = JSON.parse(Buffer.from(index).toString()).shards
  await machine.store.deleteBlob({ kind: 'dataset', id: second.blob }, soon())
  await orderShards(machine, node, of.job)
  const job = await untilJob(machine, of, 'failed')
  expect(job.error).toMatchObject({ phase: 'fit', reason: 'bad-dataset' })
  expect(job.error?.detail).toContain(second.blob)
})

test('a shard that has ended processes again and again has the simplest models', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueShards(machine, keyedSeries(4), 2)
  await tried(machine, of, 3)
  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const { metrics } = await readVersion(machine, of)
  expect(metrics).toMatchObject({ 'code:ok': 2, 'code:ends-processes': 2 })
})

test('one that ends them even so fails the fit', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueShards(machine, keyedSeries(4), 2)
  await tried(machine, of, 6)
  await orderShards(machine, node, of.job)
  const job = await untilJob(machine, of, 'failed')
  expect(job.error).toMatchObject({ reason: 'attempts-exhausted' })
})

test('a drain gives the shard back with its attempt', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const spec = { act: 'until-stopped' }
  const of = await queueShards(machine, keyedSeries(4), 2, { spec })
  await orderShards(machine, node, of.job)
  await untilBegun(machine, of)
  await node.drain()
  const [record] = (await readShardRecords(machine, of.job)).values()
  expect(record).toEqual({ attempts: 0, fitted: null, error: null })
  const claims = await machine.coordinator.list(claimKey(of.job), soon())
  expect(claims.entries).toEqual([])
})

test('an attempt that the loss of a claim cost is given back', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  const node = await openNode({ ...machine, coordinator }, { fitWorkerFile: scripted })
  const of = await queueShards(machine, keyedSeries(2), 2, { spec: { act: 'until-stopped' } })
  await orderShards(machine, node, of.job)
  await until(async () => (await readShardRecords(machine, of.job)).get(0)?.attempts === 1)
  const claim = await machine.coordinator.get(shardClaimKey(of.job, 0), soon())
  const leases = faults.leases.filter(({ id }) => id === claim?.lease)
  expect(leases).toHaveLength(1)
  // So that it is not claimed again at once, which would hide that it was given back.
  const foreign = [put(claimKey(of.job), codecs.claim.encode(anothers))]
  await machine.coordinator.transact({ when: [], then: foreign }, soon())
  for (const lease of leases) await lease.revoke(soon())
  await until(async () => (await readShardRecords(machine, of.job)).get(0)?.attempts === 0)
})

test.each([
  [16, 0.25],
  [17, undefined],
])('how far each is can be seen of up to 16 shards: of %d', async (shards, told) => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted, timing: { progressMs: 20 } })
  const spec = { act: 'until-stopped' }
  const of = await queueShards(machine, keyedSeries(shards), 1, { spec })
  await orderShards(machine, node, of.job)
  await untilBegun(machine, of)
  const progress = async () => [...(await readShardRecords(machine, of.job)).values()][0]?.progress
  if (told === undefined) await new Promise((done) => setTimeout(done, 500))
  else await until(async () => (await progress()) !== undefined)
  expect(await progress()).toBe(told)
})

test('fits of one series do not wait until a shard is fitted, one of them at a time', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const spec = { act: 'until-stopped' }
  const many = await queueShards(machine, keyedSeries(4), 2, { spec })
  await orderShards(machine, node, many.job)
  await untilBegun(machine, many)
  const [first, second] = [
    await queueFit(machine, { model: 'first', spec: { act: 'answer', afterMs: 500 } }),
    await queueFit(machine, { model: 'second', spec: { act: 'answer' } }),
  ]
  for (const { job } of [first, second]) expect((await order(machine, node, job)).ok).toBe(true)
  await untilJob(machine, second, 'done')
  expect(await readJob(machine, first.job)).toMatchObject({ state: 'done' })
  // Nor do shards take the place of a fit that ended.
  expect((await readShardRecords(machine, many.job)).size).toBe(1)
})

test('deleting the model stops its shards', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueShards(machine, keyedSeries(4), 2, { spec: { act: 'until-stopped' } })
  await orderShards(machine, node, of.job)
  await untilBegun(machine, of)
  await putModel(machine, of, { deletedAt: new Date().toISOString(), floor: 1 })
  await until(async () => (await shardsOf(node, 'deleted')) === 1)
  const claims = await machine.coordinator.list(claimKey(of.job), soon())
  expect(claims.entries).toEqual([])
})

test('a shard that was taken away meanwhile is not recorded', async () => {
  const machine = await openMachine()
  const { store, faults } = breakableStore(machine.store)
  const node = await openNode({ ...machine, store })
  const of = await queueShards(machine, keyedSeries(2), 2)
  faults.away = true
  await orderShards(machine, node, of.job)
  await untilBegun(machine, of)
  const key = shardClaimKey(of.job, 0)
  const then = [put(key, codecs.claim.encode(anothers))]
  await machine.coordinator.transact({ when: [], then: [remove(key)] }, soon())
  await machine.coordinator.transact({ when: [], then }, soon())
  faults.away = false
  await until(async () => (await shardsOf(node, 'claim-lost')) === 1)
  expect((await readShardRecords(machine, of.job)).get(0)?.fitted).toBeNull()
})

test('ordinary fits go first between two shards', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueShards(machine, keyedSeries(200), 4)
  await orderShards(machine, node, of.job)
  const small = await queueFit(machine, { model: 'small' })
  await order(machine, node, small.job)
  await untilJob(machine, small, 'done')
  expect((await readJob(machine, of.job)).state).toBe('running')
  await untilJob(machine, of, 'done')
})

const anothers = { node: '10.0.0.9_5001', instance: 'another', since: new Date().toISOString() }
