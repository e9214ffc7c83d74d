import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Coordinator,
  type EtcdCoordinatorOptions,
  limits,
  openEtcdCoordinator,
  put,
  remove,
  Unavailable,
} from '../../src/index.ts'
import { startChild } from '../support/child.ts'
import { eventually } from '../support/eventually.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { follow } from './follow.ts'
import { type TemporaryEtcd, temporaryEtcd } from './real-etcd.ts'

const { signal } = new AbortController()
const write = (to: Coordinator, key: string, value = '1', lease?: string) =>
  to.transact({ when: [], then: [put(key, value, lease)] }, signal)

/** Writes until etcd takes it: for what is not about the write. */
async function writeUntilTaken(to: Coordinator, key: string, value = '1') {
  return await eventually(
    () => write(to, key, value).catch(() => undefined),
    (result) => result !== undefined,
    30_000,
  )
}

let temporary: TemporaryEtcd
let opened: Coordinator[] = []
let events: string[] = []

async function open(options: Partial<EtcdCoordinatorOptions> = {}): Promise<Coordinator> {
  const coordinator = await openEtcdCoordinator({
    endpoints: temporary.etcd.endpoints,
    onEvent: (name, fields) => events.push(`${name} ${fields.reason ?? ''}`),
    ...options,
  })
  opened.push(coordinator)
  return coordinator
}

function setUp(members: 1 | 3) {
  beforeEach(async () => {
    temporary = await temporaryEtcd(members)
  })
  afterEach(async () => {
    await Promise.all(opened.map((coordinator) => coordinator.close()))
    opened = []
    events = []
    await temporary.remove()
  })
}

