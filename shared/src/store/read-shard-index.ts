import { hash } from 'node:crypto'
import { Damaged } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { decodeShardIndex, type ShardIndex } from '../wire/shard-index.ts'
import type { Store } from './port.ts'

/** A version of many series that is stored, by what its record names. */
export type IndexRef = {
  readonly blob: string
  readonly sha256: string
  readonly sizeBytes: number
}

/** The index of a version's models. `Damaged` where it is not what the record says; see `Store`. */
export async function readShardIndex(
  store: Pick<Store, 'readBlob'>,
  { blob, sha256, sizeBytes }: IndexRef,
  signal: AbortSignal,
): Promise<ShardIndex> {
  if (sizeBytes > limits.shardIndexBytesMax)
    throw new Damaged(`an index of ${sizeBytes} bytes is more than there can be`)
  const bytes = await store.readBlob({ kind: 'model', id: blob }, signal)
  const found = hash('sha256', bytes, 'hex')
  if (found !== sha256)
    throw new Damaged(`the stored index has the checksum ${found}, the version ${sha256}`)
  const decoded = decodeShardIndex(bytes)
  if (!decoded.ok) throw new Damaged(`the index: ${decoded.fault}`)
  if (decoded.value.kind !== 'models') throw new Damaged('the index is not one of models')
  return decoded.value
}
