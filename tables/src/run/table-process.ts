import { lookAt } from '../infer/look.ts'
import { limits } from '../limits.ts'
import { DamagedFile } from '../lines/text.ts'
import { sparkEngine } from '../spark/engine.ts'
import { SparkFault } from '../spark/faults.ts'
import { sparkIntake } from '../spark/intake.ts'
import { openSparkSession, type SparkSession } from '../spark/session.ts'
import { type Database, duckdbIntake, openDatabase } from './database.ts'
import type { Engine, Intake } from './engine.ts'
import { fitRows } from './fit-rows.ts'
import { makeLoad, Refused } from './load.ts'
import type { FromChild, PartMessage, ShardMessage, TableJob, ToChild } from './protocol.ts'
import { workOn } from './work.ts'

/**
 * The process that DuckDB runs in, and that speaks to Spark. Whoever started it may end it at any
 * time; what it has in its folder is theirs to delete.
 */
let taken: () => void = () => {}
let session: SparkSession | undefined
const left = new AbortController()

process.on('message', (message: ToChild) => {
  if (message.kind === 'taken') taken()
  else if (message.kind === 'leave') leave()
  else
    void answerTo(message)
      .catch(told)
      .then((answer) => {
        if (process.connected) process.send?.(answer, () => process.disconnect())
      })
})
// Nobody is there to take the result.
process.on('disconnect', leave)

/** At once: an orderly end would wait for the query of DuckDB that is at work. */
function leave(): void {
  left.abort(new Error('nobody wants to know any more'))
  const end = () => {
    process.kill(process.pid, 'SIGKILL')
  }
  if (session === undefined) end()
  // Spark has to be told, or it goes on for nobody.
  setTimeout(end, limits.sparkLeaveMs)
  void session?.close().finally(end)
}

async function answerTo(
  message: Exclude<ToChild, { kind: 'taken' | 'leave' }>,
): Promise<FromChild> {
  if (message.kind === 'look')
    return { kind: 'looked', look: await lookAt(message.file, message.source) }
  if (message.kind === 'regress') {
    const onProgress = (fraction: number) => send({ kind: 'fitting', fraction })
    return { kind: 'regressed', fitted: await fitRows(message.job, onProgress) }
  }
  const { job } = message
  const db = await openDatabase(job)
  try {
    const { engine, intake } = await openEngine(job, db)
    const summary = await workOn(job, engine, makeLoad(db, intake), {
      progress: (progress) => send({ kind: 'progress', progress }),
      shard: handOver,
    })
    return { kind: 'done', summary }
  } finally {
    await session?.close()
  }
}

async function openEngine(
  { spark, folder }: TableJob,
  db: Database,
): Promise<{ readonly engine: Engine; readonly intake: Intake }> {
  if (spark === null) return { engine: db, intake: duckdbIntake(db) }
  session = await openSparkSession(spark, left.signal)
  // Before the file is read: where Spark is not there, that would be for nothing.
  const engine = await sparkEngine(session, spark.url)
  const put = (file: string) => handOver({ kind: 'part', file })
  return { engine, intake: sparkIntake(db, engine, { folder, url: spark.url, put }) }
}

/** One at a time. */
function handOver(message: ShardMessage | PartMessage): Promise<void> {
  return new Promise((resolve) => {
    taken = resolve
    send(message)
  })
}

function send(message: FromChild): void {
  process.send?.(message)
}

/** What went wrong, as far as somebody can do something about it. */
function told(error: unknown): FromChild {
  if (error instanceof Refused) return { kind: 'refused', faults: error.faults }
  const { message } = error as Error
  const refused = (detail: string, remedy: string): FromChild => {
    return { kind: 'refused', faults: [{ field: '', detail, remedy }] }
  }
  if (error instanceof SparkFault) return ofSpark(error)
  if (error instanceof DamagedFile) return refused(message, 'Send the file again.')
  if (/^Invalid Input Error.*(parquet|magic bytes)/is.test(message))
    return refused('It is no whole Parquet file.', 'Send the file again.')
  if (message.startsWith('Out of Memory Error'))
    return refused(
      `The table does not fit in the memory that it was given: ${message.split('\n')[0]}.`,
      'Give more memory, or cut the table into files of fewer series.',
    )
  return { kind: 'failed', detail: message }
}

function ofSpark({ kind, message: detail }: SparkFault): FromChild {
  switch (kind) {
    case 'lost':
    case 'away':
      return { kind: 'away', detail }
    case 'refused': {
      const remedy = 'Check that it is Spark 4, and that it sees the place of the parts.'
      return { kind: 'refused', faults: [{ field: '', detail, remedy }] }
    }
    case 'failed':
      return { kind: 'failed', detail }
  }
}
