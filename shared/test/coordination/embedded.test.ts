import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Coordinator,
  Damaged,
  InUse,
  limits,
  openEmbeddedCoordinator,
  put,
  remove,
} from '../../src/index.ts'
import { startChild } from '../support/child.ts'
import { eventually } from '../support/eventually.ts'
import { manualClock } from '../support/manual-clock.ts'
import { coordinatorConformance } from './conformance.ts'
import { follow } from './follow.ts'

const { signal } = new AbortController()
let folder = ''
let files = 0
const newPath = () => join(folder, `${files++}`, 'coordinator.sqlite')
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-coordinator-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const backendOf = async (path: string) => {
  const one = await openEmbeddedCoordinator({ path })
  return { one, other: one, close: () => one.close() }
}
coordinatorConformance({
  name: 'embedded, in memory',
  leaseTtlMs: 1_500,
  open: () => backendOf(':memory:'),
})
coordinatorConformance({
  name: 'embedded, in a file',
  leaseTtlMs: 1_500,
  open: () => backendOf(newPath()),
})

const write = (coordinator: Coordinator, key: string, value = '1', lease?: string) =>
  coordinator.transact({ when: [], then: [put(key, value, lease)] }, signal)

describe('what is on disk', () => {
  test('a new start finds keys, revisions and identity as they were', async () => {
    const path = newPath()
    const before = await openEmbeddedCoordinator({ path })
    await write(before, '/a', '1')
    await write(before, '/b', '1')
    await write(before, '/a', '2')
    await before.transact({ when: [], then: [remove('/b')] }, signal)
    const [id, list] = [await before.clusterId(signal), await before.list('', signal)]
    await before.close()
    const after = await openEmbeddedCoordinator({ path })
    expect(await after.clusterId(signal)).toBe(id)
    expect(await after.list('', signal)).toEqual(list)
    expect((await write(after, '/c')).revision).toBe(list.revision + 1)
    await after.close()
  })

  test('compaction keeps what is current and the revision, though the last change was a deletion', async () => {
    const path = newPath()
    const before = await openEmbeddedCoordinator({ path })
    for (let i = 0; i < 30; i++) await write(before, `/${i % 3}`, String(i))
    const last = await before.transact({ when: [], then: [remove('/0')] }, signal)
    const list = await before.list('', signal)
    await before.compact(last.revision, signal)
    await before.close()
    const after = await openEmbeddedCoordinator({ path })
    expect(await after.list('', signal)).toEqual(list)
    expect(list.revision).toBe(last.revision)
    await after.close()
  })

  test('history is bounded without anybody asking', async () => {
    const path = newPath()
    const clock = manualClock()
    const kept = 100
    const coordinator = await openEmbeddedCoordinator({ path, clock, historyRevisionsKept: kept })
    await Promise.all(Array.from({ length: 2 * kept }, () => write(coordinator, '/same')))
    await clock.advance(limits.watchProgressMs)
    await coordinator.close()
    const database = new DatabaseSync(path)
    const rows = database.prepare('SELECT count(*) AS rows FROM history').get()?.rows
    database.close()
    expect(rows).toBe(kept + 1)
  })

  test('every acknowledged transaction survives kill -9, whole', async () => {
    const path = newPath()
    const child = startChild(join(import.meta.dirname, 'children/write-forever.ts'), [path])
    await eventually(
      () => child.lines.length,
      (count) => count > 200,
    )
    await child.kill()
    const acknowledged = [...child.lines]
    const coordinator = await openEmbeddedCoordinator({ path })
    const keys = new Set((await coordinator.list('', signal)).entries.map(({ key }) => key))
    expect(acknowledged.filter((number) => !keys.has(`/n/${number}`))).toEqual([])
    // Both writes of a transaction are there, or neither.
    const numbers = [...keys].filter((key) => key.startsWith('/n/')).map((key) => key.slice(3))
    expect(numbers.filter((number) => !keys.has(`/twin/${number}`))).toEqual([])
    expect(numbers.length * 2).toBe(keys.size)
    await coordinator.close()
  })

  test('opening ends the leases of before, in one revision', async () => {
    const path = newPath()
    const before = await openEmbeddedCoordinator({ path })
    const lease = await before.grantLease(60_000, signal)
    await write(before, '/leased/1', '1', lease.id)
    await write(before, '/leased/2', '1', lease.id)
    const { revision } = await write(before, '/kept')
    await before.close()
    const after = await openEmbeddedCoordinator({ path })
    const { entries, revision: now } = await after.list('', signal)
    expect(entries.map(({ key }) => key)).toEqual(['/kept'])
    expect(now).toBe(revision + 1)
    await after.close()
  })

  test('a second opener is refused with the path and what to do, in this process or another', async () => {
    const path = newPath()
    const child = startChild(join(import.meta.dirname, 'children/write-forever.ts'), [path])
    await eventually(
      () => child.lines.length,
      (count) => count > 0,
    )
    const refused = openEmbeddedCoordinator({ path })
    await expect(refused).rejects.toThrow(InUse)
    await expect(refused).rejects.toThrow(path)
    await expect(refused).rejects.toThrow('Stop that process, or choose another data folder')
    await child.kill()
    const first = await openEmbeddedCoordinator({ path })
    await expect(openEmbeddedCoordinator({ path })).rejects.toThrow(InUse)
    await write(first, '/still', '1')
    await first.close()
  })

  test('a file that is no database is refused by name', async () => {
    const path = join(folder, 'not-a-database')
    await writeFile(path, 'x'.repeat(10_000))
    const refused = openEmbeddedCoordinator({ path })
    await expect(refused).rejects.toThrow(Damaged)
    await expect(refused).rejects.toThrow(path)
  })
})

