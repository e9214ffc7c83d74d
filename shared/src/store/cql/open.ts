import type { Store } from '../port.ts'
import { storeOver } from '../store.ts'
import { cqlBlobRows } from './blob-rows.ts'
import { CqlConnection } from './connection.ts'
import type { CqlStoreOptions } from './options.ts'
import { cqlRecordRows } from './record-rows.ts'

/**
 * The store of a cluster: ScyllaDB, Cassandra or another CQL database. Resolves at once, whether
 * the database is there or not; connecting and migrating go on in the background, and until they
 * are done calls wait, each up to its deadline. Throws a `RangeError` on settings that can never
 * work. A schema that a later release has made incompatible refuses every call with `NewerSchema`.
 */
export async function openCqlStore(options: CqlStoreOptions): Promise<Store> {
  checkOptions(options)
  const connection = new CqlConnection(options)
  const ping = { query: 'SELECT key FROM system.local', parameters: [], rowsMax: 1 } as const
  return storeOver(
    {
      ...cqlBlobRows(connection),
      ...cqlRecordRows(connection),
      ping: async (signal) => {
        await connection.execute({ ...ping, size: 'row' }, signal)
      },
      close: () => connection.close(),
    },
    options.clock,
  )
}

/** Names go into statements as they are, where parameters are not allowed. */
function checkOptions(options: CqlStoreOptions): void {
  const { contactPoints, localDataCenter, keyspace, replicationFactor = 1 } = options
  if (contactPoints.length === 0) throw new RangeError('no contact points')
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(keyspace))
    throw new RangeError(`keyspace ${JSON.stringify(keyspace)} is not a plain lower-case name`)
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(localDataCenter))
    throw new RangeError(`data centre ${JSON.stringify(localDataCenter)} is not a plain name`)
  if (!Number.isInteger(replicationFactor) || replicationFactor < 1 || replicationFactor > 100)
    throw new RangeError(`a replication factor of ${replicationFactor}`)
}
