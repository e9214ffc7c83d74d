import { claimKey, codecs, jobKey, put, shardKey, versionKey } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { cancelJob } from '../../src/jobs/cancel.ts'
import { call, fit, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const later = { prefer: 'respond-async' }

async function opened() {
  const cluster = await openCluster()
  const node = await cluster.node()
  const broker = await cluster.broker()
  expect((await fit(broker, 'm')).status).toBe(200)
  return { cluster, node, broker }
}

async function open(act: 'ignore' | 'claim') {
  const given = await opened()
  given.node.script.fit = act
  const answer = await fit(given.broker, 'm', later)
  const job = String(answer.body.job)
  if (act === 'claim') await eventually(() => claimOf(given.cluster, job), Boolean)
  return { ...given, job }
}

const claimOf = ({ coordinator }: TestCluster, job: string) =>
  coordinator.get(claimKey(job), signal())

async function versionOf({ coordinator }: TestCluster, version: number) {
  const record = codecs.version.decode(
    (await coordinator.get(versionKey(of, version), signal()))!.value,
  )
  if (!record.ok) throw new Error(record.fault)
  return record.value
}

describe('a cancelled job', () => {
  test.each(['ignore', 'claim'] as const)('has failed, and its version (%s)', async (act) => {
    const { cluster, broker, job } = await open(act)
    const answer = await call(broker, 'POST', `/api/jobs/${job}/cancel`)
    expect(answer.status, answer.text).toBe(200)
    const error = { phase: 'fit', reason: 'cancelled' }
    expect(answer.body).toMatchObject({ id: job, state: 'failed', node: null, error })
    expect(await versionOf(cluster, 2)).toMatchObject({ state: 'failed', error })
    expect(await claimOf(cluster, job)).toBeUndefined()
    expect((await get(broker, `/api/jobs/${job}`)).body).toMatchObject({ state: 'failed' })
  })

  test('leaves what serves as it was', async () => {
    const { broker, job } = await open('claim')
    await call(broker, 'POST', `/api/jobs/${job}/cancel`)
    expect((await get(broker, '/api/models/m')).body).toMatchObject({ serving: 1, target: 1 })
    expect((await get(broker, '/api/models/m/forecast/1')).status).toBe(200)
  })

  test('can be cancelled again, as often as one likes', async () => {
    const { cluster, broker, job } = await open('claim')
    const [one, other] = await Promise.all([
      call(broker, 'POST', `/api/jobs/${job}/cancel`),
      call(broker, 'POST', `/api/jobs/${job}/cancel`),
    ])
    const before = await cluster.coordinator.get(jobKey(job), signal())
    const third = await call(broker, 'POST', `/api/jobs/${job}/cancel`)
    expect([one.status, other.status, third.status]).toEqual([200, 200, 200])
    expect(await cluster.coordinator.get(jobKey(job), signal())).toEqual(before)
  })

  test('is told to who waits for it', async () => {
    const { broker, node } = await opened()
    node.script.fit = 'claim'
    const waiting = fit(broker, 'm')
    const job = await eventually(
      async () => String((await get(broker, '/api/jobs')).text),
      (text) => text.includes('"state":"running"'),
    )
    const { jobs } = JSON.parse(job) as { jobs: { id: string; state: string }[] }
    const running = jobs.find(({ state }) => state === 'running')!
    await call(broker, 'POST', `/api/jobs/${running.id}/cancel`)
    const answer = await waiting
    expect(answer.status).toBe(422)
    expect(answer.body).toMatchObject({ type: 'urn:almanac:problem:fit-cancelled' })
  })

  test('of shards has what they came to in its log, and none is offered any more', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    node.script.fit = 'ignore'
    const broker = await cluster.broker({ dispatchAgainMs: 50 })
    const series = Array.from({ length: 4_100 }, (_, i) => ({ key: `s=${i}`, y: [1, i] }))
    const body = { series, spec: { family: 'baseline', method: 'naive' } }
    const begun = await call(broker, 'POST', '/api/models/m/fit', { body, headers: later })
    const job = String(begun.body.job)
    const shard = { blob: 'b', sha256: 'a'.repeat(64), sizeBytes: 1, series: 2_000, codes: {} }
    const ended = { at: '2026-01-01T00:00:00.000Z', node: 'n1' }
    const value = codecs.shard.encode({ attempts: 2, fitted: shard, error: null, ended })
    await cluster.coordinator.transact({ when: [], then: [put(shardKey(job, 0), value)] }, signal())
    const text = 'Shard 0: 2000 series, at attempt 2.'
    const open = await eventually(
      () => get(broker, `/api/jobs/${job}/log`),
      (log) => log.text.includes(text),
    )
    expect(open.status).toBe(200)
    expect((await call(broker, 'POST', `/api/jobs/${job}/cancel`)).status).toBe(200)
    const offers = node.orders.length
    const log = (await get(broker, `/api/jobs/${job}/log`)).body.log as {
      event: string
      text: string
    }[]
    expect(log.map(({ event }) => event)).toEqual(['queued', 'shard', 'cancelled'])
    expect(log[1]).toMatchObject({ text, who: 'n1' })
    const next = await fit(broker, 'other', later)
    await eventually(
      () => node.orders,
      (orders) => orders.includes(String(next.body.job)),
    )
    expect(node.orders.slice(offers).filter((id) => id === job)).toEqual([])
  })

  test('stays cancelled when its record moves to the store', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    node.script.fit = 'ignore'
    const broker = await cluster.broker({ reconcileMs: 50, finishedJobMs: -1 })
    const job = String((await fit(broker, 'm', later)).body.job)
    await call(broker, 'POST', `/api/jobs/${job}/cancel`)
    await eventually(
      () => cluster.coordinator.get(jobKey(job), signal()),
      (entry) => entry === undefined,
    )
    expect((await call(broker, 'POST', `/api/jobs/${job}/cancel`)).status).toBe(200)
    const log = (await get(broker, `/api/jobs/${job}/log`)).body.log as { event: string }[]
    expect(log.map(({ event }) => event)).toEqual(['queued', 'cancelled'])
  })
})

