import { judge, seedOfKey } from '@almanac/engine'
import {
  claimKey,
  codecs,
  jobKey,
  modelsPrefix,
  put,
  type ShardRecord,
  shardClaimKey,
  shardKey,
} from '@almanac/shared'
import { expect, test, vi } from 'vitest'
import { seedOf } from '../../src/fitting/seed.ts'
import { queueBacktest, queueBacktestOfOne, readResult, settings } from '../support/backtests.ts'
import { breakable, breakableStore } from '../support/faults.ts'
import {
  claimed,
  type Machine,
  type Order,
  openMachine,
  openNode,
  order,
  putModel,
  queueFit,
  quickSpec,
  readJob,
  shortSeries,
  soon,
  until,
  untilJob,
} from '../support/machine.ts'
import { handedOver, shardsOf, tried, untilBegun } from '../support/shard-work.ts'
import { keyedSeries, orderShards, readShardRecords } from '../support/shards.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)
const crashing = new URL('../support/crashing-worker.ts', import.meta.url)
const untilStopped = { spec: { act: 'until-stopped' } }

test('nodes share the shards of a backtest; each series is judged as it is alone', async () => {
  const machine = await openMachine()
  const nodes = [await openNode(machine), await openNode(machine)]
  const series = keyedSeries(30, { 4: [1, 2], 9: [null, null] })
  const of = await queueBacktest(machine, series, 4)
  for (const node of nodes) await orderShards(machine, node, of.job)
  const job = await untilJob(machine, of, 'done')

  expect(job).toMatchObject({ attempts: 1, progress: { phase: 'done', fraction: 1 } })
  const { entries, scores, steps, shards } = await readResult(machine, of)
  expect(entries.map(({ key }) => key)).toEqual(series.map(({ key }) => key))
  expect(scores).toMatchObject({ series: 30, judged: 28, codes: { ok: 28, 'too-short': 2 } })
  expect(shards).toHaveLength(8)
  const { key, y } = series[7]!
  const alone = judge({ y: Float64Array.from(y as number[]) }, quickSpec, settings, {
    ...{ seed: seedOfKey(seedOf(of, 1), key), workMax: 1e9 },
  })
  expect(entries[7]).toMatchObject({ ...alone.errors, count: 6, scale: alone.scale })
  const maes = entries.flatMap(({ mae }) => mae ?? [])
  expect(scores.mean.mae).toBeCloseTo(maes.reduce((sum, mae) => sum + mae, 0) / 28, 12)
  expect(steps.map(({ step, count }) => [step, count])).toEqual([
    [1, 56],
    [2, 56],
    [3, 56],
  ])
})

test('parts of a shard are each series once, also where some have none', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const series = keyedSeries(7)
  const of = await queueBacktest(machine, series, 5, { parts: 3 })
  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const { entries, shards, scores } = await readResult(machine, of)
  expect(entries.map(({ key }) => key)).toEqual(series.map(({ key }) => key))
  // Five in 1, 2 and 2; two in 0, 1 and 1.
  const firsts = [0, 1, 3, 5, 6].map((place) => series[place]!.key)
  expect(shards.map(({ first }) => first)).toEqual(firsts)
  expect(scores.series).toBe(7)
})

test('a drain gives the end back with its attempt', async () => {
  const machine = await openMachine()
  const { store, faults } = breakableStore(machine.store)
  const node = await openNode({ ...machine, store })
  const of = await queueBacktest(machine, keyedSeries(2), 2)
  await queueAsDone(machine, of)
  faults.away = true
  await orderShards(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).attempts === 1)
  await node.drain()
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'running', attempts: 0 })
  expect(await claimed(machine, of.job)).toBe(false)
})

test('one series is one shard, of all that its version knows', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const y = shortSeries(60)
  const of = await queueBacktestOfOne(machine, [y.slice(0, 50), y.slice(50, 53), y.slice(53)])
  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const { entries, scores } = await readResult(machine, of)
  const run = { seed: seedOf(of, 1), workMax: 1e9 }
  const alone = judge({ y: Float64Array.from(y) }, quickSpec, settings, run)
  expect(entries).toMatchObject([{ key: null, code: 'ok', ...alone.errors }])
  expect(scores.mean).toEqual(alone.errors)
})

test('one series that no origin suits fails with the reason', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueBacktestOfOne(machine, [[1, 2, 3, 4]])
  await orderShards(machine, node, of.job)
  const job = await untilJob(machine, of, 'failed')
  expect(job.error).toMatchObject({ phase: 'backtest', reason: 'too-short' })
})

