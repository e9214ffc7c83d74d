import { Refused } from '@almanac/shared'
import {
  answeredHeader,
  answeredRow,
  type CsvRow,
  type CsvRows,
  lackOf,
  noHeader,
  readCsv,
} from '@almanac/tables/regress'
import { type Cells, type Prediction, predictRows } from '../../routing/predictions.ts'
import type { ApiParts } from '../parts.ts'
import { countRows } from './count-rows.ts'
import type { PredictionCourse } from './question.ts'

/** Columns that are needed and none of a header, made of others that are. */
export type Derive = (
  header: readonly string[],
  columns: readonly string[],
) => ReadonlyMap<string, (values: readonly string[]) => string>

/** Rows, and where in each the columns of a question are. */
export type Questions = CsvRows & { readonly cellsOf: (values: readonly string[]) => Cells }

/** The rows of a CSV, which has all columns that are needed. Throws a 422 that names what lacks. */
export function readQuestions(
  bytes: Buffer,
  columns: readonly string[],
  derive: Derive,
): Questions {
  const read = readCsv(bytes)
  if ('fault' in read) throw refusalOf(noHeader(read.fault))
  const derived = derive(read.header, columns)
  const has = (name: string) => read.header.includes(name) || derived.has(name)
  const lack = lackOf(read.header, columns, has)
  if (lack) throw refusalOf(lack)
  const cells = columns.map((name) => {
    const place = read.header.indexOf(name)
    return place < 0 ? derived.get(name)! : (values: readonly string[]) => values[place]
  })
  return { ...read, cellsOf: (values) => cells.map((cellOf) => cellOf(values) || null) }
}

const refusalOf = ({ code, detail, remedy }: ReturnType<typeof noHeader>) =>
  new Refused(422, code, detail, { remedy })

/**
 * The same rows in their order, each with its prediction or the reason for none, as text, some at a
 * time; while some are taken the next ones are asked for. Throws `Refused` where no node goes on.
 */
export async function* answeredRows(
  { askShard, bounds, metrics }: Pick<ApiParts, 'askShard' | 'bounds' | 'metrics'>,
  { ask, requestId, signal }: PredictionCourse,
  { header, rows, cellsOf }: Questions,
): AsyncGenerator<string> {
  const answer = async (some: readonly CsvRow[], patienceMs: number) => {
    const asked = some.flatMap((row) => ('values' in row ? [cellsOf(row.values)] : []))
    const found = await predictRows(askShard, ask, asked, { requestId, signal, patienceMs })
    countRows(metrics, found, some.length - asked.length)
    return textOf(some, found, header.length)
  }
  const begin = (patienceMs: number) => {
    const { value } = pieces.next()
    const answered = value && answer(value, patienceMs)
    // Who takes them is told when it is their turn.
    answered?.catch(() => {})
    return answered
  }
  const pieces = rows()
  let ahead = begin(bounds.nodeWaitMs)
  let text = answeredHeader(header)
  while (ahead !== undefined) {
    text += await ahead
    ahead = begin(bounds.streamPatienceMs)
    if (text !== '') yield text
    text = ''
  }
  if (text !== '') yield text
}

function textOf(rows: readonly CsvRow[], found: readonly Prediction[], width: number): string {
  let text = ''
  let next = 0
  for (const row of rows)
    text += answeredRow(row, width, 'fault' in row ? undefined : found[next++])
  return text
}
