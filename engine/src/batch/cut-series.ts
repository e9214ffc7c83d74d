import type { KnownSeries } from './known-series.ts'
import { encodeShardData } from './shard-data.ts'
import { observedIn } from './shard-rows.ts'

/** At most so many of both in a shard; a series that is longer has one for itself. */
export type ShardSizes = { readonly series: number; readonly observations: number }

/** A shard of data, as it was cut. */
export type CutShard = {
  readonly first: string
  readonly series: number
  readonly observations: number
  /** Of the observations. */
  readonly missing: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * Cuts series, in the order of their keys, into full shards of data (`encodeShardData`), and what is
 * left at the end. Cut with it before them, those that follow are cut as if all had come at once.
 */
export function cutSeries(
  series: readonly KnownSeries[],
  { series: most, observations: longest }: ShardSizes,
): { readonly full: readonly CutShard[]; readonly rest: CutShard | null } {
  const shards: CutShard[] = []
  let own: KnownSeries[] = []
  let observations = 0
  for (const one of series) {
    const isFull = own.length >= most || observations + one.y.length > longest
    if (isFull && own.length > 0) {
      shards.push(shardOf(own))
      own = []
      observations = 0
    }
    own.push(one)
    observations += one.y.length
  }
  return { full: shards, rest: own.length === 0 ? null : shardOf(own) }
}

function shardOf(own: readonly KnownSeries[]): CutShard {
  const counts = { observations: 0, missing: 0 }
  for (const { y } of own) {
    counts.observations += y.length
    counts.missing += y.length - observedIn(y)
  }
  const bytes = Uint8Array.from(encodeShardData(own))
  return { first: own[0]!.key, series: own.length, ...counts, bytes }
}
