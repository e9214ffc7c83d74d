import { hash } from 'node:crypto'
import type { CutShard, ShardSizes } from '@almanac/engine'
import {
  addParts,
  type BlobRef,
  Bug,
  Damaged,
  encodeShardIndex,
  limits,
  partsOfFit,
  type ShardParts,
  type ShardRef,
  type VersionRecord,
} from '@almanac/shared'
import { bounds } from '../../config/bounds.ts'
import { checked } from '../checked.ts'
import type { FitWork } from '../fit-pool.ts'
import { readDataIndex } from '../shards/read.ts'
import type { MadeSeries, TableParts } from '../table/series-of-table.ts'
import type { FitReply } from '../worker-protocol.ts'

export type JoinParts = Pick<TableParts, 'read' | 'store' | 'onProgress'> & {
  readonly fit: (work: FitWork) => Promise<FitReply>
}

/**
 * The series of a version whose data came in parts, joined as updates joined them: what was missing
 * in between is missing, and what an update left out is left out. One shard of the fit is in memory
 * at a time, with all that came later, and what is read ahead for the next one. Rejects with `Damaged`
 * or `Missing` where something is not as it was stored, and with the signal's reason.
 */
export async function seriesOfParts(version: VersionRecord, parts: JoinParts): Promise<MadeSeries> {
  const all = await placesOf(version, parts)
  const sizes = sizesOf(version, all)
  const refs: ShardRef[] = []
  const counts = { series: 0, observations: 0, missing: 0 }
  const keep = async ({ first, series, observations, missing, bytes }: CutShard) => {
    const sha256 = hash('sha256', bytes, 'hex')
    const sizeBytes = bytes.byteLength
    refs.push({ first, blob: await parts.store(bytes), sha256, sizeBytes, series })
    counts.series += series
    counts.observations += observations
    counts.missing += missing
  }
  let rest: CutShard | null = null
  let ahead = readAhead(all[0], parts)
  for (const [place, { first }] of all.entries()) {
    const sets = await ahead
    if (sets === 'too-large') return tooLarge(first)
    ahead = readAhead(all[place + 1], parts)
    const [dataset, ...later] = sets
    const join = { later, rest: rest?.bytes ?? null, sizes }
    const plain = { base: null, passedOver: null, spec: version.spec, seed: 0, workMax: 0 }
    const reply: FitReply = await parts.fit({ ...plain, dataset: dataset!, join })
    if (reply.kind === 'refused') throw new Damaged(`${reply.code}: ${reply.detail}`)
    if (reply.kind === 'crashed') return { kind: 'crashed', detail: reply.detail }
    if (reply.kind !== 'joined') throw new Bug('a join was asked for, not a model')
    for (const shard of reply.full) await keep(shard)
    rest = reply.rest
    if (refs.length + (rest ? 1 : 0) > limits.shardsMax) return tooMany()
    parts.onProgress((place + 1) / all.length)
  }
  if (rest) await keep(rest)
  const index = await parts.store(encodeShardIndex({ format: 1, kind: 'data', shards: refs }))
  const { series, ...metrics } = counts
  return {
    ...{ kind: 'made', shards: refs.length, series },
    dataset: { blob: index, observations: metrics.observations },
    metrics: { ...version.metrics, ...metrics },
  }
}

/** Of each shard of the fit where all its data is. */
async function placesOf(
  { parts }: VersionRecord,
  { read }: JoinParts,
): Promise<readonly ShardParts[]> {
  const [first, ...updates] = parts ?? []
  if (first === undefined) throw new Damaged('the version does not name its parts')
  const fit = await readDataIndex(read, first.blob)
  const all = partsOfFit(fit)
  for (const { blob } of updates) addParts(fit, all, await readDataIndex(read, blob))
  return all
}

/** As a fit of all data has them; larger where there would be too many. */
function sizesOf({ parts }: VersionRecord, all: readonly ShardParts[]): ShardSizes {
  // Either bound may cut: half of the shards for each.
  const share = limits.joinedShardsAimed / 2
  const series = all.reduce((sum, shard) => sum + shard.series, 0)
  const observations = parts!.reduce((sum, part) => sum + part.observations, 0)
  return {
    series: Math.max(limits.shardSeriesMax, Math.ceil(series / share)),
    observations: Math.max(limits.shardObservationsMax, Math.ceil(observations / share)),
  }
}

/** Begins to read at once; who asks for it later is told what went wrong. */
function readAhead(shard: ShardParts | undefined, parts: JoinParts) {
  const reading = shard ? readSets(shard, parts) : Promise.resolve([])
  reading.catch(() => {})
  return reading
}

async function readSets(
  { data }: ShardParts,
  { read }: JoinParts,
): Promise<readonly Uint8Array[] | 'too-large'> {
  const sets: Uint8Array[] = []
  let left = bounds.joinedPartsBytesMax
  for (const { blob, sha256 } of data) {
    const ref: BlobRef = { kind: 'dataset', id: blob }
    const bytes = checked(await read(ref), sha256, `The data set ${blob}`)
    left -= bytes.byteLength
    if (left < 0) return 'too-large'
    sets.push(bytes)
  }
  return sets
}

function tooLarge(first: string): MadeSeries {
  const from = JSON.stringify(first.slice(0, 100))
  const detail = `The series from ${from} on have more than ${bounds.joinedPartsBytesMax} bytes of data. Fit the model with less of it.`
  return { kind: 'refused', reason: 'too-large', detail }
}

function tooMany(): MadeSeries {
  const detail = `Its series and observations are more than ${limits.shardsMax} shards hold. Make several models of them, each of a part.`
  return { kind: 'refused', reason: 'too-many', detail }
}
