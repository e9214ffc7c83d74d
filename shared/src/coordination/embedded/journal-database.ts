import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { inTransaction } from '../../base/sqlite.ts'
import type { Failure, Row } from './journal.ts'

/**
 * The journal's SQLite file: one row for every change. Used by the journal's thread only, since
 * every call here blocks.
 */
export function openDatabase(path: string, newClusterId: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: lockWaitMs })
  // Exclusive mode holds the lock until the file is closed or the process dies, however it dies.
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  const found = Number(database.prepare('PRAGMA user_version').get()?.user_version)
  if (found > formatVersion) throw new NewerFormat(`format ${found}, not ${formatVersion}`)
  inTransaction(database, () => {
    database.exec(schema)
    database.exec(`PRAGMA user_version = ${formatVersion}`)
    const insert = database.prepare('INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)')
    insert.run('cluster-id', newClusterId)
    insert.run('compacted-revision', '0')
  })
  return database
}

/** A setting of the file as a whole. */
export function readMeta(
  database: DatabaseSync,
  name: 'cluster-id' | 'compacted-revision',
): string {
  return String(database.prepare('SELECT value FROM meta WHERE name = ?').get(name)?.value)
}

/** All rows that are left, in revision order, some at a time. */
export function* history(database: DatabaseSync): Generator<Row[]> {
  const all = database.prepare('SELECT * FROM history ORDER BY revision, position')
  let rows: Row[] = []
  for (const row of all.iterate()) {
    rows.push({ ...row } as Row)
    if (rows.length === 1_000) {
      yield rows
      rows = []
    }
  }
  yield rows
}

/** What was current at `revision` stays, and everything after it. Doing it again does nothing. */
export function compact(database: DatabaseSync, revision: number): void {
  inTransaction(database, () => {
    database
      .prepare(
        `DELETE FROM history WHERE revision <= ?1 AND (value IS NULL OR EXISTS (
         SELECT 1 FROM history newer
         WHERE newer.key = history.key AND newer.revision > history.revision
           AND newer.revision <= ?1))`,
      )
      .run(revision)
    database
      .prepare(
        `UPDATE meta SET value = ?1
         WHERE name = 'compacted-revision' AND CAST(value AS INTEGER) < CAST(?1 AS INTEGER)`,
      )
      .run(String(revision))
  })
}

/** Returns a function that writes rows; all of them are on disk when it returns, or none. */
export function appender(database: DatabaseSync): (rows: readonly Row[]) => void {
  const insert = database.prepare(
    'INSERT INTO history (revision, position, key, value, created, lease) VALUES (?,?,?,?,?,?)',
  )
  return (rows) =>
    inTransaction(database, () => {
      for (const row of rows) {
        insert.run(row.revision, row.position, row.key, row.value, row.created, row.lease)
      }
    })
}

/** What an error of SQLite means to whoever opens or writes the file. */
export function failureOf(error: unknown): Failure {
  if (error instanceof NewerFormat) return 'newer-format'
  const code = (error as { errcode?: number }).errcode ?? 0
  // Extended result codes keep the primary one in the low byte: 5 BUSY, 6 LOCKED, 11 CORRUPT,
  // 26 NOTADB.
  const primary = code & 0xff
  if (primary === 5 || primary === 6) return 'in-use'
  if (primary === 11 || primary === 26) return 'damaged'
  return 'other'
}

class NewerFormat extends Error {}

const formatVersion = 1

/** A restart may overlap with the end of the process before it. */
const lockWaitMs = 1_000

const schema = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS history (
  revision INTEGER NOT NULL, position INTEGER NOT NULL,
  key TEXT NOT NULL, value TEXT, created INTEGER NOT NULL, lease TEXT,
  PRIMARY KEY (revision, position)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS history_by_key ON history (key, revision);
`
