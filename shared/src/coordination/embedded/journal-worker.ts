import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import type { Answer, Request } from './journal.ts'
import {
  appender,
  compact,
  failureOf,
  history,
  openDatabase,
  readMeta,
} from './journal-database.ts'

/*
 * The thread that owns the SQLite file. It answers each request once, in the order of arrival; an
 * `append` is answered when the changes are on disk.
 */

assert(parentPort, 'the journal runs in a worker thread')
const port = parentPort
const { path, newClusterId } = workerData as { path: string; newClusterId: string }

try {
  serve()
} catch (error) {
  sayFailed(error)
}

function serve(): void {
  const database = openDatabase(path, newClusterId)
  const append = appender(database)
  say({
    kind: 'opened',
    clusterId: readMeta(database, 'cluster-id'),
    compactedRevision: Number(readMeta(database, 'compacted-revision')),
  })
  for (const rows of history(database)) say({ kind: 'rows', rows })
  say({ kind: 'ready' })

  port.on('message', (request: Request) => {
    try {
      if (request.kind === 'close') {
        database.close()
        port.close()
        return
      }
      if (request.kind === 'compact') compact(database, request.revision)
      else append(request.rows)
      say({ kind: 'done' })
    } catch (error) {
      sayFailed(error)
    }
  })
}

function say(answer: Answer): void {
  port.postMessage(answer)
}

function sayFailed(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  say({ kind: 'failed', why: failureOf(error), message })
}
