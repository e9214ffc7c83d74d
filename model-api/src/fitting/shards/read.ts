import {
  type BlobRef,
  Damaged,
  decodeShardIndex,
  type ShardIndex,
  shardOf,
  type VersionRecord,
} from '@almanac/shared'
import { bounds } from '../../config/bounds.ts'
import { ByteCache } from '../../serving/byte-cache.ts'
import { checked } from '../checked.ts'

type Read = (ref: BlobRef) => Promise<Uint8Array>
type Base = NonNullable<VersionRecord['base']>

/** The index of a data set of shards. Rejects with `Damaged` where it is none. */
export async function readDataIndex(read: Read, blob: string): Promise<ShardIndex> {
  return indexOf('data', await read({ kind: 'dataset', id: blob }), 'the data set')
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
  return checked(bytes, ref.sha256, `Shard ${shard} of the data set`)
}

/** The index of the version that an update goes on from. Rejects with `Damaged`, too. */
export async function readBaseIndex(read: Read, base: Base): Promise<ShardIndex> {
  const { blob, sha256, version } = base
  const name = `version ${version}, the base`
  const bytes = checked(await read({ kind: 'model', id: blob }), sha256, `The index of ${name},`)
  return indexOf('models', bytes, name)
}

/**
 * Indexes of the jobs that are under way, so that they are not read again at each shard. A blob
 * never changes; what is not kept for long is read again.
 */
export class KeptIndexes {
  readonly #kept = new ByteCache<ShardIndex>(bounds.fitIndexesBytes, sizeOf)

  async data(read: Read, blob: string): Promise<ShardIndex> {
    return await this.#get(`data ${blob}`, () => readDataIndex(read, blob))
  }

  async base(read: Read, base: Base): Promise<ShardIndex> {
    return await this.#get(`base ${base.blob} ${base.sha256}`, () => readBaseIndex(read, base))
  }

  async #get(name: string, readIt: () => Promise<ShardIndex>): Promise<ShardIndex> {
    const known = this.#kept.get(name)
    if (known) return known
    const index = await readIt()
    this.#kept.set(name, index)
    return index
  }
}

/** In memory, about: keys, ids and the objects around them. */
const sizeOf = ({ shards }: ShardIndex) =>
  shards.reduce((sum, { first }) => sum + 2 * first.length + 800, 0)

/** The bytes of the shard of a base that a key is in, or would be. Rejects with `Damaged`, too. */
export async function readBaseShard(
  read: Read,
  index: ShardIndex,
  base: Base,
  key: string,
): Promise<Uint8Array> {
  const number = shardOf(index, key)
  const { blob, sha256 } = index.shards[number]!
  const bytes = await read({ kind: 'model', id: blob })
  return checked(bytes, sha256, `Shard ${number} of version ${base.version}, the base,`)
}

function indexOf(kind: ShardIndex['kind'], bytes: Uint8Array, name: string): ShardIndex {
  const index = decodeShardIndex(bytes)
  if (!index.ok) throw new Damaged(`The index of ${name} cannot be read: ${index.fault}`)
  if (index.value.kind === kind) return index.value
  throw new Damaged(`The index of ${name} is one of ${index.value.kind}.`)
}
