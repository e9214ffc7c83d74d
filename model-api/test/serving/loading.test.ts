import {
  codecs,
  type ModelName,
  mintBlobId,
  type NodeModelRecord,
  nodeModelKey,
  put,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { expect, test } from 'vitest'
import type { RunningNode } from '../../src/index.ts'
import { breakable, breakableStore } from '../support/faults.ts'
import {
  fitAndServe,
  forecast,
  type Machine,
  nodeNameOf,
  type Order,
  openMachine,
  openNode,
  order,
  putModel,
  queueFit,
  readVersion,
  soon,
  until,
  untilJob,
  untilLoaded,
  untilReady,
} from '../support/machine.ts'

const status = async (...ask: Parameters<typeof forecast>) => (await forecast(...ask)).status

test('the target is loaded next to the serving version', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const { first, second } = await twoVersions(machine, node)
  await putModel(machine, first, { serving: 1, target: 1, high: 1 })
  await untilLoaded(machine, node, first)
  expect(await status(machine, node, second, 2)).toBe(409)

  await putModel(machine, first, { serving: 1, target: 2, high: 2 })

  await untilLoaded(machine, node, second)
  expect(await status(machine, node, first, 1)).toBe(200)
  await until(async () => (await registered(machine, node, first))?.loaded.join() === '1,2')
})

test('the former version answers during its grace and goes after it', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { timing: { versionGraceMs: 1_500, reconcileMs: 100 } })
  const { first, second } = await twoVersions(machine, node)
  await putModel(machine, first, { serving: 1, target: 1, high: 1 })
  await untilLoaded(machine, node, first)
  await putModel(machine, first, { serving: 1, target: 2, high: 2 })
  await untilLoaded(machine, node, second)

  await putModel(machine, first, { serving: 2, target: 2, previous: 1, high: 2 })
  const movedMs = performance.now()
  await until(async () => (await state(node)).models[0]?.serving === 2)

  expect(await status(machine, node, first, 1)).toBe(200)
  await until(async () => (await status(machine, node, first, 1)) === 409)
  expect(performance.now() - movedMs).toBeGreaterThan(1_400)
  await until(async () => (await registered(machine, node, first))?.loaded.join() === '2')
})

test('a node with a silent watch drops nothing', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  const timing = { versionGraceMs: 1, reconcileMs: 50 }
  const node = await openNode({ ...machine, coordinator }, { timing })
  const { first, second } = await twoVersions(machine, node)
  await putModel(machine, first, { serving: 1, target: 2, high: 2 })
  await untilLoaded(machine, node, first)
  await untilLoaded(machine, node, second)

  faults.silentMs = 20_000
  await putModel(machine, first, { serving: 2, target: 2, high: 2 })
  await until(async () => (await state(node)).models[0]?.serving === 2)
  // Many looks pass before the watch speaks again.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await status(machine, node, first, 1)).toBe(200)

  faults.silentMs = undefined
  await until(async () => (await status(machine, node, first, 1)) === 409)
})

test.each([
  ['bytes that are no model', Uint8Array.of(1, 2, 3), {}, /^undecodable/],
  ['another checksum', undefined, { sha256: 'a'.repeat(64) }, /^checksum/],
  ['a blob that is not there', undefined, { blob: mintBlobId() }, /^missing/],
])('%s are never served, and the reason is registered', async (_, bytes, change, reason) => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const { first, second } = await twoVersions(machine, node)
  await damage(machine, second, bytes, change)

  await putModel(machine, first, { serving: 1, target: 2, high: 2 })

  await until(async () => {
    const record = await registered(machine, node, first)
    return record?.failed.length === 1 && record.loaded.length === 1
  })
  const record = await registered(machine, node, first)
  expect(record?.failed).toEqual([
    { version: 2, reason: expect.stringMatching(reason), retriable: false },
  ])
  expect(record?.loaded).toEqual([1])
  expect(await status(machine, node, second, 2)).toBe(409)
  await untilReady(node)
})

