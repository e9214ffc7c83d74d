import { encodeShardData, type KeyedDescription } from '@almanac/engine'
import { expect, test } from 'vitest'
import { breakable, breakableStore } from '../support/faults.ts'
import {
  claimed,
  type Machine,
  type Order,
  openMachine,
  openNode,
  order,
  readJob,
  readVersion,
  soon,
  until,
  untilJob,
} from '../support/machine.ts'
import { dataOf, type Part, queueParts } from '../support/parts.ts'
import { orderShards, readModels } from '../support/shards.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)

type Given = Partial<KeyedDescription>
const wave = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, t) => 10 + Math.sin(from + t))
const one = (key: string, y: KeyedDescription['y'], given: Given = {}): KeyedDescription => ({
  ...{ key, y, start: null, frequency: null },
  ...given,
})

const days = { start: '2026-01-01', frequency: 'daily' }
const inTokyo = { ...days, timezone: 'Asia/Tokyo' }

/** A fit and two updates: gaps, zones, news that were left out, new series before and between. */
const parts: readonly Part[] = [
  [
    [one('b', wave(0, 20), days), one('c', wave(0, 20), inTokyo)],
    [one('f', wave(0, 30)), one('g', [null, null])],
  ],
  [
    [one('a', [1, 2, 3], days), one('b', wave(22, 24), { start: '2026-01-23' })],
    [one('f', wave(30, 31)), one('g', [7, 8], inTokyo)],
  ],
  [
    [one('b', [99, 99], { start: '2026-01-02' }), one('c', wave(20, 21)), one('d', [4])],
    [one('h', wave(0, 9), days)],
  ],
]
const whole: Part = [
  [
    one('a', [1, 2, 3], days),
    one('b', [...wave(0, 20), null, null, ...wave(22, 24)], days),
    one('c', wave(0, 21), inTokyo),
    one('d', [4]),
    one('f', wave(0, 31)),
    one('g', [7, 8], inTokyo),
    one('h', wave(0, 9), days),
  ],
]

/** Takes a job to its end, whatever it is by then. */
async function finish(machine: Machine, node: Parameters<typeof order>[1], of: Order) {
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).kind === 'fit-shards')
  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
}

test('parts become the data that a fit of all at once has, and are a job of shards then', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueParts(machine, parts)
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).kind === 'fit-shards')

  const job = await readJob(machine, of.job)
  expect(job).toMatchObject({ state: 'running', attempts: 0, shards: 1 })
  expect(job.log?.map(({ event }) => event)).toEqual(['claimed', 'phase', 'handed-over'])
  expect(job.log?.at(-1)?.text).toMatch('7 series, in 1 shards')
  const version = await readVersion(machine, of)
  expect(version).toMatchObject({ state: 'fitting', series: 7, dataset: { observations: 91 } })
  expect(version.metrics).toEqual({ observations: 91, missing: 2 })
  expect(version).not.toHaveProperty('parts')

  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const other = await queueParts(machine, [whole], { model: 'other', version: 4 })
  await finish(machine, node, other)
  expect(await dataOf(machine, of)).toEqual(await dataOf(machine, other))
  const [joined, atOnce] = [await readVersion(machine, of), await readVersion(machine, other)]
  expect(joined.metrics).toEqual(atOnce.metrics)
  expect((await readModels(machine, joined.blob!)).index.shards[0]!.sha256).toBe(
    (await readModels(machine, atOnce.blob!)).index.shards[0]!.sha256,
  )
})

test('what has grown is cut anew, across the shards that it was in', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const long = (key: string) => one(key, wave(0, 50_000))
  const grown: Part = [['a', 'b', 'c'].map(long), ['d', 'e'].map(long)]
  const of = await queueParts(machine, [grown, [[long('bb')]]])
  await finish(machine, node, of)
  // 120,000 observations are in a shard at most.
  expect((await dataOf(machine, of)).map(({ first, series }) => [first, series])).toEqual([
    ['a', 2],
    ['bb', 2],
    ['d', 2],
  ])
})

test('a node that is lost while it joins costs an attempt; another one joins all of it', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  const stuck = { ...breakableStore(machine.store).store }
  let asked = 0
  stuck.writeBlob = async () => {
    asked += 1
    return await new Promise<never>(() => {})
  }
  const lost = await openNode({ coordinator, store: stuck }, { fitWorkers: 2 })
  const of = await queueParts(machine, parts)
  await order(machine, lost, of.job)
  await until(() => asked === 1)
  expect(await readJob(machine, of.job)).toMatchObject({ kind: 'fit-parts', attempts: 1 })
  faults.away = true
  for (const lease of faults.leases) await lease.revoke(soon())
  await until(async () => !(await claimed(machine, of.job)))

  const other = await openNode(machine)
  await finish(machine, other, of)
  const { log } = await readJob(machine, of.job)
  expect(log?.map(({ event }) => event)).toContain('lost')
  expect((await readVersion(machine, of)).series).toBe(7)
  faults.away = false
})

test('while the store is away it waits, and then goes on', async () => {
  const machine = await openMachine()
  const { store, faults } = breakableStore(machine.store)
  const node = await openNode({ ...machine, store })
  const of = await queueParts(machine, parts)
  faults.away = true
  await order(machine, node, of.job)
  await until(() => faults.reads > 2)
  expect(await readJob(machine, of.job)).toMatchObject({ progress: { phase: 'joining' } })
  faults.away = false
  await finish(machine, node, of)
  expect((await readVersion(machine, of)).series).toBe(7)
})

test('a drain in the middle gives the job back with its attempt', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueParts(machine, parts, { spec: { act: 'until-stopped' } })
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).progress.phase === 'joining')
  await node.drain()
  const given = await readJob(machine, of.job)
  expect(given).toMatchObject({ kind: 'fit-parts', state: 'queued', attempts: 0 })
  expect((await readVersion(machine, of)).parts).toHaveLength(3)
})

test('a thread that ends costs an attempt', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueParts(machine, parts, { spec: { act: 'exit' } })
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).attempts === 1)
  await until(async () => !(await claimed(machine, of.job)))
  const { log } = await readJob(machine, of.job)
  expect(log?.at(-1)).toMatchObject({ event: 'given-back', text: expect.stringMatching(/joined/) })
})

test.each([
  ['a part that is gone', 'no-data', 'delete'],
  ['a part that is not what it was', 'checksum', 'replace'],
] as const)('%s fails the refit with its reason', async (_, reason, how) => {
  const machine = await openMachine()
  const { store } = breakableStore(machine.store)
  const of = await queueParts(machine, parts)
  const { parts: stored } = await readVersion(machine, of)
  const index = await machine.store.readBlob({ kind: 'dataset', id: stored![1]!.blob }, soon())
  const blob = JSON.parse(Buffer.from(index).toString()).shards[0].blob as string
  if (how === 'delete') await machine.store.deleteBlob({ kind: 'dataset', id: blob }, soon())
  else {
    const { readBlob } = store
    store.readBlob = (ref, signal) =>
      ref.id === blob
        ? Promise.resolve(Uint8Array.from(encodeShardData([one('a', [5])])))
        : readBlob(ref, signal)
  }
  const node = await openNode({ ...machine, store })
  await order(machine, node, of.job)
  const job = await untilJob(machine, of, 'failed')
  expect(job.error).toMatchObject({ phase: 'fit', reason })
  expect((await readVersion(machine, of)).state).toBe('failed')
})
