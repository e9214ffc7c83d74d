import { randomUUID } from 'node:crypto'
import { type ModelName, nodesPrefix, openEtcdCoordinator } from '@almanac/shared'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type TemporaryEtcd, temporaryEtcd } from '../../../shared/test/coordination/real-etcd.ts'
import type { RunningNode } from '../../src/index.ts'
import {
  claimed,
  fitAndServe,
  forecast,
  type Machine,
  openMachine,
  openNode,
  order,
  queueFit,
  readJob,
  soon,
  until,
  untilLoaded,
  untilReady,
} from '../support/machine.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)
/** Short leases, so that a test need not wait long for their end. */
const timing = { leaseTtlMs: 2_000 }

let temporary: TemporaryEtcd

beforeAll(async () => {
  temporary = await temporaryEtcd()
})
afterAll(() => temporary.remove())

test('a version fitted by one node is served by another', async () => {
  const machine = await openMachine(await openPrefix())
  const fitting = await openNode(machine, { roles: ['fit'] })
  const serving = await openNode(machine, { roles: ['serve'] })
  await untilReady(fitting)
  await untilReady(serving)

  const of = await fitAndServe(machine, fitting)

  await untilLoaded(machine, serving, of)
})

test('while etcd is away a node answers on and stays ready; then it registers again', async () => {
  const machine = await openMachine(await openPrefix())
  const node = await openNode(machine, { timing })
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)
  await untilReady(node)
  const own = async () => (await machine.coordinator.list(nodesPrefix, soon())).entries
  const before = new Set((await own()).map(({ lease }) => lease))
  // Answers are asked by name; the name must not be asked of etcd while it is away.
  const ask = await forecaster(machine, node, of)

  await temporary.etcd.kill()
  const untilMs = performance.now() + 5_000
  while (performance.now() < untilMs) {
    expect((await ask()).status).toBe(200)
    expect((await fetch(`${node.url}/readyz`)).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await temporary.etcd.start()

  await until(async () => {
    const entries = await own().catch(() => [])
    return entries.length === 2 && entries.every(({ lease }) => !before.has(lease))
  }, 30_000)
  expect((await ask()).status).toBe(200)
})

test('a fit whose lease ended is stopped, and another node takes it up', async () => {
  const prefix = `/${randomUUID()}`
  const machine = await openMachine(await openPrefix(prefix))
  const other = { ...machine, coordinator: await openPrefix(prefix) }
  onTestFinished(() => other.coordinator.close())
  const cutOff = await openNode(machine, { fitWorkerFile: scripted, timing })
  await untilReady(cutOff)
  const of = await queueFit(machine, { spec: { act: 'until-stopped' } })
  await order(machine, cutOff, of.job)
  await until(() => claimed(machine, of.job))

  temporary.etcd.freeze()
  await until(async () => (await lostFits(cutOff.url)) === 1)
  temporary.etcd.thaw()
  await until(async () => !(await claimed(other, of.job).catch(() => true)), 20_000)

  const next = await openNode(other, { fitWorkerFile: scripted, timing })
  await untilReady(next)
  await order(other, next, of.job)
  await until(() => claimed(other, of.job))
  // Its attempts are one or two: the first node gives its own back, sooner or later.
  const { state, log = [] } = await readJob(other, of.job)
  expect(state).toBe('running')
  const claims = log.filter(({ event }) => event === 'claimed').map(({ who }) => who)
  expect(new Set(claims).size, JSON.stringify(log)).toBe(2)
})

async function openPrefix(prefix = `/${randomUUID()}`) {
  const { endpoints } = temporary.etcd
  return openEtcdCoordinator({ endpoints, prefix })
}

async function forecaster(machine: Machine, node: RunningNode, of: ModelName) {
  const id = await machine.coordinator.clusterId(soon())
  const frozen = { ...machine, coordinator: { ...machine.coordinator, clusterId: async () => id } }
  return () => forecast(frozen, node, of, 1)
}

async function lostFits(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const found = /^almanac_fits_total\{[^}]*outcome="claim-lost"[^}]*\} (\d+)/m.exec(text)
  return Number(found?.[1] ?? 0)
}
