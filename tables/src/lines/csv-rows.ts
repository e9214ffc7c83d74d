import { csvRecords, takeApart } from './csv-records.ts'
import { makeLineReader } from './line-reader.ts'

/** A row of a CSV, or a line of it that is none. */
export type CsvRow =
  | { readonly line: number; readonly values: readonly string[] }
  | { readonly line: number; readonly fault: string }

export type CsvRows = {
  readonly header: readonly string[]
  /** All rows in their order, some at a time. */
  readonly rows: () => Generator<readonly CsvRow[], void>
}

/** A CSV in memory: UTF-8, commas, quotes. Or what is wrong with its first line. */
export function readCsv(bytes: Buffer): CsvRows | { readonly fault: string } {
  let header: readonly string[] | undefined
  let read: CsvRow[] = []
  const reject = (line: number, fault: string) => {
    read.push({ line, fault })
  }
  const begin = (names: readonly string[]) => {
    header = names
    return takeApart(',', (line, values) => {
      read.push({ line, values: values.map((value) => value ?? '') })
    })
  }
  const form = { delimiter: ',', quote: '"', multiline: true, header: null }
  const reader = makeLineReader(csvRecords(form, begin, reject), reject)
  let at = bytes.subarray(0, 3).equals(byteOrderMark) ? 3 : 0
  const step = () => {
    reader.push(bytes.subarray(at, at + pieceBytes))
    at += pieceBytes
    if (at >= bytes.length) reader.end()
  }
  do step()
  while (header === undefined && read.length === 0 && at < bytes.length)
  const [first] = read
  if (header === undefined)
    return { fault: first && 'fault' in first ? first.fault : 'there is no line in it' }
  if (first && 'fault' in first && first.line === 1) return { fault: first.fault }
  return {
    header,
    rows: function* () {
      for (;;) {
        const rows = read
        read = []
        yield rows
        if (at >= bytes.length) return
        step()
      }
    },
  }
}

const pieceBytes = 65_536
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])
