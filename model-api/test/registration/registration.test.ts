import {
  codecs,
  Missing,
  type NodeRecord,
  nodeKey,
  nodesPrefix,
  put,
  remove,
  type Transaction,
} from '@almanac/shared'
import { expect, test } from 'vitest'
import type { RunningNode } from '../../src/index.ts'
import { differences, type Written } from '../../src/registration/registered-keys.ts'
import { breakable } from '../support/faults.ts'
import {
  fitAndServe,
  forecast,
  type Machine,
  nodeNameOf,
  openMachine,
  openNode,
  order,
  queueFit,
  soon,
  until,
  untilLoaded,
  untilReady,
} from '../support/machine.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)

test('a node says where it is, what it does and what it can read', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkers: 2 })
  await untilReady(node)

  const { record, lease } = await registered(machine, node)
  expect(record).toMatchObject({
    ip: '127.0.0.1',
    port: node.port,
    instance: node.instance,
    roles: ['fit', 'serve'],
    capacity: { fits: 6, fitsBusy: 0 },
    protocol: 1,
  })
  expect(record.formats.length).toBeGreaterThan(0)
  expect(lease).not.toBeNull()
})

test('everything that a node registers lives under one lease', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)

  await until(async () => (await ownEntries(machine, node)).length === 2)
  const leases = (await ownEntries(machine, node)).map(({ lease }) => lease)
  expect(leases[0]).not.toBeNull()
  expect(new Set(leases).size).toBe(1)
})

test('a fit under way counts as busy', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueFit(machine, { spec: { act: 'until-stopped' } })
  await untilReady(node)

  await order(machine, node, of.job)

  await until(async () => (await registered(machine, node)).record.capacity.fitsBusy === 1)
})

test('a node whose lease was lost registers again under a new one', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  const node = await openNode({ ...machine, coordinator }, { roles: ['serve'] })
  await untilReady(node)
  const before = (await registered(machine, node)).lease

  const [lease] = faults.leases
  await lease?.revoke(soon())
  expect(await ownEntries(machine, node)).toEqual([])

  await until(async () => (await ownEntries(machine, node)).length === 1)
  const after = await registered(machine, node)
  expect(after.lease).not.toBe(before)
  expect(after.record.instance).toBe(node.instance)
})

test('keys that somebody removed or overwrote are mended', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { timing: { reconcileMs: 100 } })
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)
  await until(async () => (await ownEntries(machine, node)).length === 2)
  const before = await ownEntries(machine, node)

  const [own, model] = before.map(({ key }) => key)
  const then = [remove(model!), put(own!, '{}'), put(`${own}/models/default/stranger`, '{}')]
  await machine.coordinator.transact({ when: [], then }, soon())

  const told = (entries: Awaited<ReturnType<typeof ownEntries>>) =>
    JSON.stringify(entries.map(({ key, value, lease }) => [key, value, lease]))
  await until(async () => told(await ownEntries(machine, node)) === told(before))
})

test('keys of a process that died at the same address are taken over or removed', async () => {
  const machine = await openMachine()
  const first = await openNode(machine, { roles: ['serve'] })
  await untilReady(first)
  const { port } = first
  await first.close()
  const lease = await machine.coordinator.grantLease(60_000, soon())
  const name = nodeKey(nodeNameOf(first))
  const then = [put(name, '{}', lease.id), put(`${name}/models/default/old`, '{}', lease.id)]
  await machine.coordinator.transact({ when: [], then }, soon())

  const second = await openNode(machine, { roles: ['serve'], port })
  await untilReady(second)

  expect((await registered(machine, second)).record.instance).toBe(second.instance)
  expect(await ownEntries(machine, second)).toHaveLength(1)
  await lease.revoke(soon())
  expect(await ownEntries(machine, second)).toHaveLength(1)
})

test('the keys of a node whose port begins with the same digits are left alone', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { timing: { reconcileMs: 50 } })
  const other = `${nodeKey(nodeNameOf(node))}0`
  const then = [put(other, '{}'), put(`${other}/models/default/a`, '{}')]
  await machine.coordinator.transact({ when: [], then }, soon())
  await untilReady(node)
  await new Promise((resolve) => setTimeout(resolve, 200))

  expect((await machine.coordinator.list(other, soon())).entries).toHaveLength(2)
})

