import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Change,
  type Comparison,
  type Coordinator,
  type Lease,
  type Operation,
  openEmbeddedCoordinator,
  openEtcdCoordinator,
  put,
  type Random,
  remove,
  seededRandom,
  type Transaction,
} from '../../src/index.ts'
import { type Followed, follow } from './follow.ts'
import { type TemporaryEtcd, temporaryEtcd } from './real-etcd.ts'

/*
 * The same random history on both adapters: every answer, revision, snapshot and event must be the
 * same. Both begin at revision 1, so that not even an offset is allowed for. A seed that found a
 * fault stays in the list.
 */
const seeds = [1, 2, 3, 20_261_122, Date.now() % 1_000_000]
const stepsPerSeed = 600
const { signal } = new AbortController()

/** One adapter with what the history has made on it so far. */
type World = { readonly coordinator: Coordinator; readonly leases: Lease[]; watches: Followed[] }

let temporary: TemporaryEtcd
let worlds: readonly [World, World]
beforeAll(async () => {
  temporary = await temporaryEtcd()
  const world = (coordinator: Coordinator): World => ({ coordinator, leases: [], watches: [] })
  worlds = [
    world(await openEmbeddedCoordinator({ path: ':memory:' })),
    world(
      await openEtcdCoordinator({ endpoints: temporary.etcd.endpoints, callTimeoutMs: 20_000 }),
    ),
  ]
})
afterAll(async () => {
  await Promise.all(worlds.map(({ coordinator }) => coordinator.close()))
  await temporary.remove()
})

test.each(seeds)('a random history is the same on both adapters (seed %d)', async (seed) => {
  const random = seededRandom(seed)
  const [embedded, etcd] = worlds
  const kinds = new Map<string, number>()
  await Promise.all(worlds.map((world) => openWatch(world, '/')))
  for (let step = 0; step < stepsPerSeed; step++) {
    const act = chooseStep(random, (await embedded.coordinator.list('', signal)).revision)
    const [expected, actual] = await Promise.all([outcome(embedded, act), outcome(etcd, act)])
    expect({ step, actual }).toEqual({ step, actual: expected })
    const kind = JSON.stringify(expected)?.match(/"succeeded":(true|false)|^"Missing"/)?.[0]
    kinds.set(kind ?? 'other', (kinds.get(kind ?? 'other') ?? 0) + 1)
  }
  // A history in which everything was refused would prove nothing.
  for (const count of ['"succeeded":true', '"succeeded":false', '"Missing"']) {
    expect(kinds.get(count)).toBeGreaterThan(5)
  }
  const { revision } = await embedded.coordinator.list('', signal)
  // One last change that every watch sees, so that all have seen everything.
  for (const { coordinator } of worlds) {
    const last = prefixes.map((prefix) => put(`${prefix}end`, String(seed)))
    await coordinator.transact({ when: [], then: last }, signal)
  }
  for (const { watches } of worlds) {
    for (const seen of watches) await seen.until(() => seen.revision > revision, 20_000)
  }
  expect(etcd.watches.map((seen) => told(seen, etcd))).toEqual(
    embedded.watches.map((seen) => told(seen, embedded)),
  )
  for (const world of worlds) {
    expect(world.watches.flatMap(({ breaches }) => breaches)).toEqual([])
    await Promise.all(world.watches.map(({ watch }) => watch.stop()))
    world.watches = []
  }
})

const prefixes = ['/', '/a/', '/b/']
const keys = ['/a/1', '/a/2', '/a/é', '/b/1', '/b/2', '/b/😀']

type Step = (world: World) => Promise<unknown>

function chooseStep(random: Random, revision: number): Step {
  const kind = random()
  if (kind < 0.65) {
    const draft = chooseTransaction(random, revision)
    return async (world) => await world.coordinator.transact(draft(world), signal)
  }
  if (kind < 0.75) {
    const key = pick(random, keys)
    return async (world) => comparable(await world.coordinator.get(key, signal), world)
  }
  if (kind < 0.83) {
    const prefix = pick(random, prefixes)
    return async (world) => comparable(await world.coordinator.list(prefix, signal), world)
  }
  if (kind < 0.89) {
    return async (world) => {
      world.leases.push(await world.coordinator.grantLease(600_000, signal))
    }
  }
  if (kind < 0.94) {
    const which = random()
    return async (world) => await leaseAt(world, which)?.revoke(signal)
  }
  if (kind < 0.97) {
    const prefix = pick(random, prefixes)
    return async (world) => await openWatch(world, prefix)
  }
  const at = Math.floor(random() * revision)
  return async (world) => await world.coordinator.compact(at, signal)
}

/** A transaction that means the same in both worlds, though leases have other names there. */
function chooseTransaction(random: Random, revision: number): (world: World) => Transaction {
  const when = Array.from({ length: Math.floor(random() * 3) }, () => {
    return chooseComparison(random, revision)
  })
  const written = new Set<string>()
  const then = Array.from({ length: Math.floor(random() * 5) }, () => {
    const key = pick(random, keys)
    const isPut = random() < 0.7 && !written.has(key)
    if (!isPut) return written.has(key) ? undefined : { key, value: undefined, which: -1 }
    written.add(key)
    return { key, value: String(Math.floor(random() * 1e6)), which: random() * 2 }
  }).filter((operation) => operation !== undefined)
  const kept = then.filter(({ key, value }) => value !== undefined || !written.has(key))
  return (world) => ({
    when,
    then: kept.map(({ key, value, which }): Operation => {
      return value === undefined ? remove(key) : put(key, value, leaseAt(world, which)?.id)
    }),
  })
}

function chooseComparison(random: Random, revision: number): Comparison {
  const key = pick(random, keys)
  const kind = pick(random, ['absent', 'present', 'modified-at', 'created-at'] as const)
  if (kind === 'absent' || kind === 'present') return { kind, key }
  // Mostly recent ones: they have a chance to be right.
  const back = Math.floor(random() * random() * 12)
  return { kind, key, revision: Math.max(0, random() < 0.1 ? 0 : revision - back) }
}

/** Some lease of the history, ended or not; none for half of the range. */
function leaseAt(world: World, which: number): Lease | undefined {
  if (which < 0 || which >= 1) return undefined
  const recent = world.leases.slice(-5)
  return recent[Math.floor(which * recent.length)]
}

async function openWatch(world: World, prefix: string): Promise<void> {
  const seen = follow(world.coordinator, prefix)
  world.watches.push(seen)
  await seen.until(() => seen.snapshots === 1)
}

async function outcome(world: World, step: Step): Promise<unknown> {
  return await step(world).catch((error: Error) => `${error.name}`)
}

/** All that a watch was told, without how it was cut into pieces. */
function told({ events }: Followed, world: World): unknown {
  const changes: Change[] = []
  const snapshots: unknown[] = []
  for (const event of events) {
    if (event.kind === 'snapshot') snapshots.push(event)
    if (event.kind === 'changes') changes.push(...event.changes)
  }
  return comparable({ snapshots, changes }, world)
}

/** Leases by the order in which they were granted. */
function comparable(value: unknown, world: World): unknown {
  const names = new Map(world.leases.map(({ id }, index) => [id, `lease ${index}`]))
  const renamed = JSON.stringify(value, (name, inner: unknown) =>
    name === 'lease' && typeof inner === 'string' ? (names.get(inner) ?? inner) : inner,
  )
  return renamed === undefined ? undefined : JSON.parse(renamed)
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T
}
