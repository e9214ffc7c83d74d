import {
  claimKey,
  codecs,
  type Held,
  type JobRecord,
  jobKey,
  limits,
  type ModelRecord,
  modelKey,
  openEmbeddedCoordinator,
  put,
  remove,
  type ShardRecord,
  shardClaimKey,
  shardKey,
  systemClock,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import type { NodeContext } from '../../src/base/context.ts'
import { type ShardClaim, takeShardClaim } from '../../src/fitting/shards/claim.ts'
import { giveShardBack, keepShard, tellProgress } from '../../src/fitting/shards/effects.ts'
import { lookForShard } from '../../src/fitting/shards/look.ts'
import { soon } from '../support/machine.ts'

const of = { tenant: 'default', model: 'm', version: 1 }
const at = '2026-01-01T00:00:00.000Z'
const job: JobRecord = {
  ...{ id: 'job', kind: 'fit-shards', subject: of, state: 'queued', attempts: 0, shards: 2 },
  ...{ progress: { phase: 'queued', fraction: 0 }, error: null, requestId: 'r' },
  ...{ createdAt: at, endedAt: null },
}
const version: VersionRecord = {
  ...{ version: 1, state: 'queued', job: 'job', spec: {}, error: null, metrics: {} },
  dataset: { blob: 'data', observations: 10 },
  ...{ blob: null, sha256: null, sizeBytes: null },
  times: { createdAt: at, fittingAt: null, storedAt: null, failedAt: null },
}
const model: ModelRecord = {
  ...{ serving: null, target: null, previous: null, high: 1, hold: false, changes: 0, floor: 0 },
  ...{ why: 'fit', createdAt: at, deletedAt: null },
}
const untouched: ShardRecord = { attempts: 0, fitted: null, error: null }
const first = { number: 0, record: untouched, modRevision: 0 }
const second = { ...first, number: 1 }
const fitted = { blob: 'made', sha256: 'a'.repeat(64), sizeBytes: 1, series: 1, codes: {} }

/** A job of two shards at a real coordinator, as a node has just read it. */
async function opened() {
  const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
  onTestFinished(() => coordinator.close())
  const parts = { coordinator, clock: systemClock, random: Math.random }
  const context = { ...parts, node: 'n', instance: 'i' } as unknown as NodeContext
  const write = async (key: string, value: string) =>
    (await coordinator.transact({ when: [], then: [put(key, value)] }, soon())).revision
  const read = async (key: string) => (await coordinator.get(key, soon()))?.value
  const isAt = <T>(value: T, text: string, modRevision: number): Held<T> => ({
    ...{ value, text, modRevision, createRevision: modRevision, lease: null },
  })
  const putJob = async (value: JobRecord) => {
    const text = codecs.job.encode(value)
    return isAt(value, text, await write(jobKey('job'), text))
  }
  const putVersion = async (value: VersionRecord) => {
    const text = codecs.version.encode(value)
    return isAt(value, text, await write(versionKey(of, 1), text))
  }
  const subject = { of, job: await putJob(job), version: await putVersion(version) }
  const take = async (shard = first, asked: typeof subject = subject) => {
    const lease = await coordinator.grantLease(60_000, soon())
    return await takeShardClaim(context, asked, shard, lease, soon())
  }
  const shardAt = async (number: number) => {
    const decoded = codecs.shard.decode((await read(shardKey('job', number))) ?? '')
    return decoded.ok ? decoded.value : undefined
  }
  return { coordinator, context, subject, take, write, read, shardAt, putJob, putVersion }
}

const mine = (claim: ShardClaim | undefined): ShardClaim => {
  if (claim === undefined) throw new Error('it was not claimed')
  return claim
}

test('a shard is one node’s, and its job begins with the first of them, once', async () => {
  const { take, subject, read, shardAt, coordinator } = await opened()
  const claim = mine(await take())
  expect(await take()).toBe(undefined)
  expect(await shardAt(0)).toMatchObject({ attempts: 1 })
  expect(JSON.parse((await read(jobKey('job')))!)).toMatchObject({ state: 'running' })
  expect(JSON.parse((await read(versionKey(of, 1)))!)).toMatchObject({ state: 'fitting' })
  // Who read the job before that has to look again.
  expect(await take(second)).toBe(undefined)
  const began = { ...subject.job, value: claim.job }
  const entry = (await coordinator.get(versionKey(of, 1), soon()))!
  const seen = { ...subject.version, value: claim.version!, modRevision: entry.modRevision }
  expect(await take(second, { of, job: began, version: seen })).toBeDefined()
})

test('a shard that was tried meanwhile is not tried by its older record', async () => {
  const { take, context, shardAt, subject, coordinator } = await opened()
  const claim = mine(await take())
  expect(await giveShardBack(context, claim, 'spent')).toBe('applied')
  const { modRevision } = (await coordinator.get(versionKey(of, 1), soon()))!
  const seen = { ...subject.version, value: claim.version!, modRevision }
  expect(await take(first, { ...subject, version: seen })).toBe(undefined)
  expect(await shardAt(0)).toMatchObject({ attempts: 1 })
})

test('a shard that somebody works on is not taken by who has seen that attempt, too', async () => {
  const { take, shardAt, subject, coordinator } = await opened()
  const claim = mine(await take())
  const { modRevision } = (await coordinator.get(versionKey(of, 1), soon()))!
  const seen = { ...subject.version, value: claim.version!, modRevision }
  expect(await take(claim.shard, { ...subject, version: seen })).toBe(undefined)
  expect(await shardAt(0)).toMatchObject({ attempts: 1 })
})

test('a shard at its last attempt ends its job only when nobody works on it any more', async () => {
  const { context, take, write, coordinator } = await opened()
  await write(modelKey(of), codecs.model.encode(model))
  const last = { ...untouched, attempts: limits.shardAttemptsMax - 1 }
  const modRevision = await write(shardKey('job', 0), codecs.shard.encode(last))
  const done = { ...untouched, attempts: 1, fitted }
  await write(shardKey('job', 1), codecs.shard.encode(done))
  const claim = mine(await take({ number: 0, record: last, modRevision }))
  expect(await lookForShard(context, 'job', soon())).toEqual({ kind: 'nothing' })
  const key = shardClaimKey('job', claim.shard.number)
  await coordinator.transact({ when: [], then: [remove(key)] }, soon())
  expect(await lookForShard(context, 'job', soon())).toMatchObject({ kind: 'settled' })
})

test('of the shards that nobody works on one of the least tried is next', async () => {
  const { context, write } = await opened()
  await write(modelKey(of), codecs.model.encode(model))
  const tried = codecs.shard.encode({ ...untouched, attempts: 1 })
  await write(shardKey('job', 0), tried)
  for (let i = 0; i < 20; i += 1)
    expect(await lookForShard(context, 'job', soon())).toMatchObject({ shard: { number: 1 } })
})

test('nothing is claimed of a job that is being ended', async () => {
  const { take, write, shardAt } = await opened()
  await write(claimKey('job'), 'somebody')
  expect(await take()).toBe(undefined)
  expect(await shardAt(0)).toBe(undefined)
})

test('a job that was cancelled meanwhile does not run again', async () => {
  const { take, putJob, read } = await opened()
  await putJob({ ...job, state: 'failed', endedAt: at })
  expect(await take()).toBe(undefined)
  expect(JSON.parse((await read(jobKey('job')))!)).toMatchObject({ state: 'failed' })
})

test('nothing is claimed for a version that has changed meanwhile', async () => {
  const { take, putVersion, subject, shardAt } = await opened()
  const running = { ...subject.version, value: { ...version, state: 'fitting' as const } }
  await putVersion({ ...version, state: 'failed' })
  expect(await take(first, { ...subject, version: running })).toBe(undefined)
  expect(await shardAt(0)).toBe(undefined)
})

test('who has lost the claim leaves the shard as it is', async () => {
  const { take, context, coordinator, write, shardAt } = await opened()
  const claim = mine(await take())
  const key = shardClaimKey('job', 0)
  await coordinator.transact({ when: [], then: [remove(key)] }, soon())
  await write(key, 'another')
  const before = await shardAt(0)
  expect(await tellProgress(context, claim, 0.5)).toBe(false)
  expect(await keepShard(context, claim, fitted)).toBe('refused')
  expect(await shardAt(0)).toEqual(before)
})

test('what was fitted for a version that has ended is not kept', async () => {
  const { take, context, putVersion, shardAt } = await opened()
  const claim = mine(await take())
  await putVersion({ ...version, state: 'failed' })
  expect(await tellProgress(context, claim, 0.5)).toBe(false)
  expect(await keepShard(context, claim, fitted)).toBe('refused')
  expect(await shardAt(0)).toMatchObject({ fitted: null })
})

test('what was fitted is kept, and the claim ends with it', async () => {
  const { take, context, read, shardAt } = await opened()
  const claim = mine(await take())
  expect(await tellProgress(context, claim, 0.5)).toBe(true)
  expect(await keepShard(context, claim, fitted)).toBe('applied')
  expect(await shardAt(0)).toMatchObject({ attempts: 1, fitted, ended: { node: 'n' } })
  expect(await read(shardClaimKey('job', 0))).toBe(undefined)
})
