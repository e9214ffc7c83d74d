import { codecs, modelKey, put, systemClock, systemRandom, versionKey } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { allocate } from '../../src/jobs/allocate.ts'
import { findBase } from '../../src/jobs/base.ts'
import { call, fit, get, openCluster, type TestCluster } from '../support/cluster.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }

async function openFitted() {
  const cluster = await openCluster()
  const node = await cluster.node()
  const broker = await cluster.broker()
  expect((await fit(broker, 'm')).status).toBe(200)
  const add = (body: unknown = { data: [1, 2] }, headers: Record<string, string> = {}) =>
    call(broker, 'POST', '/api/models/m/observations', { body, headers })
  return { cluster, node, broker, add }
}

async function versionOf({ coordinator }: TestCluster, version: number) {
  const entry = await coordinator.get(versionKey(of, version), signal())
  const record = codecs.version.decode(entry!.value)
  if (!record.ok) throw new Error(record.fault)
  return record.value
}

describe('new observations', () => {
  test('make a version that names its base, and serves', async () => {
    const { cluster, broker, add } = await openFitted()
    const answer = await add()
    expect(answer.status, answer.text).toBe(200)
    expect(answer.body).toMatchObject({ model: 'm', version: 2, state: 'serving', serving: 2 })
    const [base, record] = [await versionOf(cluster, 1), await versionOf(cluster, 2)]
    expect(record.base).toEqual({ version: 1, blob: base.blob, sha256: base.sha256 })
    expect(record.spec).toEqual(base.spec)
    const job = await get(broker, String(answer.headers.location))
    expect(job.body).toMatchObject({ kind: 'update', version: 2 })
    const data = await cluster.store.readBlob(
      { kind: 'dataset', id: record.dataset.blob },
      signal(),
    )
    expect(JSON.parse(Buffer.from(data).toString())).toMatchObject({ series: [{ y: [1, 2] }] })
  })

  test('carry on what is told of the accuracy of their base', async () => {
    const { cluster, add } = await openFitted()
    const accuracy = { scale: 2, updates: [{ version: 1, count: 3, scaled: 1.5 }] }
    const value = codecs.version.encode({ ...(await versionOf(cluster, 1)), accuracy })
    const then = [put(versionKey(of, 1), value)]
    await cluster.coordinator.transact({ when: [], then }, signal())
    await add()
    expect((await versionOf(cluster, 2)).accuracy).toEqual(accuracy)
  })

  test('go on from one another', async () => {
    const { cluster, add } = await openFitted()
    await add()
    await add()
    expect((await versionOf(cluster, 3)).base?.version).toBe(2)
  })

  test('go on from an older version when the client says so', async () => {
    const { cluster, add } = await openFitted()
    await add()
    expect((await add({ data: [1], base: 1 })).status).toBe(200)
    expect((await versionOf(cluster, 3)).base?.version).toBe(1)
  })

  test('pass over versions that failed', async () => {
    const { cluster, node, broker, add } = await openFitted()
    node.script.fit = 'fail'
    expect((await fit(broker, 'm')).status).toBe(422)
    node.script.fit = 'store'
    expect((await add()).status).toBe(200)
    expect((await versionOf(cluster, 3)).base?.version).toBe(1)
  })

  test('wait for nobody: before what comes before them is fitted they are refused', async () => {
    const { cluster, node, broker, add } = await openFitted()
    node.script.fit = 'ignore'
    const before = await fit(broker, 'm', { prefer: 'respond-async' })
    expect(before.status).toBe(202)
    for (const body of [{ data: [1] }, { data: [1], base: 2 }]) {
      const answer = await add(body)
      expect(answer.status, answer.text).toBe(409)
      expect(answer.body).toMatchObject({ type: 'urn:almanac:problem:base-not-ready' })
      expect(answer.headers['retry-after']).toBe('1')
    }
    const { entries } = await cluster.coordinator.list('/jobs/', signal())
    expect(entries).toHaveLength(2)
  })

  test('of a model that is held need the version that they go on from', async () => {
    const { cluster, broker, add } = await openFitted()
    await fit(broker, 'm')
    expect((await call(broker, 'POST', '/api/models/m/rollback', { body: {} })).status).toBe(200)
    const answer = await add()
    expect(answer.status, answer.text).toBe(409)
    expect(answer.body).toMatchObject({ type: 'urn:almanac:problem:held' })
    expect(answer.text).toContain('{\\"base\\": 1, …}')
    const named = await add({ data: [1], base: 1 }, { prefer: 'respond-async' })
    expect(named.status, named.text).toBe(202)
    expect((await versionOf(cluster, 3)).base?.version).toBe(1)
  })

  test('sent twice with one Idempotency-Key are added once', async () => {
    const { add } = await openFitted()
    const key = { 'idempotency-key': 'k' }
    const [one, two] = [await add(undefined, key), await add(undefined, key)]
    expect([one.status, two.status]).toEqual([200, 200])
    expect(two.body.version).toBe(one.body.version)
    expect((await add({ data: [7] }, key)).status).toBe(422)
  })

  test('sent by two at once are both in the end, or one is told to send again', async () => {
    const { cluster, add } = await openFitted()
    const answers = await Promise.all([add({ data: [1] }), add({ data: [2] })])
    const statuses = answers.map(({ status }) => status).sort()
    expect([
      [200, 200],
      [200, 409],
    ]).toContainEqual(statuses)
    const bases = [(await versionOf(cluster, 2)).base?.version]
    if (statuses[1] === 200) bases.push((await versionOf(cluster, 3)).base?.version)
    expect(bases).toEqual([1, 2].slice(0, bases.length))
  })

  test.each([
    [
      'no model of that name',
      '/api/models/nobody/observations',
      { data: [1] },
      404,
      'no-such-model',
    ],
    ['no version of that number', undefined, { data: [1], base: 9 }, 404, 'no-such-version'],
    ['a base that is no number', undefined, { data: [1], base: 'x' }, 400, 'invalid'],
    ['a spec', undefined, { data: [1], spec: {} }, 400, 'unknown-field'],
    ['a frequency', undefined, { series: [{ y: [1], frequency: 'daily' }] }, 400, 'unknown-field'],
    ['nothing but missing values', undefined, { data: [null] }, 400, 'no-data'],
    [
      'a start, where the base has none',
      undefined,
      { series: [{ y: [1], start: '2024-01-01' }] },
      422,
      'start',
    ],
    ['too many', undefined, { data: Array.from({ length: 10_001 }, () => 1) }, 400, 'too-many'],
  ])('with %s are refused, and nothing is kept', async (_what, path, body, status, code) => {
    const { cluster, broker } = await openFitted()
    const answer = await call(broker, 'POST', path ?? '/api/models/m/observations', { body })
    expect(answer.status, answer.text).toBe(status)
    expect(answer.body).toMatchObject({ type: `urn:almanac:problem:${code}` })
    const { entries } = await cluster.coordinator.list('/jobs/', signal())
    expect(entries).toHaveLength(1)
  })

  test('of a deleted model are refused', async () => {
    const { cluster, broker, add } = await openFitted()
    await call(broker, 'DELETE', '/api/models/m')
    expect((await add()).status).toBe(404)
    const model = await cluster.coordinator.get(modelKey(of), signal())
    expect(JSON.parse(model!.value).deletedAt).not.toBeNull()
  })

  test('of a version that cannot be read are refused, not added to an older one', async () => {
    const { coordinator } = await openCluster()
    const parts = { coordinator, clock: systemClock, random: systemRandom, bounds: boundsOf() }
    const dataset = { blob: 'b', observations: 3 }
    const request = { of, spec: {}, dataset, base: null, requestId: 'r', idempotency: null }
    await allocate(parts, { ...request, job: 'one' })
    await allocate(parts, { ...request, job: 'two' })
    const strange = put(versionKey(of, 2), '{"version":2}')
    await coordinator.transact({ when: [], then: [strange] }, signal())
    const finding = findBase(parts, of, null, signal())
    await expect(finding).rejects.toMatchObject({ status: 409, code: 'unreadable-record' })
  })
})