describe('inside one process', () => {
  test('a process that stalls loses its leases, and their keys go', async () => {
    const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
    const lease = await coordinator.grantLease(1_000, signal)
    await write(coordinator, '/leased', '1', lease.id)
    const seen = follow(coordinator, '/')
    await seen.until(() => seen.entries.size === 1)
    stall(1_200)
    expect(lease.validMs()).toBe(0)
    expect(lease.lost.aborted).toBe(true)
    await seen.until(() => seen.entries.size === 0)
    expect(seen.changed).toEqual(['/leased@3'])
    expect(seen.breaches).toEqual([])
    await coordinator.close()
  })

  test('a lease that stalled for longer than it can be trusted stays lost', async () => {
    const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
    const lease = await coordinator.grantLease(1_000, signal)
    stall(850)
    // The backend would still confirm it for 150 ms; who trusts it must not hear of that.
    expect(lease.validMs()).toBe(0)
    await eventually(
      () => lease.lost.aborted,
      (aborted) => aborted,
    )
    expect(lease.validMs()).toBe(0)
    await coordinator.close()
  })

  test('transactions that wait together share their syncs', async () => {
    const coordinator = await openEmbeddedCoordinator({ path: newPath() })
    const timed = async (work: () => Promise<unknown>) => {
      const from = performance.now()
      await work()
      return performance.now() - from
    }
    const oneByOneMs = await timed(async () => {
      for (let i = 0; i < 200; i++) await write(coordinator, `/a/${i}`)
    })
    const togetherMs = await timed(() =>
      Promise.all(Array.from({ length: 200 }, (_, i) => write(coordinator, `/b/${i}`))),
    )
    expect(togetherMs).toBeLessThan(oneByOneMs)
    expect((await coordinator.list('/', signal)).entries).toHaveLength(400)
    await coordinator.close()
  })

  test('more transactions than may wait are refused, and those that wait are done', async () => {
    const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
    const all = Array.from({ length: limits.embeddedQueueMax + 5 }, (_, i) =>
      write(coordinator, `/${i}`).then(
        () => 'done',
        (error: Error) => error.message,
      ),
    )
    const results = await Promise.all(all)
    expect(results.filter((result) => result === 'done')).toHaveLength(limits.embeddedQueueMax)
    expect(results.at(-1)).toBe('too many transactions are waiting')
    await coordinator.close()
  })

  test('what was submitted before closing is on disk after it', async () => {
    const path = newPath()
    const before = await openEmbeddedCoordinator({ path })
    const writes = Array.from({ length: 300 }, (_, i) => write(before, `/${i}`))
    await before.close()
    const done = (await Promise.allSettled(writes)).filter(({ status }) => status === 'fulfilled')
    const after = await openEmbeddedCoordinator({ path })
    expect((await after.list('/', signal)).entries).toHaveLength(done.length)
    expect(done).toHaveLength(300)
    await after.close()
  })

  test('a closed coordinator keeps no process alive', async () => {
    const file = join(import.meta.dirname, 'children/use-and-close.ts')
    const child = startChild(file, ['embedded', newPath()])
    expect(await child.ended(10_000)).toBe(0)
    expect(child.lines).toEqual(['closed'])
  })
})

/** Stops the event loop, as a long garbage collection or SIGSTOP would. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
