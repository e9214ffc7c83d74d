import {
  Damaged,
  Missing,
  type ModelName,
  Refused,
  type ShardIndex,
  type VersionRecord,
} from '@almanac/shared'
import type { ShardIndexes } from './shard-indexes.ts'

/** The index of a stored version. Rejects with `Unavailable`; throws a 500 where it is of no use. */
export async function readIndex(
  indexes: Pick<ShardIndexes, 'read'>,
  of: ModelName,
  record: VersionRecord,
): Promise<ShardIndex> {
  try {
    return await indexes.read(record)
  } catch (error) {
    if (!(error instanceof Damaged || error instanceof Missing)) throw error
    const name = `Version ${record.version} of ${of.model}`
    throw new Refused(500, 'unloadable', `${name} cannot be read: ${error.message}`)
  }
}
