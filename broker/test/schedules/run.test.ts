import {
  absent,
  type Comparison,
  claimKey,
  createdAt,
  openEmbeddedCoordinator,
  put,
  Refused,
  type ScheduleRecord,
  scheduleKey,
  Unavailable,
} from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import type { FitRequest } from '../../src/jobs/allocate.ts'
import { findSchedule, putSchedule } from '../../src/schedules/edit.ts'
import {
  beginRun,
  lastingRefusal,
  type Occasion,
  type RunParts,
  recordRun,
} from '../../src/schedules/run.ts'
import { handClock } from '../support/hand-clock.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', name: 's' }
const hourly = { cron: '0 * * * *', timezone: 'UTC', enabled: true }
const asked = { ...hourly, action: { refit: { model: 'm' } } }
const bounds = {
  ...{ coordinatorCallMs: 5_000, scheduleRunsKept: 2 },
  ...{ contentionTriesMax: 3, schedulesMax: 10 },
}
const due: Occasion = {
  ...{ by: 'schedule', instant: '2026-01-01T01:00:00.000Z', missed: 0, requestId: 'r', when: [] },
}
const skipped = { outcome: 'skipped', detail: 'Not finished.', job: 'before' } as const

/** A schedule at a real coordinator, and actions that do only what has to go with their job. */
async function opened() {
  const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
  onTestFinished(() => coordinator.close())
  const told: string[] = []
  const refit = async ({ also }: { also?: FitRequest['also'] }) => {
    const { when, then } = also!({ job: 'job', version: 2, at: '2026-01-01T01:00:01.000Z' })
    const done = await coordinator.transact({ when, then }, signal())
    if (!done.succeeded) throw new Error('it moved')
    return { job: 'job', version: 2, isNew: true, revision: done.revision }
  }
  const parts: RunParts = {
    ...{ coordinator, bounds, clock: handClock().clock },
    actions: { fits: { refit } } as unknown as RunParts['actions'],
    onRun: (outcome) => told.push(outcome),
  }
  await putSchedule({ coordinator, bounds }, of, asked, due.instant)
  const find = async () => (await findSchedule({ coordinator, bounds }, of))!
  const change = async (record: ScheduleRecord) => {
    const key = scheduleKey(of.tenant, of.name)
    await coordinator.transact({ when: [], then: [put(key, JSON.stringify(record))] }, signal())
  }
  return { coordinator, parts, told, find, change }
}

test('what somebody changed meanwhile is left as it is: nothing is begun or recorded', async () => {
  const { parts, told, find, change } = await opened()
  const held = await find()
  await change({ ...held.record, enabled: false })
  const changed = await find()
  await expect(beginRun(parts, held, due)).rejects.toThrow('it moved')
  expect(await recordRun(parts, held, due, skipped)).toBe(false)
  expect(await find()).toEqual(changed)
  expect(told).toEqual([])
})

test('who has lost the claim begins and records nothing', async () => {
  const { coordinator, parts, told, find } = await opened()
  const held = await find()
  const key = claimKey('schedules')
  const taken = await coordinator.transact(
    { when: [absent(key)], then: [put(key, 'another')] },
    signal(),
  )
  const when: Comparison[] = [createdAt(key, taken.revision - 1)]
  await expect(beginRun(parts, held, { ...due, when })).rejects.toThrow('it moved')
  expect(await recordRun(parts, held, { ...due, when }, skipped)).toBe(false)
  expect(await find()).toEqual(held)
  expect(told).toEqual([])
})

test('an instant is dealt with, but not by who asks beside it', async () => {
  const { parts, told, find } = await opened()
  const before = await find()
  const instant = '2026-01-01T00:40:00.000Z'
  await beginRun(parts, before, { ...due, by: 'request', instant })
  const between = await find()
  expect(between.record).toMatchObject({ until: before.record.until, job: 'job' })
  await beginRun(parts, between, { ...due, instant: '2026-01-01T02:00:00.000Z', missed: 3 })
  const { record } = await find()
  expect(record).toMatchObject({ until: '2026-01-01T02:00:00.000Z', job: 'job' })
  expect(record.runs).toMatchObject([{ missed: 3 }, { by: 'request' }])
  expect(record.runs[1]).not.toHaveProperty('missed')
  expect(told).toEqual(['begun', 'begun'])
})

test('a skipped instant does not make it forget the job that it waits for', async () => {
  const { parts, find } = await opened()
  await beginRun(parts, await find(), due)
  expect(await recordRun(parts, await find(), due, skipped)).toBe(true)
  expect((await find()).record).toMatchObject({ job: 'job', runs: [skipped, { job: 'job' }] })
})

test('a change by somebody between look and change is not written over', async () => {
  const { coordinator, find, change } = await opened()
  let tries = 0
  const contended: typeof coordinator = {
    ...coordinator,
    transact: async (transaction, until) => {
      tries += 1
      if (tries === 1) await change({ ...(await find()).record, job: 'begun' })
      return await coordinator.transact(transaction, until)
    },
  }
  const parts = { coordinator: contended, bounds }
  await putSchedule(parts, of, { ...asked, cron: '5 * * * *' }, due.instant)
  expect((await find()).record).toMatchObject({ cron: '5 * * * *', job: 'begun' })
  expect(tries).toBe(2)
})

test.each([
  [new Refused(404, 'no-such-model', 'No.', { remedy: 'Fit it.' }), 'no-such-model', 'No. Fit it.'],
  [new Refused(500, 'unreadable', 'Broken.'), 'unreadable', 'Broken.'],
])('%s will not pass', (error, reason, detail) => {
  expect(lastingRefusal(error)).toEqual({ reason, detail })
})

test.each([
  new Refused(503, 'no-node', 'Nobody.'),
  new Refused(409, 'contention', 'Again.', { retryAfterSeconds: 1 }),
  new Unavailable('store', 'away'),
])('%s may pass', (error) => {
  expect(lastingRefusal(error)).toBe(undefined)
})
