import {
  claimKey,
  codecs,
  type Held,
  type JobRecord,
  jobKey,
  openEmbeddedCoordinator,
  put,
  remove,
  systemClock,
} from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import type { NodeContext } from '../../src/base/context.ts'
import { failJob, type SoleClaim, settleJob, takeJobClaim } from '../../src/fitting/job-claim.ts'
import { soon } from '../support/machine.ts'

const of = { tenant: 'default', model: 'm', version: 1 }
const at = '2026-01-01T00:00:00.000Z'
const job: JobRecord = {
  ...{ id: 'job', kind: 'predict', subject: of, state: 'queued', attempts: 0, error: null },
  ...{ progress: { phase: 'queued', fraction: 0 }, requestId: 'r', createdAt: at, endedAt: null },
}
const running = { ...job, state: 'running', attempts: 1 } as const
const done = { ...running, state: 'done', endedAt: at } as const
const key = claimKey('job')

/** A job at a real coordinator, as a node has just read it. */
async function opened() {
  const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
  onTestFinished(() => coordinator.close())
  const parts = { coordinator, clock: systemClock, random: Math.random }
  const context = { ...parts, node: 'n', instance: 'i' } as unknown as NodeContext
  const write = async (value: JobRecord): Promise<Held<JobRecord>> => {
    const text = codecs.job.encode(value)
    const then = [put(jobKey('job'), text)]
    const { revision } = await coordinator.transact({ when: [], then }, soon())
    return { value, text, modRevision: revision, createRevision: revision, lease: null }
  }
  const held = await write(job)
  const take = async (isTold: boolean, read = held) => {
    const lease = await coordinator.grantLease(60_000, soon())
    const subject = { of, job: read, version: null }
    return await takeJobClaim(context, subject, { job: running, isTold }, lease, soon())
  }
  const read = async () => {
    const decoded = codecs.job.decode((await coordinator.get(jobKey('job'), soon()))?.value ?? '')
    return decoded.ok ? decoded.value : undefined
  }
  /** The claim is another's, with the record as it was. */
  const lose = async () => {
    await coordinator.transact({ when: [], then: [remove(key)] }, soon())
    await coordinator.transact({ when: [], then: [put(key, 'another')] }, soon())
  }
  return { coordinator, context, write, take, read, lose, held }
}

const mine = (claim: SoleClaim | undefined): SoleClaim => {
  if (claim === undefined) throw new Error('it was not claimed')
  return claim
}

test('a job is one node’s, also for who has read it since', async () => {
  const { take, write } = await opened()
  mine(await take(true))
  expect(await take(true)).toBe(undefined)
  expect(await take(true, await write(running))).toBe(undefined)
})

test('a job that was cancelled meanwhile does not run again', async () => {
  const { take, write, read } = await opened()
  await write({ ...job, state: 'failed', endedAt: at })
  expect(await take(true)).toBe(undefined)
  expect(await read()).toMatchObject({ state: 'failed' })
})

test.each([true, false])(
  'who has lost the claim does not end the job (told: %s)',
  async (isTold) => {
    const { context, take, read, lose } = await opened()
    const claim = mine(await take(isTold))
    await lose()
    expect(await settleJob(context, claim, done)).toBe('refused')
    const fault = { phase: 'predict', reason: 'odd', detail: 'It is odd.' } as const
    expect(await failJob(context, claim, fault)).toBe('refused')
    expect(await read()).toMatchObject({ state: 'running' })
  },
)

test('a job that is gone is not made again by its end', async () => {
  const { coordinator, context, take, read } = await opened()
  const claim = mine(await take(true))
  await coordinator.transact({ when: [], then: [remove(jobKey('job'))] }, soon())
  expect(await settleJob(context, claim, done)).toBe('refused')
  expect(await read()).toBe(undefined)
})

test('progress that was told is no reason not to end it, but where none is told a change is', async () => {
  for (const isTold of [true, false]) {
    const { context, take, write, read } = await opened()
    const claim = mine(await take(isTold))
    await write({ ...running, progress: { phase: 'predicting', fraction: 0.5 } })
    expect(await settleJob(context, claim, done)).toBe(isTold ? 'applied' : 'refused')
    expect(await read()).toMatchObject({ state: isTold ? 'done' : 'running' })
  }
})
