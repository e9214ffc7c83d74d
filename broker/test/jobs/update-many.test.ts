import { createHash } from 'node:crypto'
import { decodeShard, encodeShard, seriesAt } from '@almanac/engine'
import {
  codecs,
  decodeShardIndex,
  encodeShardIndex,
  jobKey,
  jobsPrefix,
  put,
  remove,
  type ShardIndex,
  type ShardRecord,
  type Store,
  shardKey,
  shardOf,
  Unavailable,
  versionKey,
} from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { type Bounds, boundsOf } from '../../src/config/bounds.ts'
import { readReferences } from '../../src/jobs/garbage.ts'
import { call, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { interruptibleStore } from '../support/faults.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const asynchronous = { prefer: 'respond-async' }
const spec = { family: 'baseline', method: 'naive' }
const keyOf = (i: number) => `s=${String(i).padStart(5, '0')}`

const write = ({ coordinator }: TestCluster, key: string, value: string) =>
  coordinator.transact({ when: [], then: [put(key, value)] }, signal())

async function versionOf({ coordinator }: TestCluster, version: number) {
  const entry = await coordinator.get(versionKey(of, version), signal())
  const record = codecs.version.decode(entry!.value)
  if (!record.ok) throw new Error(record.fault)
  return record.value
}

async function indexOf({ store }: TestCluster, kind: 'dataset' | 'model', id: string) {
  const index = decodeShardIndex(await store.readBlob({ kind, id }, signal()))
  if (!index.ok) throw new Error(index.fault)
  return index.value
}

/** Of a queued version of many series a stored one: nobody looks into its shards of models. */
async function store(cluster: TestCluster, version: number) {
  const record = await versionOf(cluster, version)
  const { shards } = await indexOf(cluster, 'dataset', record.dataset.blob)
  const models: ShardIndex['shards'] = []
  for (const [i, shard] of shards.entries()) {
    const blob = `models-${version}-${i}`
    const content = encodeShard({ keys: [], columns: {}, payloads: [] })
    await cluster.store.writeBlob({ kind: 'model', id: blob, content, label: 'm' }, signal())
    models.push({ ...shard, blob, codes: {} })
  }
  const content = encodeShardIndex({ format: 1, kind: 'models', shards: models })
  const id = `index-${version}`
  await cluster.store.writeBlob({ kind: 'model', id, content, label: 'm' }, signal())
  const sha256 = createHash('sha256').update(content).digest('hex')
  const known = { blob: id, sha256, sizeBytes: content.byteLength, state: 'stored' as const }
  await write(cluster, versionKey(of, version), codecs.version.encode({ ...record, ...known }))
}

async function openFitted(
  given: { count?: number; bounds?: Partial<Bounds>; store?: (real: Store) => Store } = {},
) {
  const cluster = await openCluster()
  const { count = 4_100, bounds = {}, store: around = (real: Store) => real } = given
  const broker = await cluster.broker(bounds, { store: around(cluster.store) })
  const series = Array.from({ length: count }, (_, i) => ({ key: keyOf(i), y: [1, i] }))
  const answer = await call(broker, 'POST', '/api/models/m/fit', {
    body: { series, spec },
    headers: asynchronous,
  })
  expect(answer.status, answer.text).toBe(202)
  await store(cluster, 1)
  const add = (body: unknown, headers: Record<string, string> = {}) =>
    call(broker, 'POST', '/api/models/m/observations', {
      body,
      headers: { ...asynchronous, ...headers },
    })
  return { cluster, broker, add }
}

const news = [
  { key: keyOf(3_000), y: [7, null, 9], start: '2026-01-03' },
  { key: 'a new one', y: [1], frequency: 'daily' },
  { key: keyOf(2_000), y: [5] },
]

/** The series of each shard of a data set. */
async function dataOf(cluster: TestCluster, version: number) {
  const index = await indexOf(cluster, 'dataset', (await versionOf(cluster, version)).dataset.blob)
  const shards = []
  for (const { blob } of index.shards) {
    const shard = decodeShard(await cluster.store.readBlob({ kind: 'dataset', id: blob }, signal()))
    if (shard.kind === 'refused') throw new Error(shard.reason.detail)
    const { value } = shard
    shards.push(
      Array.from({ length: value.count }, (_, place) => ({
        key: value.keyAt(place),
        y: Array.from(seriesAt(value, place).y, (one) => (Number.isNaN(one) ? null : one)),
        start: value.columns.get('start')?.[place],
        frequency: value.columns.get('frequency')?.[place],
      })),
    )
  }
  return { index, shards }
}

describe('new observations of many series', () => {
  // In a thread they are cut as they are here.
  test.each([65_536, 10])('are shards that those of the base are found by (%d)', async (inline) => {
    const bounds = { fitBodyInlineBytes: inline }
    const { cluster, broker, add } = await openFitted({ bounds })
    const answer = await add({ series: news })
    expect(answer.status, answer.text).toBe(202)
    const [base, record] = [await versionOf(cluster, 1), await versionOf(cluster, 2)]
    expect(record).toMatchObject({
      base: { version: 1, blob: base.blob, sha256: base.sha256 },
      series: 4_100,
      dataset: { observations: 5 },
      spec: base.spec,
    })
    const { index, shards } = await dataOf(cluster, 2)
    expect(shards).toEqual([
      [{ key: 'a new one', y: [1], start: '', frequency: 'daily' }],
      [
        { key: keyOf(2_000), y: [5], start: '', frequency: '' },
        { key: keyOf(3_000), y: [7, null, 9], start: '2026-01-03', frequency: '' },
      ],
    ])
    const models = await indexOf(cluster, 'model', base.blob!)
    expect(index.shards.map(({ first }) => shardOf(models, first))).toEqual([0, 1])
    expect(index.shards.map(({ series }) => series)).toEqual([1, 2])
    const job = await get(broker, String(answer.headers.location))
    expect(job.body).toMatchObject({ kind: 'update-shards', version: 2, series: null })
  })

  test('of one series, by its key, are of many', async () => {
    const { cluster, add } = await openFitted({ count: 5 })
    expect((await add({ series: [{ key: keyOf(1), y: [1] }] })).status).toBe(202)
    expect((await dataOf(cluster, 2)).shards).toMatchObject([[{ key: keyOf(1) }]])
  })

  test('are a job whose progress is in shards', async () => {
    const { cluster, broker, add } = await openFitted()
    const job = String((await add({ series: news })).body.job)
    const entry = await cluster.coordinator.get(jobKey(job), signal())
    const record = codecs.job.decode(entry!.value)
    if (!record.ok) throw new Error(record.fault)
    const progress = { phase: 'fitting', fraction: 0 }
    const running = { ...record.value, state: 'running' as const, progress }
    await write(cluster, jobKey(job), codecs.job.encode(running))
    const fitted = { blob: 'b', sha256: 'a'.repeat(64), sizeBytes: 1, series: 2_000, codes: {} }
    const done: ShardRecord = { attempts: 1, fitted, error: null }
    await write(cluster, shardKey(job, 1), codecs.shard.encode(done))
    await eventually(
      async () => (await get(broker, `/api/jobs/${job}`)).body.progress,
      (said) => (said as typeof progress).fraction === 0.5,
    )
  })

  test('are offered to nodes as shards', async () => {
    const { cluster, add } = await openFitted({ count: 5, bounds: { dispatchAgainMs: 100 } })
    const nodes = [await cluster.node(), await cluster.node()]
    for (const node of nodes) node.script.fit = 'ignore'
    const job = String((await add({ series: [{ key: keyOf(1), y: [1] }] })).body.job)
    await eventually(
      async () => nodes.every(({ orders }) => orders.includes(job)),
      (isAsked) => isAsked,
    )
  })

  test('sent twice with one Idempotency-Key are added once', async () => {
    const { add } = await openFitted({ count: 5 })
    const key = { 'idempotency-key': 'k' }
    const body = { series: [{ key: keyOf(1), y: [1] }] }
    const [one, two] = [await add(body, key), await add(body, key)]
    expect([one.status, two.status, two.body.version]).toEqual([202, 202, one.body.version])
  })

  test('before what comes before them is fitted are refused, and after a base that is named not', async () => {
    const { cluster, add } = await openFitted({ count: 5 })
    const body = { series: [{ key: keyOf(1), y: [1] }] }
    await add(body)
    const early = await add(body)
    expect([early.status, early.body.type]).toEqual([409, 'urn:almanac:problem:base-not-ready'])
    expect((await add({ ...body, base: 1 })).status).toBe(202)
    expect((await versionOf(cluster, 3)).base?.version).toBe(1)
  })

  test('are refused with 503 while the index of the base is not to be had', async () => {
    const { cluster, add } = await openFitted({
      count: 5,
      store: (real) => ({
        ...interruptibleStore(real, { state: 'none' }),
        readBlob: async () => {
          throw new Unavailable('store', 'away on purpose')
        },
      }),
    })
    const answer = await add({ series: [{ key: keyOf(1), y: [1] }] })
    expect(answer.status, answer.text).toBe(503)
    expect(answer.headers['retry-after']).toBeDefined()
    expect((await cluster.coordinator.list(jobsPrefix, signal())).entries).toHaveLength(1)
  })

  test('with too many new series in one place are refused', async () => {
    const { add } = await openFitted({ count: 5 })
    const many = (count: number) => ({
      series: Array.from({ length: count }, (_, i) => ({ key: `t=${keyOf(i)}`, y: [1] })),
    })
    const answer = await add(many(2_006))
    expect([answer.status, answer.body.type]).toEqual([422, 'urn:almanac:problem:too-many-new'])
    expect((await add(many(2_005))).status).toBe(202)
  })

  test.each([
    ['in data', { data: [1] }, '/data'],
    ['in a series', { series: [{ y: [1] }] }, '/series/0/key'],
  ])('without a key, %s, are refused by the field', async (_what, body, field) => {
    const { add } = await openFitted({ count: 5 })
    const answer = await add(body)
    expect([answer.status, answer.body.field]).toEqual([422, field])
    expect(answer.body.type).toBe('urn:almanac:problem:key')
  })

  test.each([
    ['a key', [{ key: 'a', y: [1] }], '/series/0/key', 'unknown-field'],
    ['several keys', news, '/series', 'series'],
  ])('with %s are refused by a model of one series', async (_what, series, field, code) => {
    const cluster = await openCluster()
    await cluster.node()
    const broker = await cluster.broker()
    const body = { data: Array.from({ length: 60 }, (_, i) => i % 7), spec }
    expect((await call(broker, 'POST', '/api/models/m/fit', { body })).status).toBe(200)
    const added = { body: { series } }
    const answer = await call(broker, 'POST', '/api/models/m/observations', added)
    expect([answer.status, answer.body.field]).toEqual([400, field])
    expect(answer.body.type).toBe(`urn:almanac:problem:${code}`)
  })
})

test('shards of a base are no garbage while its update is open, though its version is gone', async () => {
  const { cluster, add } = await openFitted()
  await add({ series: news })
  const gone = [remove(versionKey(of, 1))]
  await cluster.coordinator.transact({ when: [], then: gone }, signal())
  const parts = { ...cluster, bounds: boundsOf() }
  const models = ['index-1', 'models-1-0', 'models-1-1', 'models-1-2']
  const named = async () => {
    const all = await readReferences(parts, signal())
    return models.filter((blob) => all.has(blob))
  }
  expect(await named()).toEqual(models)
  const failed = { ...(await versionOf(cluster, 2)), state: 'failed' as const }
  await write(cluster, versionKey(of, 2), codecs.version.encode(failed))
  expect(await named()).toEqual(['index-1'])
})
