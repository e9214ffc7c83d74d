import { lookAt } from '../infer/look.ts'
import { DamagedFile } from '../lines/text.ts'
import { openDatabase } from './database.ts'
import { fitRows } from './fit-rows.ts'
import { Refused } from './load.ts'
import type { FromChild, ToChild } from './protocol.ts'
import { workOn } from './work.ts'

/**
 * The process that DuckDB runs in. Whoever started it may end it at any time; what it has in its
 * folder is theirs to delete.
 */
let taken: () => void = () => {}

process.on('message', (message: ToChild) => {
  if (message.kind === 'taken') taken()
  else
    void answerTo(message)
      .catch(told)
      .then((answer) => process.send?.(answer, () => process.disconnect()))
})
// Nobody is there to take the result.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

async function answerTo(message: Exclude<ToChild, { kind: 'taken' }>): Promise<FromChild> {
  if (message.kind === 'look')
    return { kind: 'looked', look: await lookAt(message.file, message.source) }
  if (message.kind === 'regress') {
    const onProgress = (fraction: number) => send({ kind: 'fitting', fraction })
    return { kind: 'regressed', fitted: await fitRows(message.job, onProgress) }
  }
  const { job } = message
  const db = await openDatabase(job)
  const summary = await workOn(job, db, {
    progress: (progress) => send({ kind: 'progress', progress }),
    shard: (shard) =>
      new Promise((resolve) => {
        taken = resolve
        send(shard)
      }),
  })
  return { kind: 'done', summary }
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
  if (error instanceof DamagedFile) return refused(message, 'Send the file again.')
  if (/^Invalid Input Error.*(parquet|magic bytes)/is.test(message))
    return refused(`It is no whole Parquet file: ${message}.`, 'Send the file again.')
  if (message.startsWith('Out of Memory Error'))
    return refused(
      `The table does not fit in the memory that it was given: ${message.split('\n')[0]}.`,
      'Give more memory, or cut the table into files of fewer series.',
    )
  return { kind: 'failed', detail: message }
}
