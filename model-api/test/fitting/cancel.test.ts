import {
  claimKey,
  codecs,
  jobKey,
  put,
  remove,
  shardClaimsPrefix,
  versionKey,
} from '@almanac/shared'
import { expect, test } from 'vitest'
import {
  claimed,
  type Machine,
  type Order,
  openMachine,
  openNode,
  order,
  queueFit,
  readJob,
  readVersion,
  soon,
  until,
  untilJob,
} from '../support/machine.ts'
import { queueParts } from '../support/parts.ts'
import { keyedSeries, orderShards, queueShards } from '../support/shards.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)
/** It does not look by itself: what stops the work is that it sees the version end. */
const blind = { fitWorkerFile: scripted, timing: { progressMs: 60_000 } }

/** As a broker does it. */
async function cancel(machine: Machine, of: Order): Promise<void> {
  const error = { phase: 'fit', reason: 'cancelled', detail: 'A test.' } as const
  const now = new Date().toISOString()
  const [job, version] = [await readJob(machine, of.job), await readVersion(machine, of)]
  const then = [
    put(jobKey(of.job), codecs.job.encode({ ...job, state: 'failed', error, endedAt: now })),
    put(versionKey(of, of.version), codecs.version.encode({ ...version, state: 'failed', error })),
    remove(claimKey(of.job)),
  ]
  await machine.coordinator.transact({ when: [], then }, soon())
}

test('a cancelled fit stops, changes nothing any more, and makes room for the next', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, blind)
  const of = await queueFit(machine, { spec: { act: 'until-stopped' } })
  const next = await queueFit(machine, { version: 2, spec: { act: 'answer' } })
  await order(machine, node, of.job)
  await order(machine, node, next.job)
  await until(() => claimed(machine, of.job))

  await cancel(machine, of)
  const before = await readJob(machine, of.job)

  await untilJob(machine, next, 'done')
  expect(await readJob(machine, of.job)).toEqual(before)
  expect((await readVersion(machine, of)).state).toBe('failed')
})

test('of a cancelled job of shards every shard in work stops, and none is begun', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { ...blind, fitWorkers: 2 })
  const of = await queueShards(machine, keyedSeries(40), 5, { spec: { act: 'until-stopped' } })
  const next = await queueFit(machine, { version: 2, spec: { act: 'answer' } })
  await orderShards(machine, node, of.job)
  const claims = async () =>
    (await machine.coordinator.list(shardClaimsPrefix(of.job), soon())).entries.length
  await until(async () => (await claims()) === 2)
  await order(machine, node, next.job)

  await cancel(machine, of)

  await untilJob(machine, next, 'done')
  await until(async () => (await claims()) === 0)
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'failed' })
})

test('what happened to a fit is in its record, in order', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueFit(machine)
  await order(machine, node, of.job)
  const { log } = await untilJob(machine, of, 'done')
  expect(log!.map(({ event }) => event)).toEqual(['claimed', 'phase', 'phase', 'stored'])
  expect(log![0]!.text).toContain('attempt 1')
  expect([...log!].sort((a, b) => (a.at < b.at ? -1 : 1))).toEqual(log)
})

test('the log tells of a thread that ended, and of a claim that was lost', async () => {
  const machine = await openMachine()
  const one = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueFit(machine, { spec: { act: 'throw' } })
  await order(machine, one, of.job)
  await until(async () => {
    const { state, attempts } = await readJob(machine, of.job)
    return state === 'queued' && attempts === 1
  })
  const crashed = await readJob(machine, of.job)
  expect(crashed.log?.at(-1)).toMatchObject({ event: 'given-back' })
  expect(crashed.log?.at(-1)?.text).toContain('the attempt counts')

  // As a node leaves it that died.
  const died = codecs.job.encode({ ...crashed, state: 'running' })
  await machine.coordinator.transact({ when: [], then: [put(jobKey(of.job), died)] }, soon())
  await order(machine, one, of.job)
  await until(async () => (await readJob(machine, of.job)).attempts === 2)
  const { log } = await readJob(machine, of.job)
  expect(log!.map(({ event }) => event)).toContain('lost')
})

test('of a job of shards the log has each of them', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueShards(machine, keyedSeries(20), 5)
  await orderShards(machine, node, of.job)
  const { log } = await untilJob(machine, of, 'done')
  const shards = log!.filter(({ event }) => event === 'shard').map(({ text }) => text)
  expect(shards.sort()).toEqual([0, 1, 2, 3].map((n) => `Shard ${n}: 5 series.`))
  expect(log!.at(-1)).toMatchObject({ event: 'stored' })
})

test('a cancelled join of parts stops, and leaves them to a retry', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, blind)
  const y = [1, 2, 3]
  const part = [[{ key: 'a', y, start: null, frequency: null }]]
  const of = await queueParts(machine, [part, part], { spec: { act: 'until-stopped' } })
  const next = await queueFit(machine, { version: 4, spec: { act: 'answer' } })
  await order(machine, node, of.job)
  await order(machine, node, next.job)
  await until(() => claimed(machine, of.job))

  await cancel(machine, of)
  const before = await readJob(machine, of.job)

  await untilJob(machine, next, 'done')
  expect(await readJob(machine, of.job)).toEqual(before)
  const { state, parts } = await readVersion(machine, of)
  expect([state, parts?.length]).toEqual(['failed', 2])
})