test('a backtest touches no version, whatever becomes of it', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const fit = await queueFit(machine)
  await order(machine, node, fit.job)
  await untilJob(machine, fit, 'done')
  const before = await versions(machine)
  const done = await queueBacktest(machine, keyedSeries(4), 2)
  await orderShards(machine, node, done.job)
  await untilJob(machine, done, 'done')
  const failed = await queueBacktestOfOne(machine, [[1, 2]])
  await orderShards(machine, node, failed.job)
  await untilJob(machine, failed, 'failed')
  expect(await versions(machine)).toEqual(before)
})

test('what one node had done stays done when it is gone: only its own shard runs again', async () => {
  const machine = await openMachine()
  const { of, kept, second } = await handedOver(machine, () =>
    queueBacktest(machine, keyedSeries(40), 4),
  )

  const { shards, entries } = await readResult(machine, of)
  expect(shards.map(({ blob }) => blob)).toEqual(expect.arrayContaining(kept))
  expect(await shardsOf(second, 'fitted')).toBe(10 - kept.length)
  expect(entries).toHaveLength(40)
})

test('series that end their thread are passed over; the others are judged', async () => {
  const machine = await openMachine()
  vi.stubEnv('ALMANAC_TEST_CRASH_AT', '2,5')
  const node = await openNode(machine, { fitWorkerFile: crashing })
  const of = await queueBacktest(machine, keyedSeries(8), 8)
  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  vi.unstubAllEnvs()
  const { entries, scores } = await readResult(machine, of)
  expect(scores).toMatchObject({ judged: 6, codes: { ok: 6, 'ends-threads': 2 } })
  expect([entries[2]?.code, entries[5]?.code]).toEqual(['ends-threads', 'ends-threads'])
})

test('a drain gives the shard back with its attempt', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueBacktest(machine, keyedSeries(4), 2, untilStopped)
  await orderShards(machine, node, of.job)
  await untilBegun(machine, of)
  await node.drain()
  const [record] = (await readShardRecords(machine, of.job)).values()
  expect(record).toEqual({ attempts: 0, fitted: null, error: null })
  const claims = await machine.coordinator.list(claimKey(of.job), soon())
  expect(claims.entries).toEqual([])
})

test('how far a shard is can be seen', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueBacktestOfOne(machine, [shortSeries()], untilStopped)
  await orderShards(machine, node, of.job)
  const progress = async () => (await readShardRecords(machine, of.job)).get(0)?.progress
  await until(async () => (await progress()) === 0.25)
  expect(await readJob(machine, of.job)).toMatchObject({
    ...{ state: 'running', progress: { phase: 'judging' } },
  })
})

test('a job that is ended by others stops its shards', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueBacktest(machine, keyedSeries(2), 2, untilStopped)
  await orderShards(machine, node, of.job)
  // Long after that, it goes on asking.
  await until(async () => (await readShardRecords(machine, of.job)).get(0)?.progress === 0.25)
  await endByOthers(machine, of)
  await until(async () => (await shardsOf(node, 'claim-lost')) === 1)
  await until(async () => (await claimsOf(machine, of)).length === 0)
  expect((await readJob(machine, of.job)).state).toBe('failed')
})

test('a shard of a job that others ended meanwhile is not recorded', async () => {
  const machine = await openMachine()
  const { store, faults } = breakableStore(machine.store)
  const node = await openNode({ ...machine, store }, { timing: { progressMs: 60_000 } })
  const of = await queueBacktest(machine, keyedSeries(2), 2)
  faults.away = true
  await orderShards(machine, node, of.job)
  await untilBegun(machine, of)
  await endByOthers(machine, of)
  faults.away = false
  await until(async () => (await shardsOf(node, 'claim-lost')) === 1)
  expect((await readShardRecords(machine, of.job)).get(0)?.fitted).toBeNull()
})

test('a job that others ended meanwhile stays as they left it', async () => {
  const machine = await openMachine()
  const { store, faults } = breakableStore(machine.store)
  const node = await openNode({ ...machine, store })
  const of = await queueBacktest(machine, keyedSeries(2), 2)
  await queueAsDone(machine, of)
  faults.away = true
  await orderShards(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).attempts === 1)
  await endByOthers(machine, of)
  faults.away = false
  await until(async () => !(await claimed(machine, of.job)))
  expect((await readJob(machine, of.job)).error).toMatchObject({ reason: 'by-others' })
})

