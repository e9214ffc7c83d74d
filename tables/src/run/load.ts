import { stat, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Fault, sentence } from '../fault.ts'
import { csvRecords } from '../lines/csv-records.ts'
import { makeLineReader, type RejectLine, type TakeRecord } from '../lines/line-reader.ts'
import { ndjsonRecords } from '../lines/ndjson-records.ts'
import { makePieces, type Piece } from '../lines/pieces.ts'
import { openText } from '../lines/text.ts'
import { columnsUsed, type Recipe } from '../recipe/recipe.ts'
import { type Dialect, duckdb } from '../sql/dialect.ts'
import { fieldName, type Plan, planOf } from '../sql/plan.ts'
import { duckdbPiece } from '../sql/staged.ts'
import type { Engine, Intake } from './engine.ts'
import type { TableJob } from './protocol.ts'
import type { Rejects } from './rejects.ts'

/** What the owner of the file or of the recipe has to mend. */
export class Refused extends Error {
  override name = 'Refused'
  readonly faults: readonly Fault[]

  constructor(...faults: readonly Fault[]) {
    super(faults.map(sentence).join('\n'))
    this.faults = faults
  }
}

export type Loaded = {
  readonly plan: Plan
  readonly columns: readonly string[]
  /** Records of the file, those among them that were no rows. */
  readonly rows: number
}

type Told = (bytesRead: number, bytesAll: number, rows: number) => void

/** Reads the file into `accepted`. What is no row at all goes to the rejects at once. */
export type Load = (job: TableJob, rejects: Rejects, told: Told) => Promise<Loaded>

/** The local database reads the file in any case; its rows may go elsewhere. */
export function makeLoad(db: Engine, intake: Intake): Load {
  return async (job, rejects, told) => {
    const { recipe } = job
    if (recipe.source.format === 'parquet') return await loadParquet(db, intake, job)
    let broken = 0
    const reject: RejectLine = (line, reason, row) => {
      broken += 1
      rejects.write({ step: 'read', outcome: 'rejected', reason, line, row })
    }
    const loaded = await loadText(intake, job, recipe.source, reject, (bytes, all, rows) =>
      told(bytes, all, rows + broken),
    )
    return { ...loaded, rows: loaded.rows + broken }
  }
}

async function loadText(
  intake: Intake,
  { file, folder, recipe }: TableJob,
  source: Exclude<Recipe['source'], { format: 'parquet' }>,
  reject: RejectLine,
  told: Told,
): Promise<Loaded> {
  const { size: bytesAll } = await stat(file)
  const text = await openText(file, source.encoding)
  const delimiter = source.format === 'csv' ? source.delimiter : ','
  const pieces = makePieces(folder, delimiter)
  let found: { readonly columns: readonly string[]; readonly plan: Plan } | undefined
  const begin = (columns: readonly string[]) => {
    found = { columns, plan: planned(recipe, columns, intake.dialect) }
    return pieces
  }
  let take: TakeRecord
  if (source.format === 'csv') take = csvRecords(source, begin, reject)
  else take = ndjsonRecords(columnsUsed(recipe), begin(columnsUsed(recipe)), reject)
  const reader = makeLineReader(take, reject, source.format === 'csv' ? source.skip : 0)

  let rows = 0
  let loading: Promise<void> | undefined
  const load = async (piece: Piece) => {
    // One is read while the next is written, and no more.
    await loading
    const { columns, plan } = found!
    const staged = duckdbPiece(piece.file, delimiter, columns.length)
    loading = intake.take(staged, plan).then(() => {
      rows += piece.rows
      piece.drop()
      told(text.bytesRead(), bytesAll, rows)
    })
    // It is waited for later; until then nobody else would hear of its end.
    loading.catch(() => {})
  }
  for await (const chunk of text.chunks) {
    reader.push(chunk)
    const piece = pieces.full()
    if (piece !== undefined) await load(piece)
  }
  reader.end()
  const piece = pieces.last()
  if (piece !== undefined) await load(piece)
  await loading
  if (found === undefined || loading === undefined) throw new Refused(noRows)
  await intake.end(found.plan)
  return { ...found, rows }
}

async function loadParquet(db: Engine, intake: Intake, job: TableJob): Promise<Loaded> {
  const file = await linked(job.file, job.folder)
  const columns = await parquetColumns(db, file)
  const plan = planned(job.recipe, columns, intake.dialect)
  const [[count] = []] = await db.rows(`SELECT COUNT(*) FROM ${parquetOf(file)}`)
  if (Number(count) === 0) throw new Refused(noRows)
  const fields = columns.map((name, i) => `CAST(${identifier(name)} AS VARCHAR) AS ${fieldName(i)}`)
  const selected = `file_row_number + 1 AS line, ${fields.join(', ')}`
  await intake.take(`SELECT ${selected} FROM ${parquetOf(file)}`, plan)
  await intake.end(plan)
  return { plan, columns, rows: Number(count) }
}

/** A name for the file that the database does not take for a pattern. */
export async function linked(file: string, folder: string): Promise<string> {
  const link = join(folder, 'table.parquet')
  await symlink(resolve(file), link)
  return link
}

export async function parquetColumns(db: Engine, file: string): Promise<readonly string[]> {
  const described = await db.rows(`DESCRIBE SELECT * FROM READ_PARQUET(${duckdb.literal(file)})`)
  return described.map(([name]) => String(name))
}

/** The number of a row is in a column of the same name as the one that the reader adds. */
export const parquetOf = (file: string) =>
  `READ_PARQUET(${duckdb.literal(file)}, FILE_ROW_NUMBER = TRUE)`

export const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`

function planned(recipe: Recipe, columns: readonly string[], dialect: Dialect): Plan {
  const planned = planOf(recipe, columns, dialect)
  if (planned.kind === 'refused') throw new Refused(...planned.faults)
  return planned.value
}

const noRows: Fault = {
  field: '',
  detail: 'There is no row in the file.',
  remedy: 'Check that it is the right file, and that its format is the one of the recipe.',
}
