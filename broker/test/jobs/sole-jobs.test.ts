import {
  absent,
  codecs,
  createLogger,
  jobKey,
  jobsPrefix,
  modifiedAt,
  openEmbeddedCoordinator,
  put,
  versionKey,
} from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { BaseMoved } from '../../src/jobs/allocate.ts'
import { createFilePredictions } from '../../src/jobs/file-predictions.ts'
import { createSoleJobs, type SoleAsked } from '../../src/jobs/sole-jobs.ts'
import { handClock } from '../support/hand-clock.ts'
import { jobRecord, versionRecord } from '../support/records.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const key = versionKey(of, 1)
const asked: SoleAsked = { of, version: 1, requestId: 'r', idempotency: null }
const named = { hash: 'a'.repeat(64), body: 'b'.repeat(64) }

/** A stored version at a real coordinator, and jobs that are planned by what `plan` reads of it. */
async function opened(isMoving = false) {
  const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
  onTestFinished(() => coordinator.close())
  const stored = versionRecord(1, 'stored', { sha256: 'c'.repeat(64) })
  const write = async (record = stored) => {
    const then = [put(key, codecs.version.encode(record))]
    return (await coordinator.transact({ when: [], then }, signal())).revision
  }
  await write()
  const accepted: string[] = []
  let plans = 0
  const parts = {
    ...{ coordinator, clock: handClock().clock, random: Math.random, bounds: boundsOf() },
    logger: createLogger({ process: 'test', level: 'silent' }),
    onAccepted: (job: string) => void accepted.push(job),
    mintId: () => {
      plans += 1
      return `id-${plans}`
    },
  }
  const jobs = createSoleJobs<SoleAsked>(parts, async () => {
    const entry = (await coordinator.get(key, signal()))!
    if (plans === 0 || isMoving) await write()
    return { job: jobRecord(parts.mintId()), when: [modifiedAt(key, entry.modRevision)] }
  })
  const made = async () =>
    (await coordinator.list(jobsPrefix, signal())).entries.map(({ key: name }) => name)
  return { coordinator, parts, jobs, made, accepted, write, stored, plans: () => plans }
}

test('what changed while a job was planned is planned again', async () => {
  const { jobs, made, accepted } = await opened()
  expect(await jobs.begin(asked)).toMatchObject({ job: 'id-2', version: 1, isNew: true })
  expect(await made()).toEqual([jobKey('id-2')])
  expect(accepted).toEqual(['id-2'])
})

test('what keeps changing is given up, with nothing begun', async () => {
  const { jobs, made, accepted, plans } = await opened(true)
  await expect(jobs.begin(asked)).rejects.toMatchObject({ status: 503 })
  expect([await made(), accepted, plans()]).toEqual([[], [], 3])
})

test('a repeated request finds its job, and another one with its key is refused', async () => {
  const { jobs, made } = await opened()
  const first = await jobs.begin({ ...asked, idempotency: named })
  const again = await jobs.begin({ ...asked, idempotency: named })
  expect(again).toMatchObject({ job: first.job, isNew: false })
  expect(await jobs.earlier(of, named)).toMatchObject({ job: first.job })
  const other = { ...named, body: 'd'.repeat(64) }
  await expect(jobs.begin({ ...asked, idempotency: other })).rejects.toMatchObject({ status: 422 })
  expect(await made()).toEqual([jobKey(first.job)])
})

test('of two requests with one key at the same time one makes the job', async () => {
  const { jobs, made } = await opened()
  await jobs.begin(asked)
  const both = await Promise.all([1, 2].map(() => jobs.begin({ ...asked, idempotency: named })))
  expect(both.map(({ isNew }) => isNew).toSorted()).toEqual([false, true])
  expect(new Set(both.map(({ job }) => job)).size).toBe(1)
  expect(await made()).toHaveLength(2)
})

test('a job is begun with what goes with it, or not at all', async () => {
  const { coordinator, jobs, made } = await opened()
  await jobs.begin(asked)
  const also = () => ({ when: [absent(key)], then: [put('/beside', 'never')] })
  await expect(jobs.begin({ ...asked, also })).rejects.toThrow(BaseMoved)
  expect(await made()).toHaveLength(1)
  await jobs.begin({ ...asked, also: () => ({ when: [], then: [put('/beside', 'done')] }) })
  expect((await coordinator.get('/beside', signal()))?.value).toBe('done')
})

test('a file is predicted by a version that is stored, and by no other', async () => {
  const { parts, write, stored } = await opened()
  const predictions = createFilePredictions(parts)
  const file = { ...asked, file: 'rows.csv', etag: 'e', into: 'out.csv' }
  for (const state of ['queued', 'fitting', 'failed'] as const) {
    await write({ ...stored, state })
    await expect(predictions.begin(file)).rejects.toMatchObject({ code: 'not-stored' })
  }
  await expect(predictions.begin({ ...file, version: 2 })).rejects.toMatchObject({ status: 410 })
  await write()
  expect(await predictions.begin(file)).toMatchObject({ isNew: true })
})
