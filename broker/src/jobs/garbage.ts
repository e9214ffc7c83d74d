import { setImmediate as otherWork } from 'node:timers/promises'
import {
  type BlobRef,
  type Clock,
  type Coordinator,
  codec,
  codecs,
  collectGarbage,
  decodeBacktestInput,
  decodeBacktestResult,
  decodeShardIndex,
  type JobRecord,
  jobsPrefix,
  type Logger,
  Missing,
  modelsPrefix,
  modifiedAt,
  parseKey,
  RequestRecord,
  remove,
  requestsPrefix,
  type Store,
  type VersionRecord,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { isExpired } from './allocate.ts'

export type GarbageParts = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly clock: Pick<Clock, 'wallTime'>
  readonly bounds: Bounds
  readonly logger: Logger
}

/** Deletes what no version names, and forgets old `Idempotency-Key`s. Under a claim only. */
export async function sweepGarbage(parts: GarbageParts, signal: AbortSignal): Promise<void> {
  const { store, clock, bounds, logger } = parts
  const named = await readReferences(parts, signal)
  for (const kind of ['dataset', 'model'] as const) {
    const isReferenced = (id: string) => named.has(id)
    const collection = { store, kind, isReferenced, ageMs: bounds.garbageAgeMs, clock }
    const { scanned, deleted } = await collectGarbage(collection, signal)
    logger.info({ event: 'garbage-collected', kind, scanned, deleted })
  }
  await forgetRequests(parts, signal)
}

/**
 * The blobs that versions name, at one linearizable read. A version that cannot be read may name
 * any blob: then nothing is garbage.
 */
export async function readReferences(
  parts: Pick<GarbageParts, 'coordinator' | 'store' | 'bounds'>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { coordinator, bounds } = parts
  const timeout = () => AbortSignal.timeout(bounds.coordinatorCallMs * 10)
  // Shards before versions: what a job leaves to its version in between is named by both.
  const named = new Set<string>(await blobsOfJobs(parts, AbortSignal.any([signal, timeout()])))
  const { entries } = await coordinator.list(modelsPrefix, AbortSignal.any([signal, timeout()]))
  for (const [i, { key, value }] of entries.entries()) {
    if (i % readAtOnce === readAtOnce - 1) await otherWork()
    if (parseKey(key).kind !== 'version') continue
    const version = codecs.version.decode(value)
    if (!version.ok) throw new Error(`${key} cannot be read, so nothing is taken for garbage`)
    named.add(version.value.dataset.blob)
    if (version.value.blob !== null) named.add(version.value.blob)
    // It may be about to be read, though its own version is gone.
    if (version.value.base) named.add(version.value.base.blob)
    for (const blob of tableBlobs(version.value)) named.add(blob)
    for (const { blob } of version.value.parts ?? []) named.add(blob)
    if (version.value.series === undefined && version.value.parts === undefined) continue
    for (const shard of await shardsOf(parts, version.value, signal)) named.add(shard)
  }
  // After versions: what a backtest takes from one that is archived in between is named by both.
  for (const blob of await blobsAtWork(parts, signal)) named.add(blob)
  return named
}

/**
 * What backtests are made of, as long as they are not done, and what they came to; and what
 * predictions are made by, as long as they are not.
 */
async function blobsAtWork(
  parts: Pick<GarbageParts, 'coordinator' | 'store' | 'bounds'>,
  signal: AbortSignal,
): Promise<string[]> {
  const { coordinator, bounds } = parts
  const within = AbortSignal.any([signal, AbortSignal.timeout(bounds.coordinatorCallMs * 10)])
  const { entries } = await coordinator.list(jobsPrefix, within)
  const blobs: string[] = []
  for (const { key, value } of entries) {
    if (parseKey(key).kind !== 'job') continue
    const job = codecs.job.decode(value)
    // A later release may have jobs that keep more, and also looks after it.
    if (job.ok && job.value.backtest)
      blobs.push(...(await blobsOfBacktest(parts, job.value, signal)))
    if (job.ok && job.value.prediction && job.value.endedAt === null)
      blobs.push(job.value.prediction.model.blob)
  }
  return blobs
}

