import {
  codecs,
  decodeShardIndex,
  jobKey,
  put,
  type ShardRecord,
  shardClaimKey,
  shardKey,
  versionKey,
} from '@almanac/shared'
import { expect, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { readReferences } from '../../src/jobs/garbage.ts'
import { call, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const asynchronous = { prefer: 'respond-async' }
const spec = { family: 'baseline', method: 'naive' }
const series = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `s=${String(i).padStart(5, '0')}`, y: [1, i] }))

async function accepted(cluster: TestCluster, nodes = 3, count = 4_100) {
  const fakes = await Promise.all(Array.from({ length: nodes }, () => cluster.node()))
  for (const node of fakes) node.script.fit = 'ignore'
  const broker = await cluster.broker({ dispatchAgainMs: 100, reconcileMs: 100 })
  const answer = await call(broker, 'POST', '/api/models/m/fit', {
    body: { series: series(count), spec },
    headers: asynchronous,
  })
  expect(answer.status, answer.text).toBe(202)
  return { nodes: fakes, broker, job: String(answer.body.job) }
}

const write = ({ coordinator }: TestCluster, key: string, value: string) =>
  coordinator.transact({ when: [], then: [put(key, value)] }, signal())
const claim = codecs.claim.encode({ node: 'n', instance: 'i', since: 'now' })
const fitted = (series: number): string => {
  const shard = { blob: `blob-${series}`, sha256: 'a'.repeat(64), sizeBytes: 1, series, codes: {} }
  const record: ShardRecord = { attempts: 1, fitted: shard, error: null }
  return codecs.shard.encode(record)
}

test('many series are a job of shards, whose data is stored by an index', async () => {
  const cluster = await openCluster()
  const { broker, job } = await accepted(cluster)
  const entry = await cluster.coordinator.get(versionKey(of, 1), signal())
  const version = codecs.version.decode(entry!.value)
  if (!version.ok) throw new Error(version.fault)
  expect(version.value).toMatchObject({ series: 4_100, dataset: { observations: 8_200 } })
  const ref = { kind: 'dataset', id: version.value.dataset.blob } as const
  const index = decodeShardIndex(await cluster.store.readBlob(ref, signal()))
  if (!index.ok) throw new Error(index.fault)
  expect(index.value.kind).toBe('data')
  expect(index.value.shards.map(({ first, series: count }) => [first, count])).toEqual([
    ['s=00000', 2_000],
    ['s=02000', 2_000],
    ['s=04000', 100],
  ])
  expect((await get(broker, `/api/jobs/${job}`)).body).toMatchObject({
    kind: 'fit-shards',
    series: { done: 0, of: 4_100 },
  })
  expect((await get(broker, '/api/models/m/versions/1')).body).toMatchObject({ series: 4_100 })
})

test('shards are offered to every node as long as one of them is in nobody’s hands', async () => {
  const cluster = await openCluster()
  const { nodes, job } = await accepted(cluster)
  await eventually(
    async () => nodes.map(({ orders }) => orders.includes(job)),
    (asked) => asked.every(Boolean),
  )
  await write(cluster, shardKey(job, 0), fitted(2_000))
  await write(cluster, shardClaimKey(job, 1), claim)
  const [before] = nodes.map(({ orders }) => orders.length)
  await eventually(
    async () => nodes[0]!.orders.length,
    (count) => count > before! + 2,
  )
  await write(cluster, shardClaimKey(job, 2), claim)
  await new Promise((done) => setTimeout(done, 200))
  const settled = nodes[0]!.orders.length
  await new Promise((done) => setTimeout(done, 600))
  expect(nodes[0]!.orders.length).toBe(settled)
})

test('progress is the series that are fitted, and what is told of shards under way', async () => {
  const cluster = await openCluster()
  const { broker, job } = await accepted(cluster)
  const entry = await cluster.coordinator.get(jobKey(job), signal())
  const record = codecs.job.decode(entry!.value)
  if (!record.ok) throw new Error(record.fault)
  const progress = { phase: 'fitting', fraction: 0 }
  const running = { ...record.value, state: 'running' as const, progress }
  await write(cluster, jobKey(job), codecs.job.encode(running))
  await write(cluster, shardKey(job, 1), fitted(2_000))
  await write(cluster, shardKey(job, 2), fitted(100))
  const { body } = await eventually(
    () => get(broker, `/api/jobs/${job}`),
    ({ body: { series: done } }) => (done as { done: number }).done === 2_100,
  )
  expect(body).toMatchObject({ progress: { phase: 'fitting', fraction: 2_100 / 4_100 } })
  const half = { attempts: 1, fitted: null, error: null, progress: 0.5 }
  await write(cluster, shardKey(job, 0), codecs.shard.encode(half))
  await eventually(
    () => get(broker, `/api/jobs/${job}`),
    ({ body: { series: done } }) => (done as { done: number }).done === 3_100,
  )
})

test('shards are no garbage while they are fitted, nor is what an index names', async () => {
  const cluster = await openCluster()
  const { job } = await accepted(cluster, 1)
  await write(cluster, shardKey(job, 1), fitted(2_000))
  const parts = { ...cluster, bounds: boundsOf() }
  const named = await readReferences(parts, signal())
  const blobs = (await cluster.store.listBlobs('dataset', { after: null, limit: 99 }, signal()))
    .blobs
  expect(blobs).toHaveLength(4)
  expect([...named].sort()).toEqual([...blobs.map(({ id }) => id), 'blob-2000'].sort())
})

test('the records of shards go when their job has ended', async () => {
  const cluster = await openCluster()
  const { job } = await accepted(cluster, 1)
  for (let i = 0; i < 3; i++) await write(cluster, shardKey(job, i), fitted(1))
  const count = async () =>
    (await cluster.coordinator.list(`${jobKey(job)}/`, signal())).entries.length
  await new Promise((done) => setTimeout(done, 500))
  expect(await count()).toBe(3)
  const entry = await cluster.coordinator.get(jobKey(job), signal())
  const record = codecs.job.decode(entry!.value)
  if (!record.ok) throw new Error(record.fault)
  const ended = { ...record.value, state: 'done' as const, endedAt: new Date().toISOString() }
  await write(cluster, jobKey(job), codecs.job.encode(ended))
  await eventually(count, (left) => left === 0)
})
