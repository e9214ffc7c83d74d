import { limits } from '../limits.ts'
import type { Engine, RowBatch, SortedQuery } from '../run/engine.ts'
import { spark } from '../sql/dialect.ts'
import type { SparkSession } from './session.ts'

export type SparkEngine = Engine & {
  /** Gives files of Parquet a name. */
  readonly view: (name: string, url: string) => Promise<void>
}

/**
 * Spark as what does the work on all rows. Its driver gathers the whole answer to a query before it
 * sends any of it, so that long answers are asked for by pages that are no larger than it can hold.
 *
 * What is kept is Parquet below `url`, where its parts are found by their smallest and largest
 * numbers. Spark's own cache has no end with its session, nor with the process that asked for it.
 */
export async function sparkEngine(session: SparkSession, url: string): Promise<SparkEngine> {
  const { tableFromIPC } = await import('apache-arrow')
  const batchOf = (bytes: Uint8Array): RowBatch => {
    const table = tableFromIPC(bytes)
    const columns = table.schema.fields.map((_, i) => {
      const vector = table.getChildAt(i)
      return (row: number) => vector?.get(row) as unknown
    })
    return { rowCount: table.numRows, columns }
  }
  async function* batches(sql: string): AsyncGenerator<RowBatch, void> {
    for await (const bytes of session.batches(sql)) yield batchOf(bytes)
  }
  const rows: Engine['rows'] = async (sql) => {
    const all: (readonly unknown[])[] = []
    for await (const { rowCount, columns } of batches(sql))
      for (let row = 0; row < rowCount; row++) all.push(columns.map((column) => column(row)))
    return all
  }
  async function* sorted(query: SortedQuery): AsyncGenerator<RowBatch, void> {
    for (const [first, last] of await rows(pagesOf(query)))
      yield* batches(pageOf(query, Number(first), Number(last)))
  }
  for (const [name, value] of Object.entries(settings)) await session.run(`SET ${name}=${value}`)
  const view = (name: string, place: string) =>
    session.run(
      `CREATE TEMPORARY VIEW ${name} USING parquet OPTIONS (path ${spark.literal(place)})`,
    )
  return {
    dialect: spark,
    view,
    keep: async (name, query, order) => {
      const place = `${url}/${name}`
      const sort = order === undefined ? '' : ` ORDER BY ${order}`
      await session.run(
        `INSERT OVERWRITE DIRECTORY ${spark.literal(place)} USING parquet ${query}${sort}`,
      )
      await view(name, place)
    },
    // Whoever made the place ends it with all that is in it.
    drop: async () => {},
    rows,
    sorted,
  }
}

/** What our SQL counts on, whatever the cluster's own defaults are. */
const settings = {
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.ansi.enabled': 'true',
  'spark.sql.parser.escapedStringLiterals': 'false',
  'spark.sql.legacy.timeParserPolicy': 'CORRECTED',
  'spark.sql.caseSensitive': 'false',
} as const

/** Lines are many, and few of them are asked for: they are counted by some thousand. */
const grains = { line: 4_096, id: 1 } as const

/** The first and the last bucket of each page: of some size, but for one bucket that is larger. */
function pagesOf({ from, by, rowBytes }: SortedQuery): string {
  const buckets =
    `SELECT ${by} DIV ${grains[by]} AS bucket, SUM(${rowBytes}) AS bytes ` +
    `FROM ${from} GROUP BY ${by} DIV ${grains[by]}`
  const numbered =
    `SELECT bucket, (SUM(bytes) OVER (ORDER BY bucket) - 1) DIV ${limits.sparkPageBytes} AS page ` +
    `FROM (${buckets}) buckets`
  return (
    'SELECT CAST(MIN(bucket) AS DOUBLE), CAST(MAX(bucket) AS DOUBLE) ' +
    `FROM (${numbered}) pages GROUP BY page ORDER BY 1`
  )
}

function pageOf({ select, from, by, then }: SortedQuery, first: number, last: number): string {
  const [begin, end] = [first * grains[by], (last + 1) * grains[by]]
  const order = then === undefined ? by : `${by}, ${then}`
  return `SELECT ${select} FROM ${from} WHERE ${by} >= ${begin} AND ${by} < ${end} ORDER BY ${order}`
}
