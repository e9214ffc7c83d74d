import { limits } from '../limits.ts'
import { type CsvForm, collectRows, csvRecords } from '../lines/csv-records.ts'
import { makeLineReader } from '../lines/line-reader.ts'
import { ndjsonRecords, objectOf } from '../lines/ndjson-records.ts'

/** The first rows of a table, as text. */
export type Sample = {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
}

export type CsvSample = Sample & {
  readonly delimiter: string
  readonly multiline: boolean
  /** Whether the first line was taken for the names. */
  readonly hasHeader: boolean
}

/** What is known of how CSV is written. */
export type CsvGiven = Partial<Pick<CsvForm, 'delimiter' | 'quote' | 'multiline' | 'header'>> & {
  readonly skip?: number
}

/** The rows under the delimiter that cuts most lines into equally many fields. */
export function sampleCsv(text: Buffer, given: CsvGiven | null): CsvSample {
  const known = given ?? {}
  const toTry = known.delimiter === undefined ? delimiters : [known.delimiter]
  const tried = toTry.map((one) => tryCsv(text, one, known.multiline ?? false, known))
  const best = tried.reduce((most, one) => (one.score > most.score ? one : most))
  const longer = known.multiline === undefined ? tryCsv(text, best.delimiter, true, known) : best
  // A quoted line break makes two broken lines of one row.
  const isMultiline = known.multiline ?? longer.broken < best.broken
  const { columns, rows, delimiter } = isMultiline ? longer : best
  if (known.header) return { columns, rows, delimiter, multiline: isMultiline, hasHeader: false }
  const hasHeader = columns.every((name) => !/^[-+.,\d\s/:]*\d[-+.,\d\s/:]*$/.test(name))
  if (hasHeader) return { columns, rows, delimiter, multiline: isMultiline, hasHeader }
  const names = columns.map((_, i) => `column ${i + 1}`)
  return { columns: names, rows: [columns, ...rows], delimiter, multiline: isMultiline, hasHeader }
}

const delimiters = [',', ';', '\t', '|']

function tryCsv(text: Buffer, delimiter: string, multiline: boolean, given: CsvGiven) {
  const { quote = '"', header = null, skip = 0 } = given
  const form: CsvForm = { delimiter, quote, multiline, header }
  const collected = collectRows(delimiter, limits.lookRows)
  let columns: readonly string[] = []
  let broken = 0
  const begin = (header: readonly string[]) => {
    columns = header
    return collected
  }
  const reject = () => {
    broken += 1
  }
  const reader = makeLineReader(csvRecords(form, begin, reject), reject, skip)
  reader.push(text)
  reader.end()
  const { rows } = collected
  const share = rows.length / (rows.length + broken || 1)
  return {
    columns,
    rows,
    delimiter,
    broken,
    score: columns.length < 2 ? 0 : share * columns.length,
  }
}

/** The rows of objects, with all names that are in them; undefined when the first is no object. */
export function sampleNdjson(text: Buffer): Sample | undefined {
  const names = new Set<string>()
  let isFirst = true
  let isObject = false
  const look = makeLineReader(
    (bytes, from, to) => {
      const row = objectOf(bytes.toString('utf8', from, to))
      if (isFirst) isObject = row !== undefined
      isFirst = false
      for (const name of Object.keys(row ?? {})) if (names.size < limits.columnsMax) names.add(name)
      return to
    },
    () => {},
  )
  look.push(text)
  look.end()
  if (!isObject) return undefined
  const columns = [...names]
  const collected = collectRows(',', limits.lookRows)
  const reader = makeLineReader(
    ndjsonRecords(columns, collected, () => {}),
    () => {},
  )
  reader.push(text)
  reader.end()
  return { columns, rows: collected.rows }
}
