import { join } from 'node:path'
import type { Database } from '../run/database.ts'
import type { Intake } from '../run/engine.ts'
import { duckdb, spark } from '../sql/dialect.ts'
import type { SparkEngine } from './engine.ts'

/** Where rows are on their way to Spark. */
export type PartsPlace = {
  /** A folder of this process, to write a part in. */
  readonly folder: string
  /** What Spark calls the folder that they are put in, as `parts`. */
  readonly url: string
  /** Puts a part there; its file is then no longer needed. */
  readonly put: (file: string) => Promise<void>
}

/**
 * Rows become Parquet, written by the local database: so both engines see the same texts to the
 * byte, whatever else a reader of CSV may do with quotes and empty fields.
 */
export function sparkIntake(local: Database, engine: SparkEngine, place: PartsPlace): Intake {
  let parts = 0
  return {
    dialect: spark,
    take: async (rows) => {
      const file = join(place.folder, `part-${String(parts++).padStart(6, '0')}.parquet`)
      const form = '(FORMAT parquet, COMPRESSION snappy)'
      await local.run(`COPY (${rows}) TO ${duckdb.literal(file)} ${form}`)
      await place.put(file)
    },
    end: async ({ accepted }) => {
      await engine.view('staged', `${place.url}/parts`)
      await engine.keep('accepted', accepted)
    },
  }
}