async function blobsOfBacktest(
  { store, bounds }: Pick<GarbageParts, 'store' | 'bounds'>,
  { endedAt, backtest }: JobRecord,
  signal: AbortSignal,
): Promise<string[]> {
  const { input, result } = backtest!
  const within = AbortSignal.any([signal, AbortSignal.timeout(bounds.storeCallMs * 10)])
  const read = (id: string) =>
    store.readBlob({ kind: 'dataset', id }, within).catch((error) => {
      if (error instanceof Missing) return undefined
      throw error
    })
  const named = [input, ...(result ? [result.blob] : [])]
  const bytes = await read(result?.blob ?? input)
  if (bytes === undefined || (endedAt !== null && result === null)) return named
  if (result) {
    const index = decodeBacktestResult(bytes)
    if (!index.ok) throw new Error(`${result.blob} cannot be read, so nothing is taken for garbage`)
    return [...named, ...index.value.shards.map(({ blob }) => blob)]
  }
  const made = decodeBacktestInput(bytes)
  if (!made.ok) throw new Error(`${input} cannot be read, so nothing is taken for garbage`)
  return [...named, ...made.value.shards.flatMap(({ data }) => data.map(({ blob }) => blob))]
}

function tableBlobs({ table }: VersionRecord): readonly string[] {
  if (table === undefined) return []
  return [table.source, table.report, table.rejects].filter((blob) => blob !== null)
}

/** Of shards that are fitted, and that no version has yet. */
async function blobsOfJobs(
  { coordinator }: Pick<GarbageParts, 'coordinator'>,
  signal: AbortSignal,
): Promise<string[]> {
  const { entries } = await coordinator.list(jobsPrefix, signal)
  return entries.flatMap(({ key, value }) => {
    if (parseKey(key).kind !== 'shard') return []
    const shard = codecs.shard.decode(value)
    if (!shard.ok) throw new Error(`${key} cannot be read, so nothing is taken for garbage`)
    return shard.value.fitted === null ? [] : [shard.value.fitted.blob]
  })
}

/** The shards that the indexes of a version name; none of an index that is not there any more. */
async function shardsOf(
  { store, bounds }: Pick<GarbageParts, 'store' | 'bounds'>,
  { dataset, parts, blob, base, state }: VersionRecord,
  signal: AbortSignal,
): Promise<string[]> {
  const data: readonly { readonly blob: string }[] = parts ?? [dataset]
  const refs: BlobRef[] = data.map((one) => ({ kind: 'dataset', id: one.blob }))
  // An update that is not stored yet is going to have shards of its base.
  const models = blob ?? (state === 'failed' ? undefined : base?.blob)
  if (models !== undefined) refs.push({ kind: 'model', id: models })
  const shards: string[] = []
  for (const ref of refs) {
    const within = AbortSignal.any([signal, AbortSignal.timeout(bounds.storeCallMs * 10)])
    const bytes = await store.readBlob(ref, within).catch((error) => {
      if (error instanceof Missing) return undefined
      throw error
    })
    const index = bytes && decodeShardIndex(bytes)
    if (index?.ok === false)
      throw new Error(`the index ${ref.id} cannot be read, so nothing is taken for garbage`)
    for (const shard of index?.value.shards ?? []) shards.push(shard.blob)
  }
  return shards
}

/** Some milliseconds of work: what is asked of the broker meanwhile does not wait for all of it. */
const readAtOnce = 200
const requests = codec(RequestRecord)

async function forgetRequests(parts: GarbageParts, signal: AbortSignal): Promise<void> {
  const { coordinator, clock, bounds } = parts
  const within = () => AbortSignal.any([signal, AbortSignal.timeout(bounds.coordinatorCallMs * 10)])
  const { entries } = await coordinator.list(requestsPrefix, within())
  const now = clock.wallTime()
  for (const { key, value, modRevision } of entries) {
    const record = requests.decode(value)
    if (!record.ok || !isExpired(record.value, now, bounds)) continue
    await coordinator.transact(
      { when: [modifiedAt(key, modRevision)], then: [remove(key)] },
      within(),
    )
  }
}
