import { createHash } from 'node:crypto'
import { decodeShard, encodeShardData, type Shard } from '@almanac/engine'
import {
  codecs,
  decodeShardIndex,
  encodeShardIndex,
  jobKey,
  mintBlobId,
  put,
  type ShardIndex,
  type ShardRecord,
  shardKey,
  shardOf,
  shardsPrefix,
  versionKey,
} from '@almanac/shared'
import type { RunningNode } from '../../src/index.ts'
import {
  internalHeaders,
  type Machine,
  type Order,
  queueFit,
  readJob,
  readVersion,
  shortSeries,
  soon,
} from './machine.ts'

export type Keyed = { readonly key: string; readonly y: readonly (number | null)[] }

/** Series with keys in order; some of them are wrong on purpose. */
export function keyedSeries(count: number, given: Readonly<Record<number, Keyed['y']>> = {}) {
  return Array.from({ length: count }, (_, i): Keyed => {
    const key = `product=${String(i).padStart(3, '0')}`
    return { key, y: given[i] ?? shortSeries(40).map((value) => value + i) }
  })
}

/** What a broker leaves behind when it accepted a fit of many series, `each` of them to a shard. */
export async function queueShards(
  machine: Machine,
  series: readonly Keyed[],
  each: number,
  given: { readonly spec?: unknown } = {},
): Promise<Order> {
  const of = await queueFit(machine, given)
  const cut: Keyed[][] = []
  for (let from = 0; from < series.length; from += each) cut.push(series.slice(from, from + each))
  return queueMany(machine, of, cut, 'fit-shards', series.length)
}

/**
 * The same of new observations of a stored version: of each of its shards those that are in it, or
 * else as they are cut.
 */
export async function queueUpdate(
  machine: Machine,
  base: Order,
  news: readonly Keyed[],
  cut?: readonly (readonly Keyed[])[],
): Promise<Order> {
  const { version, blob, sha256, spec, series } = await readVersion(machine, base)
  const { index } = await readModels(machine, blob!)
  const asItIs = index.shards.map((_, shard) =>
    news.filter(({ key }) => shardOf(index, key) === shard),
  )
  const of = await queueFit(machine, {
    ...{ version: version + 1, spec, base: { version, blob: blob!, sha256: sha256! } },
  })
  const withNews = (cut ?? asItIs).filter(({ length }) => length > 0)
  return queueMany(machine, of, withNews, 'update-shards', series!)
}

async function queueMany(
  machine: Machine,
  of: Order,
  cut: readonly (readonly Keyed[])[],
  kind: 'fit-shards' | 'update-shards',
  series: number,
): Promise<Order> {
  const write = async (content: Uint8Array) => {
    const id = mintBlobId()
    await machine.store.writeBlob({ kind: 'dataset', id, content, label: 'a test' }, soon())
    return id
  }
  const shards: ShardIndex['shards'] = []
  for (const own of cut) {
    const bytes = encodeShardData(own.map((one) => ({ start: null, frequency: null, ...one })))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const known = { sha256, sizeBytes: bytes.byteLength, series: own.length }
    shards.push({ first: own[0]!.key, blob: await write(bytes), ...known })
  }
  const blob = await write(encodeShardIndex({ format: 1, kind: 'data', shards }))
  const version = await readVersion(machine, of)
  const job = await readJob(machine, of.job)
  const observations = cut.flat().reduce((sum, { y }) => sum + y.length, 0)
  const many = { ...version, dataset: { blob, observations }, series }
  const then = [
    put(versionKey(of, of.version), codecs.version.encode(many)),
    put(jobKey(of.job), codecs.job.encode({ ...job, kind, shards: shards.length })),
  ]
  await machine.coordinator.transact({ when: [], then }, soon())
  return of
}

/** Orders a job of shards from a node, as brokers do. */
export async function orderShards(machine: Machine, node: RunningNode, job: string) {
  return fetch(`${node.url}/internal/v1/fits`, {
    method: 'POST',
    headers: { ...(await internalHeaders(machine, node)), 'content-type': 'application/json' },
    body: JSON.stringify({ job, shards: true }),
  })
}

export async function readShardRecords({ coordinator }: Machine, job: string) {
  const records = new Map<number, ShardRecord>()
  for (const { key, value } of (await coordinator.list(shardsPrefix(job), soon())).entries) {
    const decoded = codecs.shard.decode(value)
    if (!decoded.ok) throw new Error(decoded.fault)
    records.set(Number(key.slice(shardKey(job, 0).length - 1)), decoded.value)
  }
  return records
}

/** The shards of models that a stored version names. */
export async function readModels({ store }: Machine, blob: string) {
  const index = decodeShardIndex(await store.readBlob({ kind: 'model', id: blob }, soon()))
  if (!index.ok) throw new Error(index.fault)
  const shards: Shard[] = []
  for (const ref of index.value.shards) {
    const shard = decodeShard(await store.readBlob({ kind: 'model', id: ref.blob }, soon()))
    if (shard.kind === 'refused') throw new Error(shard.reason.detail)
    shards.push(shard.value)
  }
  return { index: index.value, shards }
}