test('a coordinator that refuses the lease is not asked in a spin', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  const registers = ({ then }: Transaction) => then.some(({ key }) => key.startsWith(nodesPrefix))
  faults.transaction = (transaction) =>
    registers(transaction) ? new Missing('lease 1 is not there') : 'pass'
  const node = await openNode({ ...machine, coordinator }, { roles: ['serve'] })
  await new Promise((resolve) => setTimeout(resolve, 1_000))

  expect(faults.leases.length).toBeGreaterThan(1)
  expect(faults.leases.length).toBeLessThan(20)
  faults.transaction = () => 'pass'
  await untilReady(node)
})

test('a node whose coordinator is away at start registers when it comes', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  faults.away = true
  const node = await openNode({ ...machine, coordinator }, { roles: ['serve'] })
  const early = await fetch(`${node.url}/readyz`)
  expect(early.status).toBe(503)

  faults.away = false

  await untilReady(node)
})

test('a node that was ready stays so, and answers, while the coordinator is away', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  const node = await openNode({ ...machine, coordinator })
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)
  await untilReady(node)

  faults.away = true
  faults.silentMs = 60_000
  await Promise.all(faults.leases.map((lease) => lease.revoke(soon())))

  expect((await fetch(`${node.url}/readyz`)).status).toBe(200)
  expect((await forecast(machine, node, of, 1)).status).toBe(200)
  faults.away = false
  await until(async () => (await ownEntries(machine, node)).length === 2)
})

test('what differs is written, and nothing else', () => {
  const written: Written = new Map([
    ['/nodes/a', 'same'],
    ['/nodes/a/models/d/changed', 'old'],
    ['/nodes/a/models/d/gone', 'x'],
    ['/nodes/a/models/d/former', null],
  ])
  const wanted = new Map([
    ['/nodes/a', 'same'],
    ['/nodes/a/models/d/changed', 'new'],
    ['/nodes/a/models/d/former', 'x'],
  ])
  expect(differences(wanted, written, 'l').flat()).toEqual([
    put('/nodes/a/models/d/changed', 'new', 'l'),
    put('/nodes/a/models/d/former', 'x', 'l'),
    remove('/nodes/a/models/d/gone'),
  ])
})

test('among some keys only those are compared', () => {
  const written: Written = new Map([
    ['/nodes/a', 'old'],
    ['/nodes/a/models/d/gone', 'x'],
    ['/nodes/a/models/d/left', 'x'],
  ])
  const wanted = new Map([
    ['/nodes/a', 'new'],
    ['/nodes/a/models/d/came', 'x'],
  ])
  const among = ['/nodes/a/models/d/came', '/nodes/a/models/d/gone', '/nodes/a/models/d/never']
  expect(differences(wanted, written, 'l', among).flat()).toEqual([
    put('/nodes/a/models/d/came', 'x', 'l'),
    remove('/nodes/a/models/d/gone'),
  ])
})

test('many keys are written in transactions of bounded size', () => {
  const wanted = new Map(Array.from({ length: 1_000 }, (_, i) => [`/nodes/a/models/d/${i}`, 'x']))
  const chunks = differences(wanted, new Map(), 'l')
  expect(chunks.flat()).toHaveLength(1_000)
  expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(100)
})

async function ownEntries({ coordinator }: Machine, node: RunningNode) {
  return (await coordinator.list(nodeKey(nodeNameOf(node)), soon())).entries
}

async function registered(
  { coordinator }: Machine,
  node: RunningNode,
): Promise<{ record: NodeRecord; lease: string | null }> {
  const entry = await coordinator.get(nodeKey(nodeNameOf(node)), soon())
  const decoded = codecs.node.decode(entry?.value ?? 'null')
  if (!decoded.ok) throw new Error(decoded.fault)
  return { record: decoded.value, lease: entry?.lease ?? null }
}
