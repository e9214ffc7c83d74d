import { isUtf8 } from 'node:buffer'
import { limits } from '../limits.ts'
import { type RejectLine, type TakeRecord, textOf } from './line-reader.ts'
import type { Rows } from './pieces.ts'

export type CsvForm = {
  readonly delimiter: string
  readonly quote: string | null
  /** Whether a quoted field may hold line breaks. */
  readonly multiline: boolean
  /** The names of the columns when the first line does not say them. */
  readonly header: readonly string[] | null
}

/**
 * Reads the records of CSV (RFC 4180) far enough to know that each has as many fields as there are
 * columns, and copies them. Without `multiline` a quote that is open at the end of a line was never
 * closed; with it, one that does not close within some lines, or where a field cannot end. In each
 * case its line is rejected, alone, and the next line is read as if it had not been there.
 */
export function csvRecords(
  form: CsvForm,
  begin: (header: readonly string[]) => Rows,
  reject: RejectLine,
): TakeRecord {
  const delimiter = form.delimiter.charCodeAt(0)
  const quote = form.quote === null ? -1 : form.quote.charCodeAt(0)
  const scan = (bytes: Buffer, from: number, to: number) =>
    scanRecord(bytes, from, to, delimiter, quote)
  let columns = form.header?.length ?? 0
  let rows = form.header === null ? undefined : begin(form.header)

  return (bytes, from, to, line, isEnd) => {
    let found = scan(bytes, from, to)
    if (found.fault === 'open' && form.multiline) {
      const limit = Math.min(bytes.length, from + limits.recordBytesMax)
      const longer = scan(bytes, from, limit)
      if (longer.end === limit && limit === bytes.length && !isEnd) return -1
      if (longer.fault === undefined && isText(bytes.subarray(from, longer.end))) found = longer
      else found = { ...longer, fault: 'open' }
    }
    const { fault, end, fields, isPlain } = found
    if (fault !== undefined) {
      reject(line, faults[fault], textOf(bytes, from, to))
      return to
    }
    if (rows === undefined) {
      const names = fieldsOf(bytes, from, end, delimiter, quote)
      columns = names.length
      rows = begin(headerOf(names))
    } else if (fields !== columns) {
      reject(line, `it has ${fields} fields, not ${columns}`, textOf(bytes, from, to))
      return to
    } else if (isPlain) rows.copy(line, bytes, from, end)
    else rows.write(line, fieldsOf(bytes, from, end, delimiter, quote))
    return end
  }
}

/** Takes records apart where no database does. */
export function takeApart(delimiter: string, write: Rows['write']): Rows {
  const copy: Rows['copy'] = (line, bytes, from, to) =>
    write(line, fieldsOf(bytes, from, to, delimiter.charCodeAt(0), doubleQuote))
  return { write, copy }
}

/** Keeps the first rows in memory, as their values. */
export function collectRows(delimiter: string, most: number) {
  const rows: (readonly (string | null)[])[] = []
  const taken = takeApart(delimiter, (_line, values) => {
    if (rows.length < most) rows.push(values)
  })
  return { rows, ...taken }
}

const faults = {
  open: 'a quote is opened and not closed',
  broken: 'there is text after a closing quote',
}

type Scan = {
  fault: 'open' | 'broken' | undefined
  /** Where the record ends, before its line break. */
  end: number
  fields: number
  /** Whether DuckDB reads it as it is. */
  isPlain: boolean
}

/** Reused: there are millions of records, and each is done with before the next one. */
const scanned: Scan = { fault: undefined, end: 0, fields: 0, isPlain: true }

/** A record up to the first line break outside of quotes, or to the end. */
function scanRecord(bytes: Buffer, from: number, to: number, delimiter: number, quote: number) {
  let at = from
  let fields = 1
  let isPlain = true
  const found = (fault: Scan['fault'], end: number) => {
    scanned.fault = fault
    scanned.end = end
    scanned.fields = fields
    scanned.isPlain = isPlain
    return scanned
  }
  for (;;) {
    if (at < to && bytes[at] === quote) {
      at = closingQuote(bytes, at + 1, to, quote)
      if (at < 0) return found('open', to)
      at += 1
      if (quote !== doubleQuote) isPlain = false
      if (bytes[at] === carriageReturn && (at + 1 === to || bytes[at + 1] === newline))
        return found(undefined, at)
      if (at < to && bytes[at] !== delimiter && bytes[at] !== newline) return found('broken', at)
    } else {
      while (at < to && bytes[at] !== delimiter && bytes[at] !== newline) {
        if (bytes[at] === doubleQuote || bytes[at] === quote) isPlain = false
        at += 1
      }
    }
    if (at >= to || bytes[at] === newline)
      return found(undefined, at > from && bytes[at - 1] === carriageReturn ? at - 1 : at)
    fields += 1
    at += 1
  }
}

/** The place of the quote that is not doubled, or -1. */
function closingQuote(bytes: Buffer, from: number, to: number, quote: number): number {
  let at = from
  for (;;) {
    while (at < to && bytes[at] !== quote) at += 1
    if (at >= to) return -1
    if (at + 1 >= to || bytes[at + 1] !== quote) return at
    at += 2
  }
}

/** The values of a record that was scanned. */
function fieldsOf(
  bytes: Buffer,
  from: number,
  to: number,
  delimiter: number,
  quote: number,
): string[] {
  const values: string[] = []
  let at = from
  for (;;) {
    const start = at
    if (at < to && bytes[at] === quote) {
      at = closingQuote(bytes, at + 1, to, quote)
      const mark = String.fromCharCode(quote)
      values.push(bytes.toString('utf8', start + 1, at).replaceAll(mark + mark, mark))
      at += 1
    } else {
      while (at < to && bytes[at] !== delimiter) at += 1
      values.push(bytes.toString('utf8', start, at))
    }
    if (at >= to) return values
    at += 1
  }
}

/** Columns without a name get their number, and a second one of the same name is told apart. */
function headerOf(names: readonly string[]): readonly string[] {
  const taken = new Set<string>()
  return names.map((given, i) => {
    const name = given.trim() || `column ${i + 1}`
    let free = name
    for (let copy = 2; taken.has(free); copy++) free = `${name} (${copy})`
    taken.add(free)
    return free
  })
}

/** Of lines after the first one of a record, which nobody has looked at yet. */
const isText = (bytes: Buffer) => isUtf8(bytes) && !bytes.includes(0)

const newline = 10
const carriageReturn = 13
const doubleQuote = 34
