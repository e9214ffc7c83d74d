import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { type Operations, operationsOn } from './operations.ts'
import { faultOf, type WorkerReply, type WorkerRequest } from './protocol.ts'
import { migrate } from './schema.ts'

/**
 * The thread that owns the database: SQLite blocks while it waits for the disk, and forecasts must
 * not wait with it. Takes one request after the other and answers each.
 */
assert(parentPort, 'the SQLite worker was started outside a worker thread')
serve(parentPort, String(workerData.path))

function serve(port: NonNullable<typeof parentPort>, path: string): void {
  const reply = (message: WorkerReply, transfer: ArrayBuffer[] = []) =>
    port.postMessage(message, transfer)
  let database: DatabaseSync
  let operations: Operations
  try {
    database = open(path)
    operations = operationsOn(database)
  } catch (error) {
    reply({ kind: 'refused', fault: faultOf(error) })
    return
  }
  port.on('message', (request: WorkerRequest) => {
    if (request === 'close') {
      database.close()
      port.close()
      return
    }
    const { id, name, args } = request
    try {
      const value: unknown = Reflect.apply(operations[name], undefined, args)
      reply({ kind: 'done', id, value }, buffersOf(value))
    } catch (error) {
      reply({ kind: 'failed', id, fault: faultOf(error) })
    }
  })
  reply({ kind: 'open' })
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 2_000 })
  // Pages of 16 KiB suit chunks; only a database that is still empty takes them on.
  database.exec('PRAGMA page_size = 16384')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('PRAGMA journal_size_limit = 67108864')
  migrate(database, path)
  return database
}

/** The buffers of chunks move to the caller's thread instead of being copied. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((row) => (row?.bytes instanceof Uint8Array ? [row.bytes.buffer] : []))
}