test('a job that has ended otherwise is not cancelled', async () => {
  const { broker, node } = await opened()
  const jobs = () => get(broker, '/api/jobs')
  const [done] = (await jobs()).body.jobs as { id: string }[]
  const afterDone = await call(broker, 'POST', `/api/jobs/${done!.id}/cancel`)
  expect(afterDone.status).toBe(409)
  expect(afterDone.body).toMatchObject({ type: 'urn:almanac:problem:job-ended' })
  node.script.fit = 'fail'
  await fit(broker, 'm')
  const [failed] = (await jobs()).body.jobs as { id: string }[]
  expect((await call(broker, 'POST', `/api/jobs/${failed!.id}/cancel`)).status).toBe(409)
  expect((await call(broker, 'POST', '/api/jobs/nonsense/cancel')).status).toBe(404)
})

test('a cancel whose answer got lost is read back', async () => {
  const { cluster, job } = await open('claim')
  const { coordinator } = cluster
  let lost = 0
  const losing = {
    ...coordinator,
    get: coordinator.get.bind(coordinator),
    list: coordinator.list.bind(coordinator),
    transact: async (...args: Parameters<typeof coordinator.transact>) => {
      await coordinator.transact(...args)
      lost += 1
      const { Unavailable } = await import('@almanac/shared')
      throw new Unavailable('coordinator', 'the answer is lost')
    },
  }
  const clock = { wallTime: () => '2026-01-01T00:00:00.000Z' }
  const parts = { coordinator: losing, state: () => never(), clock, bounds: boundsOf() }
  const cancelled = await cancelJob(parts, job, 'a broker')
  expect(cancelled?.job.error).toMatchObject({ reason: 'cancelled' })
  expect(lost).toBe(1)
})

function never(): never {
  throw new Error('the view is not asked')
}
