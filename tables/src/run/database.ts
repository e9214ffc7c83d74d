import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { duckdb } from '../sql/dialect.ts'
import type { Engine, Intake, RowBatch } from './engine.ts'

export type Database = Engine & { readonly run: (sql: string) => Promise<void> }

export type DatabaseOptions = {
  /** The only one whose files queries may touch, but for one. */
  readonly folder: string
  readonly file: string
  /** About what the process may take. */
  readonly memoryMb: number
  readonly threads: number
}

/** An empty database that goes to disk with what does not fit, and sees no other files. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { folder, file, memoryMb, threads } = options
  const instance = await DuckDBInstance.create(join(folder, 'work.duckdb'), {
    memory_limit: `${databaseMb(memoryMb)}MB`,
    threads: String(threads),
    temp_directory: join(folder, 'spilled'),
    // Rows carry their numbers; to keep their order, too, would need memory.
    preserve_insertion_order: 'false',
    // What it has freed goes back to the system soon, as it is not counted as its own.
    allocator_background_threads: 'true',
    allocator_flush_threshold: '16MB',
    allocator_bulk_deallocation_flush_threshold: '32MB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  await connection.run(`SET allowed_directories = [${duckdb.literal(folder)}]`)
  await connection.run(`SET allowed_paths = [${duckdb.literal(await realpath(file))}]`)
  await connection.run('SET enable_external_access = false')
  await connection.run(`SET TimeZone = 'UTC'`)
  await connection.run('SET lock_configuration = true')
  const run = async (sql: string) => {
    await connection.run(sql)
  }
  return {
    dialect: duckdb,
    run,
    keep: (name, query) => run(`CREATE TABLE ${name} AS ${query}`),
    drop: (name) => run(`DROP TABLE ${name}`),
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowsJS(),
    sorted: ({ select, from, by, then }) => {
      const order = then === undefined ? by : `${by}, ${then}`
      return batchesOf(instance, `SELECT ${select} FROM ${from} ORDER BY ${order}`)
    },
  }
}

/** Rows go into the database as they come. */
export function duckdbIntake(db: Database): Intake {
  let isFirst = true
  return {
    dialect: duckdb,
    take: async (rows, { accepted }) => {
      await db.run(`CREATE OR REPLACE TEMPORARY VIEW staged AS ${rows}`)
      if (isFirst) await db.keep('accepted', accepted)
      else await db.run(`INSERT INTO accepted ${accepted}`)
      isFirst = false
    },
    end: async () => {},
  }
}

/**
 * DuckDB does not count all that it takes, what it has freed stays with the process for a while,
 * and reader and shards need theirs: together some 500 MB. With little, only small files are read.
 */
function databaseMb(memoryMb: number): number {
  return Math.round(Math.max(memoryMb - 512, memoryMb / 4))
}

/** On a connection of its own: one connection streams one answer at a time. */
async function* batchesOf(instance: DuckDBInstance, sql: string): AsyncGenerator<RowBatch, void> {
  const connection: DuckDBConnection = await instance.connect()
  try {
    const result = await connection.stream(sql)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return
      const vectors = Array.from({ length: chunk.columnCount }, (_, i) => chunk.getColumnVector(i))
      const columns = vectors.map((vector) => (row: number) => vector.getItem(row) as unknown)
      yield { rowCount: chunk.rowCount, columns }
    }
  } finally {
    connection.closeSync()
  }
}