test('deleting the model stops its backtest, which fails with the reason', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueBacktest(machine, keyedSeries(4), 2, untilStopped)
  await orderShards(machine, node, of.job)
  await untilBegun(machine, of)
  await putModel(machine, of, { deletedAt: new Date().toISOString(), floor: 1 })
  await until(async () => (await shardsOf(node, 'deleted')) === 1)
  await orderShards(machine, node, of.job)
  const job = await untilJob(machine, of, 'failed')
  expect(job.error).toMatchObject({ phase: 'deleted', reason: 'deleted' })
})

test('one that takes too long fails, for it would be no faster elsewhere', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted, timing: { fitMs: 200 } })
  const given = { ...untilStopped, settings: { mode: 'update' as const } }
  const of = await queueBacktest(machine, keyedSeries(2), 2, given)
  await orderShards(machine, node, of.job)
  const job = await untilJob(machine, of, 'failed')
  expect(job.error).toMatchObject({ phase: 'backtest', reason: 'too-long' })
})

test('a shard that has ended processes again and again has no errors, and one more fails', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueBacktest(machine, keyedSeries(4), 2)
  await tried(machine, of, 3)
  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  expect((await readResult(machine, of)).scores.codes).toEqual({ ok: 2, 'ends-processes': 2 })
  const other = await queueBacktest(machine, keyedSeries(4), 2)
  await tried(machine, other, 6)
  await orderShards(machine, node, other.job)
  const job = await untilJob(machine, other, 'failed')
  expect(job.error).toMatchObject({ phase: 'backtest', reason: 'attempts-exhausted' })
})

test('an end that was begun too often is left alone', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueBacktest(machine, keyedSeries(2), 2, { attempts: 3 })
  await orderShards(machine, node, of.job)
  // It is behind the other one.
  const other = await queueBacktest(machine, keyedSeries(2), 2)
  await orderShards(machine, node, other.job)
  await untilJob(machine, other, 'done')
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'queued', attempts: 3 })
})

test('data that is not what was meant ends the backtest with the reason', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueBacktest(machine, keyedSeries(4), 2)
  const { entries } = await machine.coordinator.list(jobKey(of.job), soon())
  const job = codecs.job.decode(entries[0]!.value)
  if (!job.ok) throw new Error(job.fault)
  const input = { kind: 'dataset', id: job.value.backtest!.input } as const
  const { shards } = JSON.parse(Buffer.from(await machine.store.readBlob(input, soon())).toString())
  await machine.store.deleteBlob({ kind: 'dataset', id: shards[1].data[0].blob }, soon())
  await orderShards(machine, node, of.job)
  const ended = await untilJob(machine, of, 'failed')
  expect(ended.error).toMatchObject({ phase: 'backtest', reason: 'bad-dataset' })
})

test('an attempt at the end that the coordinator cost is given back', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  const { store, faults: storeFaults } = breakableStore(machine.store)
  const node = await openNode({ coordinator, store })
  const of = await queueBacktest(machine, keyedSeries(2), 2)
  await queueAsDone(machine, of)
  storeFaults.away = true
  await orderShards(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).attempts === 1)
  const claim = await machine.coordinator.get(claimKey(of.job), soon())
  for (const lease of faults.leases) if (lease.id === claim?.lease) await lease.revoke(soon())
  await until(async () => (await readJob(machine, of.job)).attempts === 0)
})

/** Its one shard is done, so that only the end is left. */
async function queueAsDone(machine: Machine, of: Order): Promise<void> {
  const fitted = { blob: 'b', sha256: 'a'.repeat(64), sizeBytes: 1, series: 2, codes: {} }
  const done: ShardRecord = { attempts: 1, fitted, error: null }
  const then = [put(shardKey(of.job, 0), codecs.shard.encode(done))]
  await machine.coordinator.transact({ when: [], then }, soon())
}

async function endByOthers(machine: Machine, of: Order): Promise<void> {
  const job = await readJob(machine, of.job)
  const error = { phase: 'backtest' as const, reason: 'by-others', detail: 'On purpose.' }
  const ended = { ...job, state: 'failed' as const, error, endedAt: new Date().toISOString() }
  const then = [put(jobKey(of.job), codecs.job.encode(ended))]
  await machine.coordinator.transact({ when: [], then }, soon())
}

const versions = async ({ coordinator }: Machine) =>
  (await coordinator.list(modelsPrefix, soon())).entries.filter(({ key }) =>
    key.includes('/versions/'),
  )

const claimsOf = async ({ coordinator }: Machine, of: Order) =>
  (await coordinator.list(shardClaimKey(of.job, 0).slice(0, -1), soon())).entries
