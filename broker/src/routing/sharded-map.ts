/**
 * An immutable map from text whose next edition costs what changes, not what it holds: the entries
 * lie in shards by a hash of their keys, and only shards with a change are copied.
 */
export class ShardedMap<Value> {
  readonly size: number
  readonly #shards: readonly ReadonlyMap<string, Value>[]

  private constructor(shards: readonly ReadonlyMap<string, Value>[], size: number) {
    this.#shards = shards
    this.size = size
  }

  static empty<Value>(): ShardedMap<Value> {
    const none: ReadonlyMap<string, Value> = new Map()
    return new ShardedMap(
      Array.from({ length: shardCount }, () => none),
      0,
    )
  }

  get(key: string): Value | undefined {
    return this.#shards[shardOf(key)]!.get(key)
  }

  has(key: string): boolean {
    return this.#shards[shardOf(key)]!.has(key)
  }

  *keys(): Generator<string> {
    for (const shard of this.#shards) yield* shard.keys()
  }

  *values(): Generator<Value> {
    for (const shard of this.#shards) yield* shard.values()
  }

  /** The map with some entries replaced; undefined takes one away. */
  with(changes: Iterable<readonly [key: string, value: Value | undefined]>): ShardedMap<Value> {
    const shards = [...this.#shards]
    const copied = new Map<number, Map<string, Value>>()
    let { size } = this
    for (const [key, value] of changes) {
      const at = shardOf(key)
      const shard = copied.get(at) ?? new Map(shards[at])
      copied.set(at, shard)
      shards[at] = shard
      size -= shard.size
      if (value === undefined) shard.delete(key)
      else shard.set(key, value)
      size += shard.size
    }
    return new ShardedMap(shards, size)
  }
}

/** With 10,000 entries a change copies some 40 of them. */
const shardCount = 256

/** FNV-1a over UTF-16 units: short keys, spread evenly enough. */
function shardOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (shardCount - 1)
}
