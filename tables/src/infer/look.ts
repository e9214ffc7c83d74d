import { stat } from 'node:fs/promises'
import { limits } from '../limits.ts'
import { headOf } from '../lines/text.ts'
import type { GivenRecipe, Source } from '../recipe/schema.ts'
import { Refused } from '../run/load.ts'
import { lookAtParquet } from '../run/look-at-parquet.ts'
import { describeColumns, type LookColumn } from './columns.ts'
import { type Head, readHead } from './head.ts'
import { propose } from './propose.ts'
import { type Sample, sampleCsv, sampleNdjson } from './sample.ts'

/** What the beginning of a file says about it. */
export type TableLook = {
  readonly source: Source
  readonly isGzip: boolean
  /** Of how many rows the columns tell. */
  readonly rowsRead: number
  readonly columns: readonly LookColumn[]
  /** The first rows that could be read. */
  readonly rows: readonly (readonly (string | null)[])[]
  readonly recipe: GivenRecipe | null
  readonly notes: readonly string[]
}

/**
 * Looks at a file's first megabyte. What is said of how it is written is not guessed. Throws
 * `Refused` where it is no table, `DamagedFile` where it cannot be read, and what the database
 * throws. It may take a second of the process that it runs in.
 */
export async function lookAt(file: string, given: Source | null): Promise<TableLook> {
  const bytes = await headOf(file, limits.lookBytes)
  if (bytes.length === 0) throw notTable('The file is empty.', 'Send it again.')
  const isParquet = bytes.subarray(0, 4).toString('latin1') === 'PAR1'
  if (given?.format === 'parquet' && !isParquet)
    throw notTable('It does not begin as Parquet does.', 'Leave out the source to have it guessed.')
  if (isParquet && (given === null || given.format === 'parquet')) {
    const sample = await lookAtParquet({ file, rows: limits.lookRows })
    return lookOf({ format: 'parquet' }, false, sample)
  }
  const said = given === null || given.format === 'parquet' ? null : given
  const { size } = await stat(file)
  const head = await readHead(bytes, size <= bytes.length, said?.encoding)
  refuseBinary(head)
  const { encoding, isGzip, text } = head
  const objects = said?.format === 'csv' ? undefined : sampleNdjson(text)
  const encoded = encoding === 'utf-8' ? {} : { encoding }
  if (objects) return lookOf({ ...said, format: 'ndjson', ...encoded }, isGzip, objects)
  if (said?.format === 'ndjson')
    throw notTable('Its first line is no JSON object.', 'Leave out the source to have it guessed.')
  // Its lines would be taken for rows of one column with a bracket.
  if (text.subarray(0, 64).toString('utf8').trimStart().startsWith('[{') && said === null)
    throw notTable('It is one array of JSON.', 'Send an object in each line, without brackets.')
  const { delimiter, multiline, hasHeader, skip, ...sample } = sampleCsv(text, said)
  const source: Source = {
    ...said,
    ...{ format: 'csv', delimiter, ...encoded },
    ...(multiline ? { multiline } : {}),
    ...(skip > 0 ? { skip } : {}),
    ...(hasHeader ? {} : { header: [...sample.columns] }),
  }
  return lookOf(source, isGzip, sample)
}

function lookOf(source: Source, isGzip: boolean, sample: Sample): TableLook {
  if (sample.rows.length === 0)
    throw notTable('No row could be read in it.', 'Check that it is a table with a header.')
  const columns = describeColumns(sample)
  const { recipe, notes } = propose(source, sample, columns)
  const rows = sample.rows.slice(0, limits.samplesShown)
  const shown = { columns, rows, rowsRead: sample.rows.length }
  return { source: recipe?.source ?? source, isGzip, ...shown, recipe, notes }
}

/** Text of any kind has no such character. */
function refuseBinary({ text, isGzip }: Head): void {
  if (text.length === 0)
    throw isGzip
      ? notTable('It cannot be unpacked.', 'Send the file again.')
      : notTable('No line of it ends within its first megabyte.', 'Check that it is a table.')
  if (!text.includes(0)) return
  const isZip = text.subarray(0, 2).toString('latin1') === 'PK'
  throw notTable(
    isZip ? 'It is a ZIP archive, as spreadsheets are, too.' : 'It has bytes that no text has.',
    'Send CSV, lines of JSON or Parquet; CSV and lines may be compressed by gzip.',
  )
}

const notTable = (detail: string, remedy: string) => new Refused({ field: '', detail, remedy })
