import { expect, test } from 'vitest'
import type { RunningNode } from '../../src/index.ts'
import { breakable, breakableStore } from '../support/faults.ts'
import {
  claimed,
  forecast,
  openMachine,
  openNode,
  order,
  queueFit,
  readJob,
  readVersion,
  serve,
  shortSeries,
  soon,
  until,
  untilJob,
  untilLoaded,
  untilReady,
} from '../support/machine.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)

test('data that the engine refuses fail for good, with its reason', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueFit(machine, { spec: { family: 'arima' }, series: { y: shortSeries(10) } })

  await order(machine, node, of.job)

  const job = await untilJob(machine, of, 'failed')
  const version = await readVersion(machine, of)
  expect(version).toMatchObject({ state: 'failed', blob: null, error: { phase: 'fit' } })
  expect(version.error?.reason).toBe('too-short')
  expect(version.times.failedAt).not.toBeNull()
  expect(job.error).toEqual(version.error)
  expect(await claimed(machine, of.job)).toBe(false)
})

test.each(['exit', 'throw', 'out-of-memory'])(
  'a fitting thread that ends by %s spends an attempt, and the node goes on',
  async (act) => {
    const machine = await openMachine()
    const node = await openNode(machine, { fitWorkerFile: scripted, fitMemoryMb: 32 })
    const of = await queueFit(machine, { spec: { act } })
    const next = await queueFit(machine, { version: 2, spec: { act: 'answer' } })

    await order(machine, node, of.job)
    await order(machine, node, next.job)
    await untilJob(machine, next, 'done')

    expect(await readJob(machine, of.job)).toMatchObject({ state: 'queued', attempts: 1 })
    expect((await readVersion(machine, of)).state).toBe('queued')
    expect(await claimed(machine, of.job)).toBe(false)
  },
)

test.each(['until-stopped', 'deaf'])(
  'a fit beyond its wall time is ended for good, also when its thread is %s',
  async (act) => {
    const machine = await openMachine()
    const node = await openNode(machine, { fitWorkerFile: scripted, timing: { fitMs: 1_500 } })
    const of = await queueFit(machine, { spec: { act } })
    const next = await queueFit(machine, { version: 2, spec: { act: 'answer' } })

    await order(machine, node, of.job)
    const job = await untilJob(machine, of, 'failed')
    await order(machine, node, next.job)

    expect(job.error).toMatchObject({ phase: 'fit', reason: 'too-long' })
    await untilJob(machine, next, 'done')
  },
)

test('while the store is away a fit waits under its claim and spends no attempt', async () => {
  const machine = await openMachine()
  const { store, faults } = breakableStore(machine.store)
  const node = await openNode({ ...machine, store })
  const of = await queueFit(machine)
  faults.away = true

  await order(machine, node, of.job)
  await until(() => faults.reads >= 3)
  expect(await claimed(machine, of.job)).toBe(true)
  faults.away = false

  expect((await untilJob(machine, of, 'done')).attempts).toBe(1)
})

test('a model that cannot be stored at once is uploaded again, under another id', async () => {
  const machine = await openMachine()
  const { store, faults } = breakableStore(machine.store)
  const ids: string[] = []
  const node = await openNode({
    ...machine,
    store: {
      ...store,
      writeBlob: (upload, signal) => {
        ids.push(upload.id)
        faults.away = ids.length <= 2
        return store.writeBlob(upload, signal)
      },
    },
  })
  const of = await queueFit(machine)

  await order(machine, node, of.job)
  await untilJob(machine, of, 'done')

  expect(new Set(ids).size).toBe(3)
  expect((await readVersion(machine, of)).blob).toBe(ids[2])
})

test('waiting for the store is no part of the time that a fit may take', async () => {
  const machine = await openMachine()
  const { store, faults } = breakableStore(machine.store)
  const options = { fitWorkerFile: scripted, timing: { fitMs: 1_500 } }
  const node = await openNode({ ...machine, store }, options)
  const of = await queueFit(machine, { spec: { act: 'answer', afterMs: 300 } })
  faults.away = true
  await order(machine, node, of.job)
  await until(() => faults.reads > 0)
  faults.away = false
  await until(async () => (await readJob(machine, of.job)).progress.phase === 'fitting')
  faults.away = true
  await until(async () => (await readJob(machine, of.job)).progress.phase === 'storing')

  await new Promise((resolve) => setTimeout(resolve, 1_800))
  expect((await readJob(machine, of.job)).state).toBe('running')
  faults.away = false

  expect((await untilJob(machine, of, 'done')).attempts).toBe(1)
})

test('an order that comes while the coordinator is away does no harm', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  const node = await openNode({ ...machine, coordinator }, { fitWorkerFile: scripted })
  await untilReady(node)
  const of = await queueFit(machine, { spec: { act: 'answer' } })
  faults.away = true

  expect((await order(machine, node, of.job)).status).toBe(202)
  await until(async () => (await busy(node)) === 0)
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'queued', attempts: 0 })
  faults.away = false

  await order(machine, node, of.job)
  expect((await untilJob(machine, of, 'done')).attempts).toBe(1)
})

test('a data set that is not there fails the fit for good', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueFit(machine)
  const { blob: id } = (await readVersion(machine, of)).dataset
  await machine.store.deleteBlob({ kind: 'dataset', id }, soon())

  await order(machine, node, of.job)

  expect((await untilJob(machine, of, 'failed')).error?.reason).toBe('no-data')
})

test('progress is told while a fit runs', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueFit(machine, { spec: { act: 'until-stopped' } })

  await order(machine, node, of.job)

  await until(async () => (await readJob(machine, of.job)).progress.fraction === 0.25)
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'running', attempts: 1 })
})

test('forecasts stay fast while a heavy fit runs', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueFit(machine)
  await order(machine, node, of.job)
  await untilJob(machine, of, 'done')
  await serve(machine, of)
  await untilLoaded(machine, node, of)
  const spec = { family: 'arima', p: 8, d: 0, q: 8, differenceLag: 0, constant: true }
  const heavy = await queueFit(machine, { version: 2, spec, series: { y: shortSeries(60_000) } })
  await order(machine, node, heavy.job)
  await until(async () => (await readJob(machine, heavy.job)).progress.phase === 'fitting')

  const timesMs: number[] = []
  for (let horizon = 1; horizon <= 100; horizon++) {
    const startMs = performance.now()
    await (await forecast(machine, node, of, 1, String(horizon))).text()
    timesMs.push(performance.now() - startMs)
  }

  expect((await readJob(machine, heavy.job)).state, 'the fit ended too soon').toBe('running')
  timesMs.sort((a, b) => a - b)
  expect(timesMs[50]).toBeLessThan(100)
  expect(timesMs[95]).toBeLessThan(500)
})

async function busy(node: RunningNode): Promise<number> {
  const answer = await fetch(`${node.url}/internal/v1/state`)
  return ((await answer.json()) as { fitsBusy: number }).fitsBusy
}