describe('etcd killed and started again', () => {
  setUp(1)

  test('a watch goes on where it was: nothing missed, nothing twice', async () => {
    const coordinator = await open()
    const seen = follow(coordinator, '/')
    await seen.until(() => seen.snapshots === 1)
    const expected: string[] = []
    for (let round = 0; round < 3; round++) {
      const writes = Array.from({ length: 20 }, async (_, i) => {
        const key = `/${round}/${i}`
        const { revision } = await write(coordinator, key)
        expected.push(`${key}@${revision}`)
      })
      await Promise.allSettled(writes.slice(0, 10))
      await temporary.etcd.kill()
      await Promise.allSettled(writes)
      await temporary.etcd.start()
      const end = await writeUntilTaken(coordinator, `/end/${round}`)
      await seen.until(() => seen.revision >= (end?.revision ?? 0))
    }
    expect(seen.breaches).toEqual([])
    expect(seen.snapshots).toBe(1)
    expect(expected.filter((change) => !seen.changed.includes(change))).toEqual([])
    expect(new Set(seen.changed).size).toBe(seen.changed.length)
    const { entries } = await coordinator.list('/', signal)
    expect([...seen.entries.keys()].sort()).toEqual(entries.map(({ key }) => key).sort())
  })

  test('a watch opened while etcd is away begins when it is there', async () => {
    await temporary.etcd.kill()
    const coordinator = await open()
    const seen = follow(coordinator, '/')
    await expect(coordinator.get('/a', signal)).rejects.toThrow(Unavailable)
    await temporary.etcd.start()
    const end = await writeUntilTaken(coordinator, '/a')
    await seen.until(() => seen.revision >= (end?.revision ?? 0))
    expect(seen.entries.get('/a')?.value).toBe('1')
    expect(seen.breaches).toEqual([])
  })

  test('history compacted while a watch was cut off: a fresh snapshot takes its place', async () => {
    const proxy = await startTcpProxy(temporary.etcd.endpoints[0] as string)
    const direct = await open()
    const watching = await open({ endpoints: [proxy.endpoint] })
    await write(direct, '/stays')
    await write(direct, '/goes')
    const seen = follow(watching, '/')
    await seen.until(() => seen.entries.size === 2)
    proxy.refuse()
    await direct.transact({ when: [], then: [remove('/goes'), put('/comes', '1')] }, signal)
    const { revision } = await write(direct, '/stays', '2')
    await direct.compact(revision, signal)
    proxy.pass()
    await seen.until(() => seen.snapshots === 2)
    expect([...seen.entries.keys()].sort()).toEqual(['/comes', '/stays'])
    expect(seen.revision).toBeGreaterThanOrEqual(revision)
    const later = await write(direct, '/later')
    await seen.until(() => seen.revision === later.revision)
    expect(seen.changed).toEqual([`/later@${later.revision}`])
    expect(seen.breaches).toEqual([])
    await watching.close()
    await proxy.close()
  })

  test('another cluster behind the same address: a fresh snapshot takes its place', async () => {
    const another = await temporaryEtcd()
    const [port, otherPort] = [temporary, another].map(({ etcd }) => etcd.endpoints[0] as string)
    const proxy = await startTcpProxy(port as string)
    const coordinator = await open({ endpoints: [proxy.endpoint] })
    const there = await open({ endpoints: [otherPort as string] })
    for (let i = 0; i < 5; i++) await write(coordinator, `/old/${i}`)
    for (let i = 0; i < 9; i++) await write(there, `/new/${i}`)
    const seen = follow(coordinator, '/')
    await seen.until(() => seen.entries.size === 5)
    proxy.retarget(otherPort as string)
    proxy.cut()
    await seen.until(() => seen.snapshots === 2)
    expect([...seen.entries.keys()]).toEqual(Array.from({ length: 9 }, (_, i) => `/new/${i}`))
    const later = await write(there, '/later')
    await seen.until(() => seen.revision === later.revision)
    await Promise.all([coordinator.close(), there.close()])
    await proxy.close()
    await another.remove()
  })

  test('the same cluster with its data lost: a fresh snapshot takes its place', async () => {
    const coordinator = await open()
    const id = await coordinator.clusterId(signal)
    for (let i = 0; i < 5; i++) await write(coordinator, `/old/${i}`)
    const seen = follow(coordinator, '/')
    await seen.until(() => seen.entries.size === 5)
    await temporary.etcd.kill()
    await temporary.loseData()
    await temporary.etcd.start()
    await seen.until(() => seen.snapshots === 2)
    // Its identity follows from its configuration: only the revision tells.
    expect(await coordinator.clusterId(signal)).toBe(id)
    const { revision } = await write(coordinator, '/new')
    await seen.until(() => seen.revision === revision)
    expect([...seen.entries.keys()]).toEqual(['/new'])
  })

  test('a lease survives a short outage, and keys under it stay', async () => {
    const coordinator = await open()
    const lease = await coordinator.grantLease(10_000, signal)
    await write(coordinator, '/leased', '1', lease.id)
    await temporary.etcd.restart()
    const before = lease.validMs()
    await eventually(
      () => lease.validMs(),
      (validMs) => validMs > before,
    )
    expect(lease.lost.aborted).toBe(false)
    expect((await coordinator.get('/leased', signal))?.lease).toBe(lease.id)
  })

  test('the end of a lease whose holder is gone is seen by watches', async () => {
    const [holder, watching] = [await open(), await open()]
    const lease = await holder.grantLease(2_000, signal)
    await write(holder, '/leased', '1', lease.id)
    const seen = follow(watching, '/')
    await seen.until(() => seen.entries.size === 1)
    await holder.close()
    await seen.until(() => seen.entries.size === 0)
    expect(seen.breaches).toEqual([])
  })

  test('a lease that somebody else has revoked is noticed by its holder', async () => {
    const coordinator = await open()
    const lease = await coordinator.grantLease(6_000, signal)
    const { Etcd3 } = await import('etcd3')
    const client = new Etcd3({ hosts: [...temporary.etcd.endpoints] })
    await client.leaseClient.leaseRevoke({ ID: lease.id })
    client.close()
    await eventually(
      () => lease.lost.aborted,
      (aborted) => aborted,
    )
    expect(String(lease.lost.reason)).toContain('the backend has ended it')
    expect(lease.validMs()).toBe(0)
  })
})

