import type { Outcome } from '../fault.ts'
import { type CsvForm, csvRecords, takeApart } from '../lines/csv-records.ts'
import { makeLineReader, type RejectLine } from '../lines/line-reader.ts'
import { type Encoding, openText } from '../lines/text.ts'
import { makeCollector, type Training } from './collect.ts'
import type { RegressionSpec } from './spec.ts'

export type RegressionFile = { readonly file: string; readonly encoding: Encoding } & CsvForm

/** The rows of a CSV file to fit on; lines that are no rows are left out. */
export async function readTraining(
  spec: RegressionSpec,
  from: RegressionFile,
): Promise<Outcome<Training>> {
  const collector = makeCollector(spec)
  let isFull = false
  const rows = (header: readonly string[]) =>
    takeApart(from.delimiter, (_line, values) => {
      if (isFull) return
      isFull = collector.add(new Map(header.map((name, i) => [name, values[i] ?? null]))) === 'full'
    })
  const leaveOut: RejectLine = () => {}
  const reader = makeLineReader(csvRecords(from, rows, leaveOut), leaveOut)
  const { chunks } = await openText(from.file, from.encoding)
  for await (const chunk of chunks) {
    reader.push(chunk)
    if (isFull) return collector.end()
  }
  reader.end()
  return collector.end()
}
