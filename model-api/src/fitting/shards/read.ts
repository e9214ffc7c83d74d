import { hash } from 'node:crypto'
import { type BlobRef, Damaged, decodeShardIndex, type ShardIndex } from '@almanac/shared'

type Read = (ref: BlobRef) => Promise<Uint8Array>

/** The index of a data set of shards. Rejects with `Damaged` where it is none. */
export async function readDataIndex(read: Read, blob: string): Promise<ShardIndex> {
  const index = decodeShardIndex(await read({ kind: 'dataset', id: blob }))
  if (!index.ok) throw new Damaged(`The index of the data set cannot be read: ${index.fault}`)
  if (index.value.kind === 'data') return index.value
  throw new Damaged(`The index of the data set is one of ${index.value.kind}.`)
}

/** The bytes of a shard of data. Rejects with `Damaged` where they are not those that were meant. */
export async function readShardData(
  read: Read,
  { shards }: ShardIndex,
  shard: number,
): Promise<Uint8Array> {
  const ref = shards[shard]
  if (ref === undefined) throw new Damaged(`The data set has no shard ${shard}.`)
  const bytes = await read({ kind: 'dataset', id: ref.blob })
  const sha256 = hash('sha256', bytes, 'hex')
  if (sha256 === ref.sha256) return bytes
  throw new Damaged(`Shard ${shard} of the data set has SHA-256 ${sha256}, not ${ref.sha256}.`)
}
