import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { openLog, operationsOn } from './log-database.ts'
import type { LogAnswer, LogRequest } from './log-thread.ts'

/*
 * The thread that owns the log's file. It answers each request once, in the order of arrival; what
 * writes is answered when it is on disk.
 */

assert(parentPort, 'the log runs in a worker thread')
serve(parentPort, String(workerData))

function serve(port: NonNullable<typeof parentPort>, path: string): void {
  const say = (answer: LogAnswer) => port.postMessage(answer)
  const open = () => {
    const database = openLog(path)
    return { database, operations: operationsOn(database) }
  }
  const tell = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      say({ kind: 'failed', message: (error as Error).message })
      return undefined
    }
  }
  const opened = tell(open)
  if (opened === undefined) return
  const { database, operations } = opened
  port.on('message', (request: LogRequest) => {
    if (request === 'close') {
      database.close()
      port.close()
      return
    }
    tell(() => {
      const value: unknown = Reflect.apply(operations[request.name], undefined, request.args)
      say({ kind: 'done', value })
    })
  })
  say({ kind: 'done', value: undefined })
}
