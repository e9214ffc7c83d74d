import { type FittedShard, fitShard } from '../../src/batch/fit-shard.ts'
import { encodeShardData, type KeyedDescription } from '../../src/batch/shard-data.ts'
import { decodeShard, encodeShard, type Shard } from '../../src/codec/shard.ts'
import type { AnySpec } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'

export const run = { seed: 5, workMax: 1e8 }

type Given = Partial<Omit<KeyedDescription, 'key' | 'y'>>

/** A series in the words of JSON; nobody said when it began unless told. */
export function described(
  key: string,
  y: readonly (number | null)[],
  given: Given = {},
): KeyedDescription {
  return { key, y, start: null, frequency: null, ...given }
}

export const dataOf = (series: readonly KeyedDescription[]): Shard =>
  doneValue(decodeShard(encodeShardData(series)))

export const shardOf = (content: FittedShard['content']): Shard =>
  doneValue(decodeShard(encodeShard(content)))

/** A shard of models of these series. */
export const fittedOf = (series: readonly KeyedDescription[], spec: AnySpec): Shard =>
  shardOf(fitShard(dataOf(series), spec, run).content)
