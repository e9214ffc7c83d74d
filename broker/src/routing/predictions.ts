import {
  codec,
  limits,
  type ModelName,
  PredictReply,
  predictionsPath,
  type UnpredictedRow,
} from '@almanac/shared'
import type { AskShard, ShardCourse, VersionAsk } from './ask-shard.ts'
import type { Errand } from './try-nodes.ts'

/** Rows as texts, each with a cell for each of the columns of the question. */
export type Cells = readonly (string | null)[]

/** What is known of a row: a number, or why there is none. */
export type Prediction = number | UnpredictedRow

export type RowsAsk = ModelName & {
  readonly version: number
  readonly columns: readonly string[]
}

type Course = Pick<ShardCourse, 'requestId' | 'signal' | 'patienceMs'>

/**
 * Predictions of some rows, in their order, in as many orders as that takes, one after the other.
 * Any node will do, and another one when one goes: versions do not change. Throws `Refused` where
 * none answers in time.
 */
export async function predictRows(
  askShard: AskShard,
  ask: RowsAsk,
  rows: readonly Cells[],
  course: Course,
): Promise<readonly Prediction[]> {
  const predictions: Prediction[] = []
  for (let from = 0; from < rows.length; ) {
    const to = endOfOrder(rows, from)
    const part = { ...ask, rows: rows.slice(from, to) }
    predictions.push(...(await askShard(errand, part, { ...course, text: undefined })))
    from = to
  }
  return predictions
}

/** At least one row, and not more than an order takes. */
function endOfOrder(rows: readonly Cells[], from: number): number {
  let characters = 0
  let to = from
  do {
    for (const cell of rows[to]!) characters += cell?.length ?? 0
    to += 1
  } while (
    to < rows.length &&
    to - from < limits.predictedRowsMax &&
    characters < limits.predictedBytesMax
  )
  return to
}

type Part = VersionAsk & Pick<RowsAsk, 'columns'> & { readonly rows: readonly Cells[] }

const replies = codec(PredictReply)

const errand: Errand<Part, readonly Prediction[]> = {
  path: predictionsPath,
  body: ({ columns, rows }) => JSON.stringify({ columns, rows }),
  read: ({ rows }, _version, { body }) => {
    const reply = replies.decode(body.toString('utf8'))
    if (!reply.ok || reply.value.predictions.length !== rows.length) return undefined
    return reply.value.predictions
  },
  isLong: true,
}
