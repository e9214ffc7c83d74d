import { hash } from 'node:crypto'
import {
  encodeShardIndex,
  encodeTableSource,
  type ShardRef,
  type Store,
  type VersionRecord,
} from '@almanac/shared'

/** What a fit is made of: one series, many in shards in the order of their keys, or a table. */
export type FitData = OneSeries | ManySeries | Table

type OneSeries = {
  readonly kind: 'one'
  readonly observations: number
  readonly dataset: Uint8Array<ArrayBuffer>
}

export type ManySeries = {
  readonly kind: 'many'
  readonly series: number
  readonly observations: number
  readonly shards: readonly DataShard[]
}

/** Of which a node makes series. */
type Table = {
  readonly kind: 'table'
  readonly file: string
  /** As the client gave it, and checked. */
  readonly recipe: unknown
}

/** A shard of data, ready to be stored. */
export type DataShard = {
  readonly first: string
  readonly series: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Where data is in the store, as a version tells it. */
export type StoredData = {
  readonly dataset: { readonly blob: string; readonly observations: number }
  /** Of many series. */
  readonly many?: { readonly series: number; readonly shards: number }
  readonly table?: NonNullable<VersionRecord['table']>
}

/** Each waits for the store, which serves many at a time. */
const writesAtOnce = 4

type Parts = { readonly store: Store; readonly mintId: () => string }

/** Writes what a fit is made of. Rejects with `Unavailable`; what was written then is garbage. */
export async function storeData(
  { store, mintId }: Parts,
  label: string,
  data: FitData,
  signal: AbortSignal,
): Promise<StoredData> {
  const write = async (content: Uint8Array) => {
    const id = mintId()
    await store.writeBlob({ kind: 'dataset', id, label, content }, signal)
    return id
  }
  if (data.kind === 'table') {
    const { file, recipe } = data
    const source = await write(encodeTableSource({ format: 1, file, recipe }))
    const table = { file, source, report: null, rejects: null }
    return { dataset: { blob: source, observations: 0 }, table }
  }
  const { observations } = data
  if (data.kind === 'one') return { dataset: { blob: await write(data.dataset), observations } }
  const writeShard = async ({ first, series, bytes }: DataShard): Promise<ShardRef> => {
    const sha256 = hash('sha256', bytes, 'hex')
    return { first, blob: await write(bytes), sha256, sizeBytes: bytes.byteLength, series }
  }
  const shards: ShardRef[] = []
  for (let from = 0; from < data.shards.length; from += writesAtOnce)
    shards.push(
      ...(await Promise.all(data.shards.slice(from, from + writesAtOnce).map(writeShard))),
    )
  const blob = await write(encodeShardIndex({ format: 1, kind: 'data', shards }))
  return {
    dataset: { blob, observations },
    many: { series: data.series, shards: shards.length },
  }
}
