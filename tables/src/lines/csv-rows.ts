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

/** Reads a CSV that comes in pieces, whatever their size; holds a piece and a record. */
export type CsvReader = {
  readonly push: (bytes: Buffer) => void
  readonly end: () => void
  /** What was read since it was asked for last. */
  readonly taken: () => readonly CsvRow[]
  /** Undefined as long as its line is not read, or what is wrong with that. */
  readonly header: () => readonly string[] | { readonly fault: string } | undefined
}

/** UTF-8, commas, quotes. */
export function makeCsvReader(): CsvReader {
  let header: readonly string[] | undefined
  let fault: string | undefined
  let read: CsvRow[] = []
  const reject = (line: number, reason: string) => {
    if (header === undefined) fault ??= reason
    read.push({ line, fault: reason })
  }
  const begin = (names: readonly string[]) => {
    header = names
    return takeApart(',', (line, values) => {
      read.push({ line, values: values.map((value) => value ?? '') })
    })
  }
  const form = { delimiter: ',', quote: '"', multiline: true, header: null }
  const reader = makeLineReader(csvRecords(form, begin, reject), reject)
  /** The first bytes, of which some may be a mark; undefined once they are read. */
  let head: Buffer | undefined = Buffer.alloc(0)
  const pushHead = () => {
    const bytes = head!
    head = undefined
    reader.push(bytes.subarray(0, 3).equals(byteOrderMark) ? bytes.subarray(3) : bytes)
  }
  return {
    push: (bytes) => {
      if (head === undefined) return reader.push(bytes)
      head = Buffer.concat([head, bytes])
      if (head.length >= byteOrderMark.length) pushHead()
    },
    end: () => {
      if (head !== undefined) pushHead()
      reader.end()
      if (header === undefined) fault ??= 'there is no line in it'
    },
    taken: () => {
      const rows = read
      read = []
      return rows
    },
    header: () => (fault === undefined ? header : { fault }),
  }
}

/** A CSV in memory: UTF-8, commas, quotes. Or what is wrong with its first line. */
export function readCsv(bytes: Buffer): CsvRows | { readonly fault: string } {
  const reader = makeCsvReader()
  let at = 0
  const step = () => {
    reader.push(bytes.subarray(at, at + pieceBytes))
    at += pieceBytes
    if (at >= bytes.length) reader.end()
  }
  do step()
  while (reader.header() === undefined && at < bytes.length)
  const header = reader.header()
  if (header === undefined || 'fault' in header) return header ?? { fault: 'it has no line' }
  return {
    header,
    rows: function* () {
      for (;;) {
        yield reader.taken()
        if (at >= bytes.length) return
        step()
      }
    },
  }
}

const pieceBytes = 65_536
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])