test('while the store is away a version counts as failed for now, and is loaded later', async () => {
  const machine = await openMachine()
  const fitting = await openNode(machine, { roles: ['fit'] })
  const of = await fitAndServe(machine, fitting)
  const { store, faults } = breakableStore(machine.store)
  faults.away = true
  const node = await openNode({ ...machine, store }, { roles: ['serve'] })

  await until(async () => (await registered(machine, node, of))?.failed[0]?.retriable === true)
  expect((await fetch(`${node.url}/readyz`)).status).toBe(503)
  expect(faults.reads).toBeLessThan(20)
  faults.away = false

  await untilReady(node)
  await until(async () => (await registered(machine, node, of))?.failed.length === 0)
  expect(await status(machine, node, of, 1)).toBe(200)
})

test('a deleted model is dropped, and its registration with it', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)

  await putModel(machine, of, { deletedAt: new Date().toISOString(), floor: 1 })

  await until(async () => (await status(machine, node, of, 1)) === 409)
  await until(async () => (await registered(machine, node, of)) === undefined)
  expect(await status(machine, node, of, 1, '5?load=true')).toBe(409)
})

test('a stored version that does not serve is loaded when it is asked for', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const { first } = await twoVersions(machine, node)
  await putModel(machine, first, { serving: 2, target: 2, high: 2 })
  await until(async () => (await registered(machine, node, first))?.loaded.join() === '2')
  expect(await status(machine, node, first, 1)).toBe(409)

  const answers = await Promise.all(
    [1, 2, 3].map((horizon) => forecast(machine, node, first, 1, `${horizon}?load=true`)),
  )

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(answers[0]?.headers.get('x-model-version')).toBe('1')
  expect(await status(machine, node, first, 1)).toBe(200)
  expect((await registered(machine, node, first))?.loaded).toEqual([2])
  expect(await status(machine, node, first, 77, '5?load=true')).toBe(409)
})

test('versions loaded on demand are bounded in number', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)
  const record = await readVersion(machine, of)
  const versions = Array.from({ length: 20 }, (_, i) => i + 2)
  const then = versions.map((version) =>
    put(versionKey(of, version), codecs.version.encode({ ...record, version })),
  )
  await machine.coordinator.transact({ when: [], then }, soon())

  for (const version of versions)
    expect(await status(machine, node, of, version, '5?load=true')).toBe(200)

  expect(await status(machine, node, of, 2)).toBe(409)
  expect(await status(machine, node, of, 21)).toBe(200)
})

test('a node without the role serve loads nothing', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { roles: ['fit'] })
  const of = await fitAndServe(machine, node)
  await untilReady(node)

  expect(await status(machine, node, of, 1, '5?load=true')).toBe(409)
  expect(await registered(machine, node, of)).toBeUndefined()
})

async function twoVersions(machine: Machine, node: RunningNode) {
  const orders: Order[] = []
  for (const version of [1, 2]) {
    const of = await queueFit(machine, { version })
    await order(machine, node, of.job)
    await untilJob(machine, of, 'done')
    orders.push(of)
  }
  return { first: orders[0]!, second: orders[1]! }
}

async function damage(
  { coordinator, store }: Machine,
  of: Order,
  bytes: Uint8Array | undefined,
  change: Partial<VersionRecord>,
): Promise<void> {
  let record = { ...(await readVersion({ coordinator, store }, of)), ...change }
  if (bytes) {
    const upload = { kind: 'model', id: mintBlobId(), content: bytes, label: 'damaged' } as const
    const { id: blob, sha256 } = await store.writeBlob(upload, soon())
    record = { ...record, blob, sha256 }
  }
  const then = [put(versionKey(of, of.version), codecs.version.encode(record))]
  await coordinator.transact({ when: [], then }, soon())
}

async function registered(
  { coordinator }: Machine,
  node: RunningNode,
  of: ModelName,
): Promise<NodeModelRecord | undefined> {
  const entry = await coordinator.get(nodeModelKey(nodeNameOf(node), of), soon())
  if (entry === undefined) return undefined
  const decoded = codecs.nodeModel.decode(entry.value)
  if (!decoded.ok) throw new Error(decoded.fault)
  return decoded.value
}

async function state(node: RunningNode) {
  const answer = await fetch(`${node.url}/internal/v1/state`)
  return (await answer.json()) as { models: { model: string; serving: number | null }[] }
}
