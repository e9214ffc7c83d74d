import {
  type BlobRef,
  encodeShardIndex,
  limits,
  type ShardIndex,
  type ShardRecord,
  type VersionRecord,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import type { Claim } from '../claim.ts'
import { isHopeless, readShards } from './look.ts'
import { readDataIndex } from './read.ts'

/** What a job of shards came to. */
export type Joined =
  | { readonly kind: 'whole'; readonly index: Uint8Array; readonly metrics: Metrics }
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
  const { claimed, shards } = await readShards(context, claim.job.id, signal)
  const data = await readDataIndex(read, claim.version.dataset.blob)
  const fitted: Fitted[] = []
  for (const number of data.shards.keys()) {
    const record = shards.get(number)?.record
    if (record?.fitted) fitted.push(record.fitted)
    else if (record && isHopeless(record) && !claimed.has(number)) return failed(number, record)
  }
  if (fitted.length < data.shards.length) return { kind: 'open' }
  const index: ShardIndex = {
    format: 1,
    kind: 'models',
    shards: fitted.map((shard, number) => ({ first: data.shards[number]!.first, ...shard })),
  }
  return { kind: 'whole', index: encodeShardIndex(index), metrics: metricsOf(fitted) }
}

type Fitted = NonNullable<ShardRecord['fitted']>

function failed(number: number, { attempts, error }: ShardRecord): Joined {
  if (error) return { kind: 'failed', ...error }
  const detail = `Shard ${number} was begun ${attempts} times and never finished.`
  return { kind: 'failed', reason: 'attempts-exhausted', detail }
}

/** How many series there are, and how many have which result code. */
function metricsOf(fitted: readonly Fitted[]): Metrics {
  const counts = new Map<string, number>()
  let [series, bytes] = [0, 0]
  for (const shard of fitted) {
    series += shard.series
    bytes += shard.sizeBytes
    for (const [code, count] of Object.entries(shard.codes))
      counts.set(code, (counts.get(code) ?? 0) + count)
  }
  const codes = [...counts].slice(0, limits.resultCodesMax)
  const named = codes.map(([code, count]) => [`code:${code}`, count] as const)
  return { series, shards: fitted.length, modelBytes: bytes, ...Object.fromEntries(named) }
}
