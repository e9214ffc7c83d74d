import { codecs, modelKey, put, remove, versionKey } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { call, fit, get, openCluster, type TestCluster } from '../support/cluster.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const later = { prefer: 'respond-async' }

async function versionOf({ coordinator }: TestCluster, version: number) {
  const record = codecs.version.decode(
    (await coordinator.get(versionKey(of, version), signal()))!.value,
  )
  if (!record.ok) throw new Error(record.fault)
  return record.value
}

async function failed() {
  const cluster = await openCluster()
  const node = await cluster.node()
  const broker = await cluster.broker()
  node.script.fit = 'fail'
  expect((await fit(broker, 'm')).status).toBe(422)
  node.script.fit = 'store'
  return { cluster, node, broker, job: await newest(broker) }
}

async function newest(broker: Parameters<typeof get>[0]) {
  const [job] = (await get(broker, '/api/jobs')).body.jobs as { id: string }[]
  return job!.id
}

describe('a retry', () => {
  test('is a new version of the same data and spec, and answers as a fit does', async () => {
    const { cluster, broker, job } = await failed()
    const answer = await call(broker, 'POST', `/api/jobs/${job}/retry`)
    expect(answer.status, answer.text).toBe(200)
    expect(answer.body).toMatchObject({ model: 'm', version: 2, state: 'serving' })
    const [before, after] = [await versionOf(cluster, 1), await versionOf(cluster, 2)]
    expect(after).toMatchObject({ spec: before.spec, dataset: before.dataset, state: 'stored' })
    const made = await get(broker, String(answer.headers.location))
    expect(made.body).toMatchObject({ kind: 'fit', version: 2, why: `It is job ${job} again.` })
  })

  test('keeps forecasts within the same bounds', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker()
    node.script.fit = 'fail'
    const body = { data: [1, 2, 3], spec: { family: 'baseline' }, bounds: { lower: 0, upper: 9 } }
    expect((await call(broker, 'POST', '/api/models/m/fit', { body })).status).toBe(422)
    node.script.fit = 'store'
    const again = await call(broker, 'POST', `/api/jobs/${await newest(broker)}/retry`)
    expect(again.status, again.text).toBe(200)
    expect((await versionOf(cluster, 2)).bounds).toEqual(body.bounds)
  })

  test('with a key is made once', async () => {
    const { broker, job } = await failed()
    const headers = { 'idempotency-key': 'k', ...later }
    const one = await call(broker, 'POST', `/api/jobs/${job}/retry`, { headers })
    const other = await call(broker, 'POST', `/api/jobs/${job}/retry`, { headers })
    expect(one.status).toBe(202)
    expect(other.body).toMatchObject({ version: 2, job: one.body.job })
  })

  test('of what was cancelled goes on from the same base', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker()
    await fit(broker, 'm')
    node.script.fit = 'claim'
    const begun = await call(broker, 'POST', '/api/models/m/observations', {
      body: { data: [1] },
      headers: later,
    })
    await call(broker, 'POST', `/api/jobs/${begun.body.job}/cancel`)
    node.script.fit = 'store'
    const again = await call(broker, 'POST', `/api/jobs/${begun.body.job}/retry`)
    expect(again.status, again.text).toBe(200)
    const [before, after] = [await versionOf(cluster, 2), await versionOf(cluster, 3)]
    expect(after).toMatchObject({ base: before.base, dataset: before.dataset })
  })

  test('of observations is refused once others came after their base', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker()
    await fit(broker, 'm')
    node.script.fit = 'fail'
    const add = () => call(broker, 'POST', '/api/models/m/observations', { body: { data: [1] } })
    await add()
    const job = await newest(broker)
    node.script.fit = 'store'
    expect((await add()).status).toBe(200)
    const again = await call(broker, 'POST', `/api/jobs/${job}/retry`)
    expect(again.status).toBe(409)
    expect(again.body).toMatchObject({ type: 'urn:almanac:problem:base-moved' })
  })

  test('of many series has the same shards of data', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    node.script.fit = 'ignore'
    const broker = await cluster.broker()
    const series = Array.from({ length: 4_100 }, (_, i) => ({ key: `s=${i}`, y: [1, i] }))
    const body = { series, spec: { family: 'baseline', method: 'naive' } }
    const begun = await call(broker, 'POST', '/api/models/m/fit', { body, headers: later })
    await call(broker, 'POST', `/api/jobs/${begun.body.job}/cancel`)
    const again = await call(broker, 'POST', `/api/jobs/${begun.body.job}/retry`, {
      headers: later,
    })
    expect(again.status, again.text).toBe(202)
    const [before, after] = [await versionOf(cluster, 1), await versionOf(cluster, 2)]
    expect(after).toMatchObject({ series: 4_100, dataset: before.dataset })
    const job = await get(broker, `/api/jobs/${again.body.job}`)
    expect(job.body).toMatchObject({ kind: 'fit-shards', series: { done: 0, of: 4_100 } })
  })

  test('is refused for what did not fail, or is not finished', async () => {
    const { broker, node, job } = await failed()
    node.script.fit = 'ignore'
    const open = await fit(broker, 'm', later)
    const early = await call(broker, 'POST', `/api/jobs/${open.body.job}/retry`)
    expect(early.body).toMatchObject({ status: 409, type: 'urn:almanac:problem:job-open' })
    node.script.fit = 'store'
    const again = await call(broker, 'POST', `/api/jobs/${job}/retry`)
    const done = await call(broker, 'POST', `/api/jobs/${again.body.job}/retry`)
    expect(done.body).toMatchObject({ status: 409, type: 'urn:almanac:problem:job-succeeded' })
    expect((await call(broker, 'POST', '/api/jobs/nonsense/retry')).status).toBe(404)
  })

  test('is gone with the record of its version, or its model', async () => {
    const { cluster, broker, job } = await failed()
    const { coordinator } = cluster
    const entry = (await coordinator.get(modelKey(of), signal()))!
    const model = codecs.model.decode(entry.value)
    if (!model.ok) throw new Error(model.fault)
    const later = codecs.model.encode({ ...model.value, floor: 1 })
    await coordinator.transact({ when: [], then: [put(modelKey(of), later)] }, signal())
    const deleted = await call(broker, 'POST', `/api/jobs/${job}/retry`)
    expect(deleted.status).toBe(410)
    const then = [put(modelKey(of), entry.value), remove(versionKey(of, 1))]
    await coordinator.transact({ when: [], then }, signal())
    const collected = await call(broker, 'POST', `/api/jobs/${job}/retry`)
    expect(collected.status).toBe(410)
    expect(collected.body).toMatchObject({ type: 'urn:almanac:problem:collected' })
  })
})
