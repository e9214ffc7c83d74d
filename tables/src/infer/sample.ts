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
  /** Lines before the header that are none of the table. */
  readonly skip: number
}

/** What is known of how CSV is written. */
export type CsvGiven = Partial<Pick<CsvForm, 'delimiter' | 'quote' | 'multiline' | 'header'>> & {
  readonly skip?: number
}

/** The rows under the delimiter that cuts most lines into equally many fields. */
export function sampleCsv(text: Buffer, given: CsvGiven | null): CsvSample {
  const known = given ?? {}
  const toSkip = known.skip ?? 0
  const skips = known.skip === undefined ? linesThatMayBeSkipped : []
  const saying = known.delimiter === undefined && toSkip === 0 ? delimiterLine(text) : undefined
  if (saying !== undefined) return sampleFrom(text, { ...known, delimiter: saying, skip: 1 })
  let best = sampleFrom(text, { ...known, skip: toSkip })
  // Reports begin with a title, after which no line has the one field that it has.
  for (const skip of skips) {
    if (best.columns.length > 1) break
    const other = sampleFrom(text, { ...known, skip })
    if (other.columns.length > 1 && other.rows.length > 0) best = other
  }
  return best
}

/** Excel's own way to say what separates fields: `sep=;` in a line before the header. */
function delimiterLine(text: Buffer): string | undefined {
  return /^"?sep=([!-~\t])"?\r?\n/i.exec(text.toString('utf8', 0, 12))?.[1]
}

const linesThatMayBeSkipped = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

function sampleFrom(text: Buffer, known: CsvGiven & { readonly skip: number }): CsvSample {
  const toTry = known.delimiter === undefined ? delimiters : [known.delimiter]
  const tried = toTry.map((one) => tryCsv(text, one, known.multiline ?? false, known))
  const best = tried.reduce((most, one) => (one.score > most.score ? one : most))
  const longer = known.multiline === undefined ? tryCsv(text, best.delimiter, true, known) : best
  // A quoted line break makes two broken lines of one row.
  const multiline = known.multiline ?? longer.broken < best.broken
  const { columns, rows, delimiter } = multiline ? longer : best
  const form = { delimiter, multiline, skip: known.skip }
  if (known.header) return { columns, rows, ...form, hasHeader: false }
  const hasHeader = columns.every((name) => !/^[-+.,\d\s/:]*\d[-+.,\d\s/:]*$/.test(name))
  if (hasHeader) return { columns, rows, ...form, hasHeader }
  const names = columns.map((_, i) => `column ${i + 1}`)
  return { columns: names, rows: [columns, ...rows], ...form, hasHeader }
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
