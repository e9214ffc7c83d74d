import type { types } from 'cassandra-driver'
import type { StoredRecord } from '../port.ts'
import type { Rows } from '../rows.ts'
import { bucketsAtOnce, gather } from './buckets.ts'
import type { CqlConnection, Statement } from './connection.ts'

type RecordRows = Pick<Rows, 'putRecord' | 'getRecord' | 'listRecords' | 'deleteRecord'>

/**
 * Ids that share this many characters share a partition: a thousand version numbers of twelve
 * digits, or a minute of time-ordered ids. Any beginning of a text keeps the order of the texts.
 */
const bucketCharacters = 9

/** Records in CQL: newest partition first, newest id first within it. */
export function cqlRecordRows(connection: CqlConnection): RecordRows {
  const sql = recordQueries(connection.keyspace)
  const nowUs = ascendingUs()
  const run = (
    query: string,
    parameters: readonly unknown[],
    signal: AbortSignal,
    more: Partial<Statement> = {},
  ) => connection.execute({ query, parameters, rowsMax: 1, size: 'row', ...more }, signal)
  return {
    putRecord: async ({ collection, scope, id, value }, signal) => {
      const timestampUs = nowUs()
      const bucket = bucketOf(id)
      await run(sql.putBucket, [collection, scope, bucket], signal, { timestampUs })
      await run(sql.put, [collection, scope, bucket, id, value], signal, { timestampUs })
    },
    getRecord: async ({ collection, scope, id }, signal) => {
      const [row] = await run(sql.get, [collection, scope, bucketOf(id), id], signal)
      return row && recordRow(collection, scope, row)
    },
    listRecords: async ({ collection, scope }, after, limit, signal) => {
      const next = async (bucket: string | null) => {
        const from = bucket ?? (after === null ? null : bucketOf(after))
        const key = [collection, scope, ...(from === null ? [] : [from])]
        const query = bucket === null ? sql.bucketsUpTo : sql.bucketsBefore
        const statement = from === null ? sql.buckets : query
        const rows = await run(statement, key, signal, { rowsMax: bucketsAtOnce })
        return rows.map((row) => String(row.bucket))
      }
      return await gather(limit, next, async (bucket, count) => {
        const key = [collection, scope, bucket, ...(after === null ? [] : [after]), count]
        const query = after === null ? sql.list : sql.listBefore
        const rows = await run(query, key, signal, { rowsMax: count })
        return rows.map((row) => recordRow(collection, scope, row))
      })
    },
    deleteRecord: async ({ collection, scope, id }, signal) => {
      const key = [collection, scope, bucketOf(id), id]
      await run(sql.remove, key, signal, { timestampUs: nowUs() })
    },
  }
}

function recordQueries(keyspace: string) {
  const partition = 'collection = ? AND scope = ? AND bucket = ?'
  const buckets = `SELECT bucket FROM ${keyspace}.record_buckets WHERE collection = ? AND scope = ?`
  const rows = `SELECT id, value FROM ${keyspace}.records WHERE ${partition}`
  return {
    putBucket: `INSERT INTO ${keyspace}.record_buckets (collection, scope, bucket)
                VALUES (?, ?, ?)`,
    put: `INSERT INTO ${keyspace}.records (collection, scope, bucket, id, value)
          VALUES (?, ?, ?, ?, ?)`,
    get: `${rows} AND id = ?`,
    buckets: `${buckets} LIMIT ${bucketsAtOnce}`,
    bucketsUpTo: `${buckets} AND bucket <= ? LIMIT ${bucketsAtOnce}`,
    bucketsBefore: `${buckets} AND bucket < ? LIMIT ${bucketsAtOnce}`,
    list: `${rows} LIMIT ?`,
    listBefore: `${rows} AND id < ? LIMIT ?`,
    remove: `DELETE FROM ${keyspace}.records WHERE ${partition} AND id = ?`,
  }
}

function bucketOf(id: string): string {
  return id.slice(0, bucketCharacters)
}

/** Timestamps that ascend; fixed before the first attempt, so that a repeat is the same write. */
function ascendingUs(): () => number {
  let lastUs = 0
  return () => {
    lastUs = Math.max(lastUs + 1, Date.now() * 1_000)
    return lastUs
  }
}

function recordRow(collection: string, scope: string, row: types.Row): StoredRecord {
  return { collection, scope, id: String(row.id), value: String(row.value) }
}
