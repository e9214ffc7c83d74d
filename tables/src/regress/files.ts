import { limits } from '../limits.ts'
import { type CsvForm, csvRecords, takeApart } from '../lines/csv-records.ts'
import { makeLineReader, type RejectLine } from '../lines/line-reader.ts'
import { type Encoding, openText } from '../lines/text.ts'
import { makeCsvWriter } from '../run/csv-writer.ts'
import { makePredict, type RegressionModel } from './pipeline.ts'
import type { RegressionRow } from './spec.ts'

export type RegressionFile = { readonly file: string; readonly encoding: Encoding } & CsvForm

/** The rows of a CSV file to fit on, a million at most; lines that are no rows are left out. */
export async function readRegressionRows(from: RegressionFile): Promise<readonly RegressionRow[]> {
  const rows: RegressionRow[] = []
  const take = (_line: number, row: RegressionRow) => {
    if (rows.length < limits.regressionRowsMax) rows.push(row)
  }
  await eachRow(from, { begin: () => {}, take, reject: () => {} })
  return rows
}

type Predicted = { readonly predicted: number; readonly unpredicted: number }

/**
 * Predicts the rows of a CSV file into another one: the columns of the first, the prediction, and
 * for each row without one the reason. Rows stay in their order, and none is left out.
 */
export async function predictFile(
  model: RegressionModel,
  from: RegressionFile,
  out: string,
): Promise<Predicted> {
  const predict = makePredict(model)
  const counts = { predicted: 0, unpredicted: 0 }
  let columns: readonly string[] = []
  let writer: ReturnType<typeof makeCsvWriter> | undefined
  const begin = (header: readonly string[]) => {
    columns = header
    writer = makeCsvWriter(out, ['line', ...header, 'prediction', 'reason'])
  }
  const write = (line: number, row: RegressionRow, prediction: number | null, reason: string) => {
    counts[prediction === null ? 'unpredicted' : 'predicted'] += 1
    writer?.row([line, ...columns.map((name) => row.get(name)), prediction, reason])
  }
  const take = (line: number, row: RegressionRow) => {
    const found = predict(row)
    if (typeof found === 'number') write(line, row, found, '')
    else write(line, row, null, `${found.column}: ${found.reason}`)
  }
  const reject: RejectLine = (line, reason) => write(line, new Map(), null, reason)
  await eachRow(from, { begin, take, reject })
  writer?.close()
  return counts
}

type Visitor = {
  readonly begin: (header: readonly string[]) => void
  readonly take: (line: number, row: RegressionRow) => void
  readonly reject: RejectLine
}

async function eachRow(from: RegressionFile, { begin, take, reject }: Visitor): Promise<void> {
  const rows = (header: readonly string[]) => {
    begin(header)
    return takeApart(from.delimiter, (line, values) =>
      take(line, new Map(header.map((name, i) => [name, values[i] ?? null]))),
    )
  }
  const reader = makeLineReader(csvRecords(from, rows, reject), reject)
  const { chunks } = await openText(from.file, from.encoding)
  for await (const chunk of chunks) reader.push(chunk)
  reader.end()
}
