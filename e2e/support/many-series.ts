import { createHash } from 'node:crypto'
import {
  compareKeys,
  decodeModel,
  decodeShard,
  encodeShard,
  encodeShardData,
  fitShard,
  forecastModel,
  parseSpec,
  type Shard,
} from '@almanac/engine'
import {
  type Coordinator,
  CounterRecord,
  codec,
  codecs,
  counterKey,
  encodeShardIndex,
  type ModelName,
  mintBlobId,
  modelKey,
  put,
  type ShardIndex,
  type ShardRef,
  type Store,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { smallSeries, smallSpec } from './data.ts'

export type Backends = { readonly coordinator: Coordinator; readonly store: Store }

/** A stored version of many series and what it says. */
export type ManySeries = ModelName & {
  readonly version: number
  readonly index: ShardIndex
  /** In the order of the version. */
  readonly keys: readonly string[]
  /** Resident memory of all shards. */
  readonly sizeBytes: number
  /** The point forecast that a series' model has; undefined where it has no model. */
  readonly forecastOf: (key: string, horizon: number) => readonly number[] | undefined
}

export const seriesKey = (store: number, product: number) =>
  `store=${String(store).padStart(2, '0')},product=${String(product).padStart(3, '0')}`

const gapEvery = 17
const counters = codec(CounterRecord)
const deadline = () => AbortSignal.timeout(20_000)

/**
 * Fits and stores a version as a job of shards would, a store's products to a shard, and makes it
 * serve. Every 17th series has no observation, and so no model.
 */
export async function seedManySeries(
  backends: Backends,
  given: {
    model?: string
    version?: number
    shards?: number
    products?: number
    /** Its first shards are those of another version. */
    shared?: ShardIndex
  } = {},
): Promise<ManySeries> {
  const { model = 'sales', version = 1, shards: count = 10, products = 20 } = given
  const of = { tenant: 'default', model }
  const fitted = Array.from({ length: count }, (_, store) => fittedShard(store, products, version))
  const refs: ShardRef[] = []
  for (const [i, { bytes, shard, codes }] of fitted.entries()) {
    const known = given.shared?.shards[i]
    const stored = known ?? (await storeBytes(backends.store, bytes))
    refs.push(known ?? { first: shard.keyAt(0), series: shard.count, codes, ...stored })
  }
  const index: ShardIndex = { format: 1, kind: 'models', shards: refs }
  const stored = await storeBytes(backends.store, encodeShardIndex(index))
  const keys = fitted.flatMap(({ shard }) => keysOf(shard))
  await writeRecords(backends.coordinator, of, recordOf(version, keys.length, stored))
  return {
    ...{ ...of, version, index, keys },
    sizeBytes: fitted.reduce((sum, { shard }) => sum + shard.sizeBytes, 0),
    forecastOf: (key, horizon) => {
      const [shard] = fitted.flatMap(({ shard }) => (shard.find(key) < 0 ? [] : [shard]))
      return shard && pointForecast(shard.payloadAt(shard.find(key)), horizon)
    },
  }
}

function fittedShard(store: number, products: number, version: number) {
  const spec = parseSpec(smallSpec)
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  const series = Array.from({ length: products }, (_, product) => {
    const level = 100 * version + store + product / 1_000
    const y = (store * products + product) % gapEvery === gapEvery - 1 ? [null] : smallSeries(level)
    return { key: seriesKey(store, product), y, start: '2026-01-01', frequency: 'daily' as const }
  }).sort((a, b) => compareKeys(a.key, b.key))
  const data = shardIn(encodeShardData(series))
  const { content, codes } = fitShard(data, spec.value, { seed: 1, workMax: 1e9 })
  const bytes = encodeShard(content)
  return { bytes, codes, shard: shardIn(bytes) }
}

function shardIn(bytes: Uint8Array): Shard {
  const decoded = decodeShard(bytes)
  if (decoded.kind === 'refused') throw new Error(decoded.reason.detail)
  return decoded.value
}

const keysOf = (shard: Shard) => Array.from({ length: shard.count }, (_, i) => shard.keyAt(i))

async function storeBytes(store: Store, bytes: Uint8Array) {
  const content = Uint8Array.from(bytes)
  const blob = mintBlobId()
  await store.writeBlob({ kind: 'model', id: blob, label: 'seeded', content }, deadline())
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { blob, sha256, sizeBytes: content.byteLength }
}

function pointForecast(payload: Uint8Array, horizon: number): readonly number[] | undefined {
  if (payload.length === 0) return undefined
  const model = decodeModel(payload)
  if (model.kind === 'refused') throw new Error(model.reason.detail)
  const forecast = forecastModel(model.value, { horizon, quantiles: new Float64Array(0) })
  if (forecast.kind === 'refused') throw new Error(forecast.reason.detail)
  return [...forecast.value.point]
}

function recordOf(
  version: number,
  series: number,
  stored: Awaited<ReturnType<typeof storeBytes>>,
): VersionRecord {
  const now = new Date().toISOString()
  return {
    ...{ version, state: 'stored', job: mintBlobId(), spec: smallSpec, series },
    dataset: { blob: stored.blob, observations: 120 * series },
    ...{ ...stored, error: null, metrics: {} },
    times: { createdAt: now, fittingAt: now, storedAt: now, failedAt: null },
  }
}

async function writeRecords(coordinator: Coordinator, of: ModelName, record: VersionRecord) {
  const { version } = record
  const model = codecs.model.encode({
    ...{ serving: version, target: version, previous: null, high: version, hold: false },
    ...{ changes: 1, floor: 0, why: 'fit', createdAt: record.times.createdAt, deletedAt: null },
  })
  const then = [
    put(modelKey(of), model),
    put(counterKey(of), counters.encode({ last: version })),
    put(versionKey(of, version), codecs.version.encode(record)),
  ]
  const { succeeded } = await coordinator.transact({ when: [], then }, deadline())
  if (!succeeded) throw new Error('a transaction without conditions was refused')
}
