import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Sample } from '../infer/sample.ts'
import { openDatabase } from './database.ts'
import { identifier, linked, parquetColumns, parquetOf } from './load.ts'

/** The columns and the first rows of a Parquet file, as text; works in a folder beside it. */
export async function lookAtParquet({
  file,
  rows,
}: {
  readonly file: string
  readonly rows: number
}): Promise<Sample> {
  const folder = await mkdtemp(join(dirname(file), 'look-'))
  try {
    const db = await openDatabase({ folder, file, memoryMb: 256, threads: 1 })
    const table = await linked(file, folder)
    const columns = await parquetColumns(db, table)
    const texts = columns.map((name) => `CAST(${identifier(name)} AS VARCHAR)`)
    const found = await db.rows(`SELECT ${texts.join(', ')} FROM ${parquetOf(table)} LIMIT ${rows}`)
    return { columns, rows: found as readonly (readonly (string | null)[])[] }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
