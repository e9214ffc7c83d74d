import { hash } from 'node:crypto'
import {
  type Coordinator,
  codecs,
  decodeShardIndex,
  encodeShardIndex,
  jobKey,
  put,
  remove,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { readReferences } from '../../src/jobs/garbage.ts'
import { call, get, openCluster, type TestCluster } from '../support/cluster.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const asynchronous = { prefer: 'respond-async' }
const spec = { family: 'baseline', method: 'naive' }
const problem = (type: string) => `urn:almanac:problem:${type}`

async function versionOf({ coordinator }: TestCluster, version: number): Promise<VersionRecord> {
  const entry = await coordinator.get(versionKey(of, version), signal())
  const record = codecs.version.decode(entry!.value)
  if (!record.ok) throw new Error(record.fault)
  return record.value
}

const write = ({ coordinator }: TestCluster, record: VersionRecord) =>
  coordinator.transact(
    { when: [], then: [put(versionKey(of, record.version), codecs.version.encode(record))] },
    signal(),
  )

const forget = ({ coordinator }: TestCluster, ...versions: number[]) =>
  coordinator.transact(
    { when: [], then: versions.map((version) => remove(versionKey(of, version))) },
    signal(),
  )

async function indexOf({ store }: TestCluster, id: string) {
  const index = decodeShardIndex(await store.readBlob({ kind: 'dataset', id }, signal()))
  if (!index.ok) throw new Error(index.fault)
  return index.value
}

/** Of a queued version a stored one; nobody looks at its models. */
async function store(cluster: TestCluster, version: number) {
  const record = await versionOf(cluster, version)
  const { dataset } = await versionOf(cluster, 1)
  const models = { ...(await indexOf(cluster, dataset.blob)), kind: 'models' as const }
  const content = new Uint8Array(encodeShardIndex(models))
  const id = `index-${version}`
  await cluster.store.writeBlob({ kind: 'model', id, content, label: 'm' }, signal())
  const known = { blob: id, sha256: hash('sha256', content, 'hex'), sizeBytes: content.byteLength }
  await write(cluster, { ...record, ...known, state: 'stored' })
}

/** A fit of five series, and so many updates of it. */
async function opened(updates: number, around = (coordinator: Coordinator) => coordinator) {
  const cluster = await openCluster()
  const broker = await cluster.broker({}, { coordinator: around(cluster.coordinator) })
  const post = (path: string, body?: unknown) =>
    call(broker, 'POST', path, { body, headers: asynchronous })
  const series = [1, 2, 3, 4, 5].map((i) => ({ key: `s=${i}`, y: [1, i] }))
  const fitted = await post('/api/models/m/fit', { series, spec })
  expect(fitted.status, fitted.text).toBe(202)
  await store(cluster, 1)
  const add = async () => {
    const body = { series: [{ key: 's=2', y: [3] }] }
    const added = await post('/api/models/m/observations', body)
    if (added.status === 202) await store(cluster, Number(added.body.version))
    return added
  }
  for (let i = 0; i < updates; i += 1) expect((await add()).status).toBe(202)
  const action = { refit: { model: 'm' } }
  const schedule = { cron: '0 0 1 1 *', enabled: false, action }
  const made = await call(broker, 'PUT', '/api/schedules/s', { body: schedule })
  expect(made.status, made.text).toBe(201)
  const refit = () => post('/api/schedules/s/run')
  return { cluster, broker, post, add, refit }
}

describe('a refit of many series whose data came in parts', () => {
  test('is a job that a node joins them for, and waits for no data', async () => {
    const { cluster, broker, refit, add } = await opened(2)
    const before = (await cluster.store.listBlobs('dataset', { after: null, limit: 99 }, signal()))
      .blobs.length
    const answer = await refit()
    expect(answer.status, answer.text).toBe(202)
    expect((await get(broker, `/api/jobs/${answer.body.job}`)).body).toMatchObject({
      ...{ kind: 'fit-parts', version: 4, state: 'queued', series: null },
      why: expect.stringContaining('chedule s'),
    })
    const made = await versionOf(cluster, 4)
    const chain = await Promise.all([1, 2, 3].map((version) => versionOf(cluster, version)))
    expect(made.parts).toEqual(chain.map(({ version, dataset }) => ({ version, ...dataset })))
    expect(made).toMatchObject({ spec, state: 'queued', dataset: { observations: 0 } })
    expect([made.base, made.series, made.table]).toEqual([undefined, undefined, undefined])
    const view = (await get(broker, '/api/models/m/versions/4')).body
    expect(view).toMatchObject({ series: null, observations: 0, base: null })
    const { blobs } = await cluster.store.listBlobs('dataset', { after: null, limit: 99 }, signal())
    expect(blobs).toHaveLength(before)
    expect((await add()).body).toMatchObject({ type: problem('base-not-ready') })
  })

  test('has what was added to a table, which is not read anew then', async () => {
    const { cluster, refit } = await opened(1)
    const table = { file: 'sales.csv', source: 'somewhere', report: null, rejects: null }
    await write(cluster, { ...(await versionOf(cluster, 1)), table })
    const answer = await refit()
    expect(answer.status, answer.text).toBe(202)
    const made = await versionOf(cluster, 3)
    expect(made.parts).toHaveLength(2)
    expect(made.table).toBeUndefined()
  })

  test('is refused where a part is not kept any more, or there are too many', async () => {
    const { cluster, refit, post } = await opened(2)
    await forget(cluster, 2)
    expect((await refit()).body).toMatchObject({ status: 410, type: problem('collected') })
    const base = await versionOf(cluster, 3)
    const link = (version: number) => ({ ...base.base!, version })
    for (let version = 2; version <= 80; version += 1)
      await write(cluster, { ...base, version, base: link(version - 1) })
    const counter = '/models/default/m/counter'
    const counted = (last: number) =>
      cluster.coordinator.transact(
        { when: [], then: [put(counter, JSON.stringify({ last }))] },
        signal(),
      )
    await counted(80)
    const most = await refit()
    expect(most.status, most.text).toBe(202)
    expect((await versionOf(cluster, 81)).parts).toHaveLength(80)
    await post(`/api/jobs/${most.body.job}/cancel`)
    await write(cluster, { ...base, version: 82, base: link(80) })
    await counted(82)
    expect((await refit()).body).toMatchObject({ status: 422, type: problem('too-many-updates') })
  })

  test('is not made of a part that goes while it is looked at', async () => {
    const held: { cluster?: TestCluster } = {}
    let isDue = false
    const { cluster, refit } = await opened(2, (real) => ({
      ...real,
      transact: async (transaction, within) => {
        const makes = transaction.then.some(({ key }) => key === versionKey(of, 4))
        if (isDue && makes) await forget(held.cluster!, 2)
        return await real.transact(transaction, within)
      },
    }))
    held.cluster = cluster
    isDue = true
    expect((await refit()).body).toMatchObject({ status: 410, type: problem('collected') })
    expect(await cluster.coordinator.get(versionKey(of, 4), signal())).toBeUndefined()
  })

  test('keeps its parts until they are joined, though their versions are gone', async () => {
    const { cluster, refit } = await opened(2)
    await refit()
    const data: string[] = []
    for (const { blob } of (await versionOf(cluster, 4)).parts!)
      data.push(blob, ...(await indexOf(cluster, blob)).shards.map((shard) => shard.blob))
    expect(data).toHaveLength(6)
    await forget(cluster, 1, 2, 3)
    const kept = async () => {
      const named = await readReferences({ ...cluster, bounds: boundsOf() }, signal())
      return data.filter((blob) => named.has(blob))
    }
    expect(await kept()).toEqual(data)
    const { parts, ...made } = await versionOf(cluster, 4)
    await write(cluster, { ...made, ...(parts ? { parts } : {}), state: 'failed' })
    expect(await kept()).toEqual(data)
    await write(cluster, { ...made, series: 5, state: 'fitting' })
    // That of the last update stands for the data until then.
    expect(await kept()).toEqual(data.slice(-2))
  })
})

describe('a retry of such a refit', () => {
  test('joins the same parts', async () => {
    const { cluster, post, refit } = await opened(2)
    const { job } = (await refit()).body
    expect((await post(`/api/jobs/${job}/cancel`)).status).toBe(200)
    const again = await post(`/api/jobs/${job}/retry`)
    expect(again.status, again.text).toBe(202)
    const [before, after] = [await versionOf(cluster, 4), await versionOf(cluster, 5)]
    expect(after).toMatchObject({ parts: before.parts, dataset: before.dataset })
    const entry = await cluster.coordinator.get(jobKey(String(again.body.job)), signal())
    expect(JSON.parse(entry!.value)).toMatchObject({ kind: 'fit-parts', attempts: 0 })
  })

  test('is refused once observations came that it would lose', async () => {
    const { post, refit, add } = await opened(1)
    const { job } = (await refit()).body
    await post(`/api/jobs/${job}/cancel`)
    expect((await add()).status).toBe(202)
    const again = await post(`/api/jobs/${job}/retry`)
    expect(again.body).toMatchObject({ status: 409, type: problem('base-moved') })
    expect((await refit()).status).toBe(202)
  })
  test('is refused so, too, once a node had joined its parts', async () => {
    const { cluster, post, refit, add } = await opened(1)
    const { job } = (await refit()).body
    const { parts: _, ...joined } = await versionOf(cluster, 3)
    await write(cluster, joined)
    await post(`/api/jobs/${job}/cancel`)
    expect((await add()).status).toBe(202)
    const again = await post(`/api/jobs/${job}/retry`)
    expect(again.body).toMatchObject({ status: 409, type: problem('base-moved') })
  })

  test('is refused so, too, where the data had come at once', async () => {
    const { post, refit, add } = await opened(0)
    const { job } = (await refit()).body
    await post(`/api/jobs/${job}/cancel`)
    expect((await add()).status).toBe(202)
    const again = await post(`/api/jobs/${job}/retry`)
    expect(again.body).toMatchObject({ status: 409, type: problem('base-moved') })
  })
})
