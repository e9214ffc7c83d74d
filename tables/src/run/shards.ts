import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeShardData, type Frequency, type KeyedDescription } from '@almanac/engine'
import { limits } from '../limits.ts'
import { startOfPeriod } from '../series/periods.ts'
import type { ShardMessage } from './protocol.ts'

export type ShardWriter = {
  readonly add: (key: string, firstPeriod: number, y: Float64Array) => Promise<void>
  /** Writes what is left; returns how many shards there were. */
  readonly close: () => Promise<number>
}

/** Cuts series into shards, each handed over as a file before the next one is begun. */
export function makeShardWriter(
  { folder, frequency, zone, series: most, observations: longest }: ShardForm,
  hand: (shard: ShardMessage) => Promise<void>,
): ShardWriter {
  const timezone = zone === 'UTC' ? null : zone
  let shard: KeyedDescription[] = []
  let observations = 0
  let shards = 0
  const write = async () => {
    const [first] = shard
    if (first === undefined) return
    const file = join(folder, `shard-${shards++}`)
    await writeFile(file, encodeShardData(shard))
    const { length: series } = shard
    shard = []
    await hand({ kind: 'shard', file, firstKey: first.key, series, observations })
    observations = 0
  }
  return {
    add: async (key, firstPeriod, y) => {
      const isFull = shard.length >= most || observations + y.length > longest
      if (isFull) await write()
      const start = startOfPeriod(frequency, firstPeriod)
      shard.push({ key, start, frequency, timezone, y: Array.from(y) })
      observations += y.length
    },
    close: async () => {
      await write()
      return shards
    },
  }
}

export type ShardForm = {
  readonly folder: string
  readonly frequency: Frequency
  /** Of the IANA data base, or UTC. */
  readonly zone: string
  /** At most so many in a shard. */
  readonly series: number
  readonly observations: number
}

/** How large shards are, so that a table is not cut into too many. */
export function shardSizes(series: number, observations: number, least: number) {
  // Either bound may cut: half of the shards for each.
  const share = limits.shardsAimed / 2
  return {
    series: Math.max(least, Math.ceil(series / share)),
    observations: Math.max(limits.shardObservations, Math.ceil(observations / share)),
  }
}