describe('etcd frozen', () => {
  setUp(1)

  test('calls reject in time, leases are lost in time, and all recovers', async () => {
    const callTimeoutMs = 500
    const coordinator = await open({ callTimeoutMs })
    const seen = follow(coordinator, '/')
    const lease = await coordinator.grantLease(3_000, signal)
    await write(coordinator, '/leased', '1', lease.id)
    await seen.until(() => seen.entries.size === 1)

    temporary.etcd.freeze()
    const frozenMs = performance.now()
    await expect(write(coordinator, '/a')).rejects.toThrow(Unavailable)
    await expect(coordinator.get('/a', signal)).rejects.toThrow(Unavailable)
    await expect(coordinator.list('/', signal)).rejects.toThrow(Unavailable)
    await expect(coordinator.grantLease(3_000, signal)).rejects.toThrow(Unavailable)
    expect(performance.now() - frozenMs).toBeLessThan(4 * callTimeoutMs + 1_000)
    await eventually(
      () => lease.lost.aborted,
      (aborted) => aborted,
      lease.ttlMs,
    )
    // Before etcd itself can have ended it: the last confirmation was sent before the freeze.
    expect(performance.now() - frozenMs).toBeLessThan(lease.ttlMs)
    expect(lease.validMs()).toBe(0)
    expect(seen.watch.silentMs()).toBeGreaterThan(1_000)

    temporary.etcd.thaw()
    const after = await writeUntilTaken(coordinator, '/after')
    await seen.until(() => seen.revision >= (after?.revision ?? 0))
    await seen.until(() => !seen.entries.has('/leased'))
    expect(seen.breaches).toEqual([])
    expect(seen.snapshots).toBe(1)
  })

  test('a caller who gives up waits no longer', async () => {
    const coordinator = await open({ callTimeoutMs: 60_000 })
    await write(coordinator, '/a')
    temporary.etcd.freeze()
    const giveUp = new AbortController()
    const reason = new Error('the client left')
    const waiting = coordinator.get('/a', giveUp.signal)
    giveUp.abort(reason)
    await expect(waiting).rejects.toBe(reason)
  })

  test('closing does not wait for it, and no process is kept alive', async () => {
    const file = new URL('children/close-frozen.ts', import.meta.url).pathname
    const [pid] = temporary.etcd.pids
    const child = startChild(file, [temporary.etcd.endpoints[0] as string, String(pid)])
    expect(await child.ended(30_000)).toBe(0)
    expect(child.lines).toEqual(['closed'])
    temporary.etcd.thaw()
  })
})

describe('a network that breaks', () => {
  setUp(1)
  let proxy: TcpProxy
  let direct: Coordinator
  let through: Coordinator
  beforeEach(async () => {
    proxy = await startTcpProxy(temporary.etcd.endpoints[0] as string)
    direct = await open()
    through = await open({ endpoints: [proxy.endpoint] })
  })
  afterEach(async () => {
    await through.close()
    await proxy.close()
  })

  test('a connection cut again and again, before and within the replay, loses no event', async () => {
    const seen = follow(through, '/')
    await seen.until(() => seen.snapshots === 1)
    const expected: string[] = []
    for (let round = 0; round < 9; round++) {
      proxy.refuse()
      for (let i = 0; i < 30; i++) {
        const { revision } = await write(direct, `/${i}`, `${round} ${'x'.repeat(30_000)}`)
        expected.push(`/${i}@${revision}`)
      }
      // Up again and cut twice: as soon as it has connected, then in the middle of the replay.
      await untilAccepted(() => proxy.pass())
      proxy.cut()
      proxy.cutAfter(100_000 + round * 70_000)
      await untilAccepted(() => {})
    }
    await seen.until(() => seen.changed.length >= expected.length, 30_000)
    expect(seen.changed).toEqual(expected)
    expect(seen.breaches).toEqual([])
    expect(seen.snapshots).toBe(1)
  })

  async function untilAccepted(act: () => void): Promise<void> {
    const before = proxy.accepted
    act()
    await eventually(
      () => proxy.accepted,
      (accepted) => accepted > before,
    )
  }

  test('a watch that is swallowed by the network is rebuilt, and misses nothing', async () => {
    const seen = follow(through, '/')
    await seen.until(() => seen.snapshots === 1)
    // Only a watch that is known to stand tests its silence, and not its opening.
    const standing = await write(direct, '/standing')
    await seen.until(() => seen.revision >= standing.revision)
    proxy.swallow()
    const lost = await write(direct, '/while-swallowed')
    // Those connections are dead for ever; only new ones pass.
    await eventually(
      () => proxy.accepted,
      (accepted) => accepted > 1,
      30_000,
    )
    proxy.pass()
    await seen.until(() => seen.revision >= lost.revision, 30_000)
    expect(seen.changed.at(-1)).toBe(`/while-swallowed@${lost.revision}`)
    expect(seen.snapshots).toBe(1)
    expect(seen.breaches).toEqual([])
    expect(events.filter((event) => event.startsWith('watch-broken'))).not.toEqual([])
  })

  test('a server that answers pings and nothing else is left after a while', async () => {
    const seen = follow(through, '/')
    await seen.until(() => seen.snapshots === 1)
    const standing = await write(direct, '/standing')
    await seen.until(() => seen.revision >= standing.revision)
    proxy.swallowAnswerData()
    const from = performance.now()
    const lost = await write(direct, '/while-silent')
    await eventually(
      () => events.some((event) => /^watch-broken .*says nothing/.test(event)),
      (broken) => broken,
      limits.watchSilenceMs + 10_000,
    )
    expect(performance.now() - from).toBeGreaterThan(limits.watchSilenceMs - 6_000)
    proxy.pass()
    await seen.until(() => seen.revision >= lost.revision, 30_000)
    expect([seen.snapshots, seen.breaches]).toEqual([1, []])
  })

  test('a delay of the network is only a delay', async () => {
    proxy.pass(60)
    const seen = follow(through, '/')
    const { revision } = await write(through, '/a')
    expect((await through.get('/a', signal))?.modRevision).toBe(revision)
    await seen.until(() => seen.revision >= revision)
    expect(seen.breaches).toEqual([])
    expect(events.filter((event) => event.startsWith('watch-broken'))).toEqual([])
  })

  test('a transaction whose answer was lost rejects and is not repeated', async () => {
    const { revision } = await write(direct, '/before')
    await through.get('/before', signal)
    proxy.swallowAnswers()
    await expect(write(through, '/once')).rejects.toThrow(Unavailable)
    // Whatever would repeat it has had its chance when the next one is through.
    proxy.cut()
    proxy.pass()
    await writeUntilTaken(through, '/after')
    const entry = await direct.get('/once', signal)
    expect(entry).toMatchObject({ createRevision: revision + 1, modRevision: revision + 1 })
  })
})

