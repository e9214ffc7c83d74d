import {
  claimKey,
  codecs,
  type JobRecord,
  jobKey,
  jobsPrefix,
  mintBlobId,
  put,
  remove,
  versionsPrefix,
} from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { readReferences, sweepGarbage } from '../../src/jobs/garbage.ts'
import { fit, get, openCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

const of = { tenant: 'default', model: 'm' }
const signal = () => AbortSignal.timeout(5_000)

describe('what is old', () => {
  test('moves to the store and can still be read, and what serves stays', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const broker = await cluster.broker({
      reconcileMs: 100,
      versionsKept: 2,
      finishedJobsMax: 1,
      logEntriesKept: 1,
    })
    const jobs: string[] = []
    for (let i = 0; i < 5; i += 1) jobs.push(String((await fit(broker, 'm')).body.job))
    const count = async (prefix: string) =>
      (await cluster.coordinator.list(prefix, signal())).entries.length
    await eventually(
      () => count(versionsPrefix(of)),
      (n) => n === 2,
    )
    await eventually(
      () => count(jobsPrefix),
      (n) => n === 1,
    )
    await eventually(
      () => count('/models/default/m/log/'),
      (n) => n === 1,
    )
    const first = await get(broker, '/api/models/m/versions/1')
    expect(first.body).toMatchObject({ version: 1, collected: true })
    const pages: number[] = []
    let next: unknown = ''
    while (next !== null) {
      const path = `/api/models/m/versions?limit=2${next ? `&cursor=${next}` : ''}`
      const { body } = await get(broker, path)
      pages.push(...(body.versions as { version: number }[]).map(({ version }) => version))
      next = body.next
    }
    expect(pages).toEqual([5, 4, 3, 2, 1])
    expect((await get(broker, `/api/jobs/${jobs[0]}`)).body).toMatchObject({ state: 'done' })
    const all = (await get(broker, '/api/jobs')).body.jobs as { id: string }[]
    expect(all.map(({ id }) => id)).toEqual([...jobs].reverse())
    const log = (await get(broker, '/api/models/m/log')).body.log as { to: number }[]
    expect(log.map(({ to }) => to)).toEqual([5, 4, 3, 2, 1])
    const gone = await get(broker, '/api/models/m/forecast/3?version=1')
    expect([gone.status, gone.body.type]).toEqual([410, 'urn:almanac:problem:version-gone'])
    expect((await get(broker, '/api/models/m/forecast/3')).status).toBe(200)
  })
})

test('a backlog is moved in one round, however long it is', async () => {
  const cluster = await openCluster()
  const { coordinator } = cluster
  const record = (id: string): JobRecord => ({
    ...{ id, kind: 'fit', subject: { ...of, version: 1 }, state: 'done', attempts: 1 },
    ...{ progress: { phase: 'done', fraction: 1 }, error: null, requestId: 'r' },
    ...{ createdAt: '2026-01-01T00:00:00.000Z', endedAt: '2999-01-01T00:00:00.000Z' },
  })
  for (let i = 0; i < 6; i += 1) {
    const ids = Array.from({ length: 100 }, () => mintBlobId())
    const then = ids.map((id) => put(jobKey(id), codecs.job.encode(record(id))))
    await coordinator.transact({ when: [], then }, signal())
  }
  const broker = await cluster.broker({ reconcileMs: 1_000, finishedJobsMax: 7 })
  const count = async () => (await coordinator.list(jobsPrefix, signal())).entries.length
  await eventually(count, (n) => n === 7, 15_000)
  // A round takes one lease.
  const { text } = await get(broker, '/metrics')
  expect(text).toMatch(/call="grant-lease"[^}]*outcome="done"[^}]*\} 1$/m)
})

test("housekeeping is one broker's at a time", async () => {
  const cluster = await openCluster()
  await cluster.node()
  const key = claimKey('housekeeping')
  const claim = codecs.claim.encode({ node: 'another', instance: 'x', since: 'now' })
  await cluster.coordinator.transact({ when: [], then: [put(key, claim)] }, signal())
  const broker = await cluster.broker({ reconcileMs: 50, versionsKept: 1 })
  for (let i = 0; i < 4; i += 1) await fit(broker, 'm')
  const count = async () =>
    (await cluster.coordinator.list(versionsPrefix(of), signal())).entries.length
  const tries = async () => (await get(broker, '/metrics')).text
  const granted = /call="grant-lease"[^}]*outcome="done"[^}]*\} ([3-9]|\d\d)/
  await eventually(tries, (text) => granted.test(text))
  expect(await count()).toBe(4)
  await cluster.coordinator.transact({ when: [], then: [remove(key)] }, signal())
  // The serving version and the one before it always stay.
  await eventually(count, (n) => n === 2)
})

describe('garbage', () => {
  test('is what no version names and is old; nothing else is deleted', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const broker = await cluster.broker()
    await fit(broker, 'm')
    const { coordinator, store } = cluster
    const orphan = mintBlobId()
    const upload = { kind: 'dataset' as const, id: orphan, label: 'x', content: new Uint8Array(9) }
    await store.writeBlob(upload, signal())
    const ids = async () =>
      (await store.listBlobs('dataset', { after: null, limit: 9 }, signal())).blobs.map((b) => b.id)
    expect(await ids()).toHaveLength(2)
    const logger = { info: () => {} } as never
    const at = (ms: number) => ({ wallTime: () => new Date(Date.now() + ms).toISOString() })
    const parts = { coordinator, store, bounds: boundsOf(), logger }
    await sweepGarbage({ ...parts, clock: at(86_000_000) }, signal())
    expect(await ids()).toHaveLength(2)
    await sweepGarbage({ ...parts, clock: at(86_401_000) }, signal())
    expect(await ids()).toHaveLength(1)
    expect(await ids()).not.toContain(orphan)
  })

  test('is nothing when a version cannot be read', async () => {
    const { coordinator, store } = await openCluster()
    const key = '/models/default/m/versions/000000000001'
    await coordinator.transact({ when: [], then: [put(key, '{"of":"a later release"}')] }, signal())
    const parts = { coordinator, store, bounds: boundsOf() }
    await expect(readReferences(parts, signal())).rejects.toThrow('cannot be read')
  })
})
