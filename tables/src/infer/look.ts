import { stat } from 'node:fs/promises'
import { limits } from '../limits.ts'
import { headOf } from '../lines/text.ts'
import type { GivenRecipe, Source } from '../recipe/schema.ts'
import { lookIntoParquet } from '../run/run-table.ts'
import { describeColumns, type LookColumn } from './columns.ts'
import { readHead } from './head.ts'
import { propose } from './propose.ts'
import { type Sample, sampleCsv, sampleNdjson } from './sample.ts'

/** What the beginning of a file says about it. */
export type TableLook = {
  readonly source: Source
  readonly isGzip: boolean
  readonly columns: readonly LookColumn[]
  /** The first rows that could be read. */
  readonly rows: readonly (readonly (string | null)[])[]
  readonly recipe: GivenRecipe | null
  readonly notes: readonly string[]
}

/** Looks at a file's first megabyte; undefined when it says that it is Parquet and is not. */
export async function lookAtTable(
  file: string,
  signal: AbortSignal,
): Promise<TableLook | undefined> {
  const bytes = await headOf(file, limits.lookBytes)
  if (bytes.subarray(0, 4).toString('latin1') === 'PAR1') {
    const sample = await lookIntoParquet(file, signal)
    return sample && lookOf({ format: 'parquet' }, false, sample)
  }
  const { size } = await stat(file)
  const { encoding, isGzip, text } = readHead(bytes, size <= bytes.length)
  const objects = sampleNdjson(text)
  const encoded = encoding === 'utf-8' ? {} : { encoding }
  if (objects !== undefined) return lookOf({ format: 'ndjson', ...encoded }, isGzip, objects)
  const { delimiter, multiline, hasHeader, ...sample } = sampleCsv(text)
  const source: Source = {
    format: 'csv',
    delimiter,
    ...encoded,
    ...(multiline ? { multiline } : {}),
    ...(hasHeader ? {} : { header: [...sample.columns] }),
  }
  return lookOf(source, isGzip, sample)
}

function lookOf(source: Source, isGzip: boolean, sample: Sample): TableLook {
  const columns = describeColumns(sample)
  const { recipe, notes } = propose(source, sample, columns)
  const rows = sample.rows.slice(0, limits.samplesShown)
  return { source: recipe?.source ?? source, isGzip, columns, rows, recipe, notes }
}
