import { hash } from 'node:crypto'
import { decodeShard, type Shard } from '@almanac/engine'
import {
  Damaged,
  limits,
  Missing,
  Refused,
  type ShardIndex,
  type ShardRef,
  shardOf,
  Unavailable,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { Gate } from '../base/gate.ts'
import { bounds } from '../config/bounds.ts'
import { ByteCache } from './byte-cache.ts'

/** What of a node is needed to read shards. */
export type ShardsContext = Pick<NodeContext, 'store' | 'clock' | 'metrics' | 'largeLoads'>

/**
 * Shards of models, read when they are asked for: at most so many bytes of them are kept, those
 * that were used last. A shard is read once for all who wait for it at the same time.
 */
export class Shards {
  readonly #context: ShardsContext
  readonly #bytesMax: number
  readonly #kept: ByteCache<Shard>
  readonly #loading = new Map<string, Promise<Shard>>()
  readonly #damaged = new Map<string, { readonly why: Refused; readonly untilMs: number }>()
  readonly #gate = new Gate(bounds.shardLoadsAtOnceMax)
  #waiting = 0

  constructor(context: ShardsContext, bytesMax: number) {
    this.#context = context
    this.#bytesMax = bytesMax
    // The largest shard is kept, too: it may be all that is asked for.
    this.#kept = new ByteCache(bytesMax, ({ sizeBytes }) => sizeBytes, undefined, bytesMax)
  }

  /** Only looks. */
  find(ref: ShardRef): Shard | undefined {
    return this.#kept.get(nameOf(ref))
  }

  /**
   * Rejects with a 503 while the store is away or slow, or too much is being read, and with a 500
   * where the shard is not what its index says. What takes longer than the patience is read on, for
   * whoever asks again.
   */
  async load(ref: ShardRef, patienceMs: number = bounds.shardPatienceMs): Promise<Shard> {
    const name = nameOf(ref)
    const found = this.#kept.get(name)
    if (found) return found
    const damage = this.#damaged.get(name)
    if (damage && damage.untilMs > this.#context.clock.monotonicMs()) throw damage.why
    if (this.#waiting >= bounds.shardWaitersMax) throw busy()
    const loading = this.#loading.get(name) ?? this.#begin(name, ref)
    this.#waiting += 1
    try {
      return await this.#inTime(loading, patienceMs)
    } finally {
      this.#waiting -= 1
    }
  }

  /**
   * Reads ahead what of a version that is about to serve lies where something was asked of the one
   * before, as far as time and memory for it go. Rejects with a 500 as above; whatever else is
   * in its way ends it, for nobody waits for it yet.
   */
  async readAhead(from: ShardIndex, to: ShardIndex, signal: AbortSignal): Promise<void> {
    const { clock } = this.#context
    const endMs = clock.monotonicMs() + bounds.shardsAheadMs
    let leftBytes = bounds.shardsAheadShare * this.#bytesMax
    const wanted = sameRanges(from, to, (ref) => this.#kept.has(nameOf(ref))).values()
    const work = async () => {
      for (const ref of wanted) {
        leftBytes -= ref.sizeBytes
        if (leftBytes < 0 || clock.monotonicMs() >= endMs || signal.aborted) return
        if (!this.#kept.has(nameOf(ref))) await this.load(ref, bounds.shardPatienceOfManyMs)
      }
    }
    try {
      await Promise.all(Array.from({ length: bounds.shardsAheadAtOnce }, work))
    } catch (error) {
      if (error instanceof Refused && error.status === 500) throw error
    }
  }

  #begin(name: string, ref: ShardRef): Promise<Shard> {
    if (this.#loading.size >= bounds.shardLoadsMax) throw busy()
    const isLarge = ref.sizeBytes >= bounds.largeShardBytes
    const read = () => this.#read(name, ref)
    const loading = this.#gate
      .run(() => (isLarge ? this.#context.largeLoads.run(read) : read()))
      .finally(() => this.#loading.delete(name))
    // Those who wait are told; when nobody does any more, nobody has to be.
    loading.catch(() => {})
    this.#loading.set(name, loading)
    return loading
  }

  async #read(name: string, ref: ShardRef): Promise<Shard> {
    const { clock, metrics } = this.#context
    const startedMs = clock.monotonicMs()
    const signal = AbortSignal.timeout(
      Math.ceil(limits.storeCallMs + ref.sizeBytes / bytesPerMsMin),
    )
    try {
      const shard = await readShard(this.#context, ref, signal)
      this.#kept.set(name, shard)
      metrics.shardLoads.inc({ outcome: 'loaded' })
      metrics.shardBytes.set(this.#kept.bytes)
      return shard
    } catch (error) {
      const isAway = error instanceof Unavailable || signal.aborted
      metrics.shardLoads.inc({ outcome: isAway ? 'interrupted' : 'unloadable' })
      if (isAway) throw away('A shard of this version cannot be read at present.')
      throw this.#remember(name, error)
    } finally {
      metrics.shardLoadSeconds.observe((clock.monotonicMs() - startedMs) / 1_000)
    }
  }

  /** What will not get better by reading it at every request. */
  #remember(name: string, error: unknown): unknown {
    const isDamage = error instanceof Damaged || error instanceof Missing
    if (!isDamage) return error
    const kind = error instanceof Damaged ? 'checksum' : 'missing'
    const why = new Refused(500, 'unloadable', `A shard of this version: ${kind}: ${error.message}`)
    const untilMs = this.#context.clock.monotonicMs() + bounds.damagedShardMs
    if (this.#damaged.size >= bounds.damagedShardsMax) this.#damaged.clear()
    this.#damaged.set(name, { why, untilMs })
    return why
  }

  async #inTime(loading: Promise<Shard>, patienceMs: number): Promise<Shard> {
    const over = new AbortController()
    const late = this.#context.clock.sleep(patienceMs, over.signal).then(
      () => {
        throw away('A shard of this version is being read; it takes its time.')
      },
      () => loading,
    )
    try {
      return await Promise.race([loading, late])
    } finally {
      over.abort()
      late.catch(() => {})
    }
  }
}

/** The shards whose keys, or some of them, are in one of the others that is in use. */
function sameRanges(
  from: ShardIndex,
  to: ShardIndex,
  isUsed: (ref: ShardRef) => boolean,
): readonly ShardRef[] {
  const used = new Set(from.shards.filter(isUsed))
  const begun = [...used].map(({ first }) => to.shards[shardOf(to, first)]!)
  const begins = to.shards.filter(({ first }) => used.has(from.shards[shardOf(from, first)]!))
  return [...new Set([...begun, ...begins])]
}

/** A store that is slower than 8 MB a second is as good as away. */
const bytesPerMsMin = 8_000

/** Blob ids are never used again; with the checksum no damaged index can name other content. */
const nameOf = ({ blob, sha256 }: ShardRef) => `${blob} ${sha256}`

async function readShard(
  { store }: ShardsContext,
  { blob, sha256 }: ShardRef,
  signal: AbortSignal,
): Promise<Shard> {
  const bytes = await store.readBlob({ kind: 'model', id: blob }, signal)
  const found = hash('sha256', bytes, 'hex')
  if (found !== sha256)
    throw new Damaged(`the stored bytes have ${found}, the index of the version ${sha256}`)
  const decoded = decodeShard(bytes)
  if (decoded.kind !== 'refused') return decoded.value
  throw new Damaged(`${decoded.reason.code}: ${decoded.reason.detail}`)
}

const away = (detail: string) => new Refused(503, 'store-away', detail, { retryAfterSeconds: 1 })
const busy = () =>
  new Refused(503, 'busy', 'Too many shards are being read.', { retryAfterSeconds: 1 })