describe('three members', () => {
  setUp(3)

  test('any one of them may die, one after the other, and a watch misses nothing', async () => {
    const coordinator = await open()
    const seen = follow(coordinator, '/')
    await seen.until(() => seen.snapshots === 1)
    for (const member of temporary.etcd.members) {
      await member.kill()
      const during = await writeUntilTaken(coordinator, `/without/${member.name}`)
      await seen.until(() => seen.revision >= (during?.revision ?? 0), 40_000)
      await member.start()
    }
    expect(seen.breaches).toEqual([])
    expect(seen.snapshots).toBe(1)
    const { entries } = await coordinator.list('/', signal)
    expect([...seen.entries.keys()].sort()).toEqual(entries.map(({ key }) => key))
  })

  test('a member that freezes is left for another, by calls and by watches', async () => {
    const coordinator = await open()
    const seen = follow(coordinator, '/')
    await seen.until(() => seen.snapshots === 1)
    for (const member of temporary.etcd.members) {
      member.freeze()
      const during = await writeUntilTaken(coordinator, `/without/${member.name}`)
      await seen.until(() => seen.revision >= (during?.revision ?? 0), 40_000)
      member.thaw()
    }
    expect(seen.breaches).toEqual([])
  })

  test('a member without the others does not confirm a view that grows old', async () => {
    const [survivor, ...others] = temporary.etcd.members
    const coordinator = await open({ endpoints: [survivor?.endpoint as string] })
    const seen = follow(coordinator, '/')
    await seen.until(() => seen.snapshots === 1)
    await Promise.all(others.map((member) => member.kill()))
    // Long before silence would tell, and with servers that go on confirming.
    await eventually(
      () => events.some((event) => /^watch-broken .*no leader/.test(event)),
      (broken) => broken,
      12_000,
    )
    await eventually(
      () => seen.watch.silentMs(),
      (silentMs) => silentMs > 6_000,
      30_000,
    )
    await Promise.all(others.map((member) => member.start()))
    const after = await writeUntilTaken(coordinator, '/after')
    await seen.until(() => seen.revision >= (after?.revision ?? 0))
    expect([seen.snapshots, seen.breaches]).toEqual([1, []])
  })
})
