import { codecs, type NodeModelRecord, nodeModelKey, type Store } from '@almanac/shared'
import { expect, test } from 'vitest'
import { type ManySeries, seedManySeries, seriesKey } from '../../../e2e/support/many-series.ts'
import type { RunningNode } from '../../src/index.ts'
import {
  internalHeaders,
  type Machine,
  nodeNameOf,
  openMachine,
  openNode,
  putModel,
  soon,
  until,
  untilReady,
} from '../support/machine.ts'

const of = { tenant: 'default', model: 'sales' }
const first = { serving: 1, target: 1, high: 1 }
const next = { serving: 1, target: 2, high: 2 }

/** Version 1 serves; version 2 is stored, and nobody wants it yet. */
async function twoVersions(options: { shards: number; products?: number }) {
  const machine = await openMachine()
  const one = await seedManySeries(machine, options)
  const two = await seedManySeries(machine, { ...options, version: 2 })
  await putModel(machine, of, first)
  return { machine, one, two }
}

/** The same store, and what is read of it. */
function watched(machine: Machine) {
  const read: string[] = []
  const looked: string[] = []
  const store = new Proxy(machine.store, {
    get: (target, name) => {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (ref: Parameters<Store['readBlob']>[0], ...rest: unknown[]) => {
        if (name === 'readBlob') read.push(ref.id)
        if (name === 'readManifest') looked.push(ref.id)
        return value.call(target, ref, ...rest)
      }
    },
  })
  return { machine: { ...machine, store }, read, looked }
}

async function registered(machine: Machine, node: RunningNode) {
  const entry = await machine.coordinator.get(nodeModelKey(nodeNameOf(node), of), soon())
  const decoded = entry && codecs.nodeModel.decode(entry.value)
  return decoded?.ok ? decoded.value : undefined
}

async function untilSaid(
  machine: Machine,
  node: RunningNode,
  holds: (said: NodeModelRecord) => boolean,
): Promise<NodeModelRecord> {
  let said: NodeModelRecord | undefined
  await until(async () => {
    said = await registered(machine, node)
    return said !== undefined && holds(said)
  })
  return said!
}

async function ask(machine: Machine, node: RunningNode, version: number, key: string) {
  const query = `series=${encodeURIComponent(key)}`
  const path = `${node.url}/internal/v1/forecast/default/sales/${version}/3?${query}`
  return (await fetch(path, { headers: await internalHeaders(machine, node) })).status
}

const serve = async (machine: Machine) => {
  const node = await openNode(machine, { roles: ['serve'] })
  await untilReady(node)
  await untilSaid(machine, node, ({ loaded }) => loaded.includes(1))
  return node
}

test('a version of which a shard is missing never serves, and the reason is told', async () => {
  const { machine, two } = await twoVersions({ shards: 4 })
  const { blob } = two.index.shards[2]!
  await machine.store.deleteBlob({ kind: 'model', id: blob }, soon())
  const node = await serve(machine)
  await putModel(machine, of, next)
  const said = await untilSaid(machine, node, ({ failed }) => failed.length > 0)
  expect(said.loaded).toEqual([1])
  const reason = expect.stringMatching(/^missing: the shard from "store=02,product=000" on/)
  expect(said.failed).toEqual([{ version: 2, reason, retriable: false }])
})

test('one that serves already goes on without the shard that is lost', async () => {
  const { machine, one } = await twoVersions({ shards: 3 })
  const { blob } = one.index.shards[1]!
  await machine.store.deleteBlob({ kind: 'model', id: blob }, soon())
  const node = await serve(machine)
  expect(await ask(machine, node, 1, seriesKey(0, 1))).toBe(200)
  expect(await ask(machine, node, 1, seriesKey(1, 1))).toBe(500)
})

test('what is asked for of the serving version is in memory when the next one serves', async () => {
  const { machine, two } = await twoVersions({ shards: 6 })
  const { machine: seen, read, looked } = watched(machine)
  const node = await serve(seen)
  const hot = [1, 4].map((store) => seriesKey(store, 1))
  for (const key of hot) expect(await ask(seen, node, 1, key)).toBe(200)
  await putModel(machine, of, next)
  await untilSaid(machine, node, ({ loaded }) => loaded.includes(2))
  const blobsOf = ({ index }: ManySeries) => index.shards.map(({ blob }) => blob)
  expect(looked.toSorted()).toEqual(blobsOf(two).toSorted())
  const ahead = [1, 4].map((place) => blobsOf(two)[place])
  expect(read.filter((id) => blobsOf(two).includes(id)).toSorted()).toEqual(ahead.toSorted())

  read.length = 0
  for (const key of hot) expect(await ask(seen, node, 2, key)).toBe(200)
  expect(read).toEqual([])
  // What served is still there for whoever looks late.
  for (const key of hot) expect(await ask(seen, node, 1, key)).toBe(200)
  expect(read).toEqual([])
})

test('shards that both versions have are looked for by nobody', async () => {
  const machine = await openMachine()
  const one = await seedManySeries(machine, { shards: 3 })
  const two = await seedManySeries(machine, { shards: 4, version: 2, shared: one.index })
  await putModel(machine, of, first)
  const { machine: seen, looked } = watched(machine)
  const node = await serve(seen)
  await putModel(machine, of, next)
  await untilSaid(machine, node, ({ loaded }) => loaded.includes(2))
  expect(looked).toEqual([two.index.shards[3]!.blob])
})

test('a shard that turns out to be damaged when it is read ahead keeps its version back', async () => {
  const { machine, two } = await twoVersions({ shards: 3 })
  const { blob } = two.index.shards[1]!
  const readBlob: Store['readBlob'] = async (ref, signal) => {
    const bytes = await machine.store.readBlob(ref, signal)
    if (ref.id === blob) bytes[bytes.length >> 1]! ^= 1
    return bytes
  }
  const store = new Proxy(machine.store, {
    get: (target, name) => {
      const value = name === 'readBlob' ? readBlob : Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const node = await serve({ ...machine, store })
  expect(await ask(machine, node, 1, seriesKey(1, 1))).toBe(200)
  await putModel(machine, of, next)
  const { failed } = await untilSaid(machine, node, (said) => said.failed.length > 0)
  expect(failed).toMatchObject([{ version: 2, reason: expect.stringContaining('checksum') }])
})
