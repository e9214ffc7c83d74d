import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import type { Store } from '../port.ts'
import type { Rows } from '../rows.ts'
import { storeOver } from '../store.ts'
import { WorkerHost } from './worker-host.ts'

export type SqliteStoreOptions = {
  /** The database file; its folder is made when it is not there. */
  readonly path: string
  /** For one call, its wait included. Default `limits.storeCallMs`. */
  readonly callTimeoutMs?: number
  readonly clock?: Pick<Clock, 'wallTime'>
}

/**
 * The store of one machine: an SQLite file behind a thread of its own. What was acknowledged
 * survives the process and the power (WAL, synchronous=FULL). Several processes may open the same
 * file. Rejects with `NewerSchema` on a file of a later release.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  await mkdir(dirname(options.path), { recursive: true })
  const host = new WorkerHost(options.path, options.callTimeoutMs ?? limits.storeCallMs)
  await host.start()
  return storeOver(sqliteRows(host), options.clock)
}

export function sqliteRows(host: WorkerHost): Rows {
  return {
    begin: (upload, signal) => host.call('begin', [upload], signal),
    putChunks: ({ kind, id }, chunks, signal) => {
      const transfer = chunks.map((chunk) => chunk.bytes.buffer)
      return host.call('putChunks', [{ kind, id }, chunks], signal, transfer)
    },
    finish: ({ kind, id }, manifest, signal) =>
      host.call('finish', [{ kind, id }, manifest], signal),
    find: ({ kind, id }, signal) => host.call('find', [{ kind, id }], signal),
    getChunks: ({ kind, id }, from, count, signal) =>
      host.call('getChunks', [{ kind, id }, from, count], signal),
    list: (kind, after, limit, signal) => host.call('list', [kind, after, limit], signal),
    remove: ({ kind, id }, signal) => host.call('remove', [{ kind, id }], signal),
    putRecord: (record, signal) => host.call('putRecord', [record], signal),
    getRecord: (ref, signal) => host.call('getRecord', [ref], signal),
    listRecords: (scope, after, limit, signal) =>
      host.call('listRecords', [scope, after, limit], signal),
    deleteRecord: (ref, signal) => host.call('deleteRecord', [ref], signal),
    ping: (signal) => host.call('ping', [], signal),
    close: () => host.close(),
  }
}
