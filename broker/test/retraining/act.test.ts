import {
  absent,
  type Comparison,
  claimKey,
  codecs,
  counterKey,
  createdAt,
  modelKey,
  openEmbeddedCoordinator,
  put,
  Refused,
  type RetrainingRecord,
  retrainingKey,
} from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import type { FitRequest } from '../../src/jobs/allocate.ts'
import { type ActParts, act } from '../../src/retraining/act.ts'
import { findRetraining, putRetraining } from '../../src/retraining/edit.ts'
import type { Judged } from '../../src/retraining/judge.ts'
import { handClock } from '../support/hand-clock.ts'
import { held, modelRecord, versionRecord } from '../support/records.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const at = '2026-01-01T00:00:00.000Z'
const asked = { liveMase: 1.2, observations: 20, restSeconds: 3_600, enabled: true }
const bounds = {
  ...{ coordinatorCallMs: 5_000, retrainingRunsKept: 2 },
  ...{ contentionTriesMax: 3, retrainingsMax: 10 },
}
const occasion = { requestId: 'r', when: [] as Comparison[] }

/** A model, its rule and a verdict, at a real coordinator; the fit is only what goes with it. */
async function opened({ version = 4, refusal }: { version?: number; refusal?: Refused } = {}) {
  const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
  onTestFinished(() => coordinator.close())
  const write = async (key: string, value: string) =>
    (await coordinator.transact({ when: [], then: [put(key, value)] }, signal())).revision
  const revision = await write(modelKey(of), codecs.model.encode(modelRecord()))
  await write(counterKey(of), JSON.stringify({ last: 3 }))
  await putRetraining({ coordinator, bounds }, of, asked, at)
  let asks = 0
  const refit = async ({ also }: { also?: FitRequest['also'] }) => {
    asks += 1
    if (refusal) throw refusal
    const { when, then } = also!({ job: 'job', version, at })
    const done = await coordinator.transact({ when, then }, signal())
    if (!done.succeeded) throw new Error('it moved')
    return { job: 'job', version, isNew: true, revision: done.revision }
  }
  const parts: ActParts = {
    ...{ coordinator, bounds, clock: handClock().clock, fits: { refit } },
    mustHaveFile: async () => {},
  }
  const window = { observations: 24, liveMase: 1.5, since: 1, isFull: true, most: null }
  const model = held(modelRecord(), revision)
  const judged: Judged = { model, version: versionRecord(3), last: 3, window }
  const find = async () => (await findRetraining({ coordinator, bounds }, of))!
  const change = (record: RetrainingRecord) => write(retrainingKey(of), JSON.stringify(record))
  return { coordinator, parts, judged, find, change, write, asks: () => asks }
}

test('what is begun is recorded with the rule, whose other runs are bounded', async () => {
  const { parts, judged, find, change } = await opened()
  const { record } = await find()
  const old = { at, outcome: 'begun', judged: 1, liveMase: 2, observations: 20, limit: 1 } as const
  await change({ ...record, runs: [old, old] })
  expect(await act(parts, await find(), judged, occasion)).toMatchObject({ outcome: 'begun' })
  const after = (await find()).record
  expect(after).toMatchObject({ acted: 3, begunAt: at, runs: [{ judged: 3, version: 4 }, old] })
  expect(after.runs).toHaveLength(2)
})

test('who has lost the claim begins nothing', async () => {
  const { coordinator, parts, judged, find } = await opened()
  const key = claimKey('retraining')
  const claim = { when: [absent(key)], then: [put(key, 'another')] }
  const { revision } = await coordinator.transact(claim, signal())
  const before = await find()
  const when = [createdAt(key, revision - 1)]
  await expect(act(parts, before, judged, { ...occasion, when })).rejects.toThrow('it moved')
  expect(await find()).toEqual(before)
})

test('nothing is put together for a version that is not the newest any more', async () => {
  const { parts, judged, find, write, asks } = await opened()
  await write(counterKey(of), JSON.stringify({ last: 4 }))
  expect(await act(parts, await find(), judged, occasion)).toEqual({ outcome: 'moved' })
  expect(asks()).toBe(0)
})

test('a version that was begun while data was put together keeps another from it', async () => {
  const { parts, judged, find } = await opened({ version: 5 })
  const before = await find()
  await expect(act(parts, before, judged, occasion)).rejects.toThrow()
  expect(await find()).toEqual(before)
})

test('a refusal is not recorded with a rule that was changed meanwhile', async () => {
  const refusal = new Refused(410, 'collected', 'Gone.')
  const { parts, judged, find, change } = await opened({ refusal })
  const before = await find()
  await change({ ...before.record, liveMase: 9 })
  const changed = await find()
  expect(await act(parts, before, judged, occasion)).toEqual({ outcome: 'moved' })
  expect(await find()).toEqual(changed)
  const told = { outcome: 'refused', reason: 'collected', detail: 'Gone.' }
  expect(await act(parts, changed, judged, occasion)).toEqual(told)
  expect((await find()).record).toMatchObject({ begunAt: null, runs: [told] })
})

test('a change of a rule does not write over what it has begun meanwhile', async () => {
  const { coordinator, parts, judged, find } = await opened()
  let tries = 0
  const contended: typeof coordinator = {
    ...coordinator,
    transact: async (transaction, until) => {
      tries += 1
      if (tries === 1) await act(parts, await find(), judged, occasion)
      return await coordinator.transact(transaction, until)
    },
  }
  await putRetraining({ coordinator: contended, bounds }, of, { ...asked, liveMase: 1.1 }, at)
  expect((await find()).record).toMatchObject({ liveMase: 1.1, begunAt: at, runs: [{ judged: 3 }] })
})
