import {
  assert,
  type Clock,
  type ClusterState,
  type ModelName,
  modelId,
  readShardIndex,
  type ShardIndex,
  type Store,
  shardOf,
  type VersionRecord,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'

/** The indexes of versions of many series, read from the store when they are needed. */
export type ShardIndexes = {
  /** Rejects with `Unavailable`, or `Damaged` or `Missing` where the stored index is of no use. */
  readonly read: (record: VersionRecord) => Promise<ShardIndex>
  /**
   * What nodes have an order for where this series is asked for. Undefined where the version is of
   * one series or not known here, and while its index is not to be had: any node can answer.
   */
  readonly shardOf: (of: ModelName, version: number, series: string) => Promise<string | undefined>
  readonly bytes: () => number
}

type Parts = {
  readonly store: Pick<Store, 'readBlob'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly state: () => ClusterState
  readonly bounds: Pick<
    Bounds,
    'storeCallMs' | 'shardIndexesBytesMax' | 'shardIndexPatienceMs' | 'shardIndexRestMs'
  >
}

/**
 * By this text nodes are ordered for a shard: of all versions alike, so that an update finds much
 * of what it needs where it was before.
 */
export const shardText = (of: ModelName, index: ShardIndex, shard: number) =>
  `${modelId(of)} ${index.shards[shard]!.first}`

export function createShardIndexes(parts: Parts): ShardIndexes {
  const { clock, bounds } = parts
  const kept = createKept(bounds.shardIndexesBytesMax)
  const reading = new Map<string, Promise<ShardIndex>>()
  const failed = new Map<string, { readonly error: unknown; readonly untilMs: number }>()

  const begin = (name: string, record: VersionRecord) => {
    const { blob, sha256, sizeBytes } = record
    assert(blob && sha256 && sizeBytes !== null, 'only stored versions have an index')
    const signal = AbortSignal.timeout(bounds.storeCallMs)
    const work = readShardIndex(parts.store, { blob, sha256, sizeBytes }, signal)
      .then((index) => {
        kept.set(name, { index, sizeBytes })
        return index
      })
      .catch((error) => {
        if (failed.size >= failedMax) failed.clear()
        failed.set(name, { error, untilMs: clock.monotonicMs() + bounds.shardIndexRestMs })
        throw error
      })
      .finally(() => reading.delete(name))
    reading.set(name, work)
    return work
  }
  const read = async (record: VersionRecord) => {
    const name = `${record.blob} ${record.sha256}`
    const known = kept.get(name)
    if (known) return known
    const failure = failed.get(name)
    if (failure && failure.untilMs > clock.monotonicMs()) throw failure.error
    return await (reading.get(name) ?? begin(name, record))
  }
  return {
    read,
    shardOf: async (of, version, series) => {
      const record = parts.state().versions.get(modelId(of))?.get(version)?.value
      if (record?.series === undefined || record.state !== 'stored') return undefined
      const index = await inTime(read(record), bounds.shardIndexPatienceMs)
      return index && shardText(of, index, shardOf(index, series))
    },
    bytes: kept.bytes,
  }
}

/** Failures of that many versions are remembered. */
const failedMax = 1_000

/** Undefined where it is late or failed. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ms)
    const end = (value: T | undefined) => {
      clearTimeout(timer)
      resolve(value)
    }
    work.then(end, () => end(undefined))
  })
}

type Entry = { readonly index: ShardIndex; readonly sizeBytes: number }

/** The latest used, by what they have in the store; the last one stays, however large it is. */
function createKept(bytesMax: number) {
  const entries = new Map<string, Entry>()
  let bytes = 0
  return {
    get: (name: string): ShardIndex | undefined => {
      const entry = entries.get(name)
      if (entry === undefined) return undefined
      entries.delete(name)
      entries.set(name, entry)
      return entry.index
    },
    set: (name: string, entry: Entry): void => {
      entries.set(name, entry)
      bytes += entry.sizeBytes
      for (const [oldest, { sizeBytes }] of entries) {
        if (bytes <= bytesMax || entries.size === 1) break
        entries.delete(oldest)
        bytes -= sizeBytes
      }
    },
    bytes: () => bytes,
  }
}
