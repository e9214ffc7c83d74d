/**
 * The blob that a version of many series names: its shards in the order of their keys. Each shard
 * is a blob of its own, of models or, for a data set, of observations.
 */
import { type Static, Type } from 'typebox'
import { limits } from '../base/limits.ts'
import { codec, type Decoded } from './codec.ts'

/** A key is text that people read: some columns' names and values. */
export const seriesKeyCharactersMax = 1_024

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const ShardRef = Type.Object({
  /** The key of its first series: those from here to the first one of the next shard. */
  first: Type.String({ maxLength: seriesKeyCharactersMax }),
  blob: Type.String({ minLength: 1, maxLength: 64 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  sizeBytes: Count,
  series: Count,
  /** Of models: how many series have which result code. */
  codes: Type.Optional(Type.Record(Type.String(), Count)),
})
export type ShardRef = Static<typeof ShardRef>

export const ShardIndex = Type.Object({
  format: Type.Literal(1),
  kind: Type.Union([Type.Literal('models'), Type.Literal('data')]),
  shards: Type.Array(ShardRef, { minItems: 1, maxItems: limits.shardsMax }),
})
export type ShardIndex = Static<typeof ShardIndex>

const texts = codec(ShardIndex)

export function encodeShardIndex(index: ShardIndex): Uint8Array {
  return new TextEncoder().encode(texts.encode(index))
}

/** Never throws; keys that do not ascend are a fault, too. */
export function decodeShardIndex(bytes: Uint8Array): Decoded<ShardIndex> {
  const decoded = texts.decode(new TextDecoder().decode(bytes))
  if (!decoded.ok) return decoded
  const { shards } = decoded.value
  const isAscending = shards.every((shard, i) => i === 0 || isBefore(shards[i - 1]!, shard))
  return isAscending ? decoded : { ok: false, fault: '/shards do not ascend by their first keys' }
}

/** The shard that a key is in, if it is in any: the last one that does not begin after it. */
export function shardOf({ shards }: ShardIndex, key: string): number {
  let [low, high] = [0, shards.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBytes(shards[middle]!.first, key) <= 0) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

/** The shards, from the first to before the last, that keys with this prefix can be in. */
export function shardsWith(index: ShardIndex, prefix: string): { from: number; to: number } {
  const { shards } = index
  const from = shardOf(index, prefix)
  let to = from + 1
  while (to < shards.length && shards[to]!.first.startsWith(prefix)) to++
  return { from, to }
}

/** Of some series all data: that of a shard of the fit, and what updates added, in their order. */
export type ShardParts = {
  readonly first: string
  /** At most, with those that updates added. */
  series: number
  readonly data: { readonly blob: string; readonly sha256: string }[]
}

/** The parts of the data of a fit, a shard each. */
export function partsOfFit({ shards }: ShardIndex): readonly ShardParts[] {
  return shards.map(({ first, series, blob, sha256 }) => ({
    ...{ first, series },
    data: [{ blob, sha256 }],
  }))
}

/** Adds the data of the next update after a fit to the parts of the shards that it belongs to. */
export function addParts(
  fit: ShardIndex,
  parts: readonly ShardParts[],
  { shards: news }: ShardIndex,
): void {
  for (const { first, series, blob, sha256 } of news) {
    const shard = parts[shardOf(fit, first)]!
    shard.data.push({ blob, sha256 })
    shard.series += series
  }
}

const isBefore = (a: ShardRef, b: ShardRef) => compareBytes(a.first, b.first) < 0

/** The order of the engine's `compareKeys`: that of the UTF-8 bytes. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
