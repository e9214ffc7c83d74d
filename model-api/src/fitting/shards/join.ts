import { compareKeys, type LiveSum, noLive, sumOfLive } from '@almanac/engine'
import {
  type BlobRef,
  Damaged,
  encodeShardIndex,
  eventsOfShards,
  limits,
  type ShardIndex,
  type ShardRecord,
  type ShardRef,
  shardOf,
  type VersionRecord,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import type { Claim } from '../claim.ts'
import { isHopeless, readShards } from './look.ts'
import { readBaseIndex, readDataIndex } from './read.ts'

/** What a job of shards came to. */
export type Joined =
  | {
      readonly kind: 'whole'
      readonly index: Uint8Array
      readonly metrics: Metrics
      readonly series: number
      /** Of an update: how well its base had foreseen the news of all shards. */
      readonly live: LiveSum
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly detail: string }
  /** Some shards are still to be fitted. */
  | { readonly kind: 'open' }

type Metrics = VersionRecord['metrics']

/** Looks at all shards of a claimed job. Rejects with `Unavailable`, or where its data is damaged. */
export async function joinShards(
  context: NodeContext,
  claim: Claim,
  read: (ref: BlobRef) => Promise<Uint8Array>,
  signal: AbortSignal,
): Promise<Joined> {
  const { claimed, shards: records } = await readShards(context, claim.job.id, signal)
  const data = await readDataIndex(read, claim.version.dataset.blob)
  const ended = eventsOfShards([...records].map(([number, { record }]) => [number, record]))
  const fitted: Fitted[] = []
  for (const number of data.shards.keys()) {
    const record = records.get(number)?.record
    if (record?.fitted) fitted.push(record.fitted)
    else if (record && isHopeless(record) && !claimed.has(number)) {
      claim.journal.unshift(...ended)
      return failed(number, record)
    }
  }
  if (fitted.length < data.shards.length) return { kind: 'open' }
  // What was foreseen is told of an update once: the index goes on into versions to come.
  const made = fitted.map(({ live: _, ...shard }, number) => {
    return { first: data.shards[number]!.first, ...shard }
  })
  const live = fitted.reduce((sum, shard) => sumOfLive(sum, boundedLive(shard)), noLive)
  const { base } = claim.version
  const shards = base ? replaced(await readBaseIndex(read, base), made) : made
  const index = encodeShardIndex({ format: 1, kind: 'models', shards: shards })
  const series = shards.reduce((sum, shard) => sum + shard.series, 0)
  // Not before: what is awaited above is tried again when the store is away.
  claim.journal.unshift(...ended)
  return { kind: 'whole', index, metrics: metricsOf(shards), series, live }
}

/** The shards of a base, but for those that have news. */
function replaced(base: ShardIndex, made: readonly ShardRef[]): ShardRef[] {
  const shards = new Map(base.shards.entries())
  for (const shard of made) {
    const number = shardOf(base, shard.first)
    const before = base.shards[number]!
    if (shards.get(number) !== before) throw new Damaged(`Two shards are of ${before.first}.`)
    // Only the very first shard can have got keys before those that it had.
    const first = compareKeys(shard.first, before.first) < 0 ? shard.first : before.first
    shards.set(number, { ...shard, first })
  }
  return [...shards.values()]
}

type Fitted = NonNullable<ShardRecord['fitted']>

/** Nothing of a shard whose node, of an earlier release, let one series outweigh all others. */
const boundedLive = ({ live }: Fitted): LiveSum =>
  live?.errorMax === undefined ? noLive : { count: live.count, scaled: live.scaled }

function failed(number: number, { attempts, error }: ShardRecord): Joined {
  if (error) return { kind: 'failed', ...error }
  const detail = `Shard ${number} was begun ${attempts} times and never finished.`
  return { kind: 'failed', reason: 'attempts-exhausted', detail }
}

/** How many series there are, and how many have which result code. */
function metricsOf(all: readonly ShardRef[]): Metrics {
  const counts = new Map<string, number>()
  let [series, bytes] = [0, 0]
  for (const shard of all) {
    series += shard.series
    bytes += shard.sizeBytes
    for (const [code, count] of Object.entries(shard.codes ?? {}))
      counts.set(code, (counts.get(code) ?? 0) + count)
  }
  const codes = [...counts].slice(0, limits.resultCodesMax)
  const named = codes.map(([code, count]) => [`code:${code}`, count] as const)
  return { series, shards: all.length, modelBytes: bytes, ...Object.fromEntries(named) }
}
