import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { limits } from '../../base/limits.ts'
import { inTransaction } from '../../base/sqlite.ts'
import type { DeadReason } from '../port.ts'

export type LogRow = {
  readonly offset: number
  readonly at: string
  readonly value: Uint8Array
}

export type LetterRow = LogRow & {
  readonly buriedAt: string
  readonly reason: DeadReason
  readonly sizeBytes: number
}

export type LogOperations = ReturnType<typeof operationsOn>

const formatVersion = 1

/** Used by the log's thread only, since every call blocks while the disk syncs. */
export function openLog(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: 1_000 })
  // The lock is held until the file is closed or the process dies, however it dies.
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  const found = Number(database.prepare('PRAGMA user_version').get()?.user_version)
  if (found > formatVersion)
    throw new Error(`${path} was written by a newer release: format ${found}, not ${formatVersion}`)
  inTransaction(database, () => {
    database.exec(schema)
    database.exec(`PRAGMA user_version = ${formatVersion}`)
  })
  return database
}

// AUTOINCREMENT: a number is never used twice, also when its message is gone.
const schema = `
CREATE TABLE IF NOT EXISTS messages (
  offset INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS dead_letters (
  offset INTEGER PRIMARY KEY, at TEXT NOT NULL, buried_at TEXT NOT NULL, reason TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, value BLOB NOT NULL) STRICT;
`

/** What is in `messages` waits; what was consumed is deleted. */
export function operationsOn(database: DatabaseSync) {
  const insert = database.prepare('INSERT INTO messages (at, value) VALUES (?, ?)')
  const first = database.prepare('SELECT * FROM messages ORDER BY offset LIMIT 1')
  const remove = database.prepare('DELETE FROM messages WHERE offset = ?')
  const count = database.prepare('SELECT count(*) AS n FROM messages')
  const insertLetter = database.prepare(
    'INSERT OR REPLACE INTO dead_letters (offset, at, buried_at, reason, size_bytes, value) ' +
      'VALUES (?, ?, ?, ?, ?, ?)',
  )
  const dropOldest = database.prepare(
    'DELETE FROM dead_letters WHERE offset <= ' +
      '(SELECT offset FROM dead_letters ORDER BY offset DESC LIMIT 1 OFFSET ?)',
  )
  const letters = database.prepare(
    'SELECT offset, at, buried_at, reason, size_bytes, substr(value, 1, ?) AS value ' +
      'FROM dead_letters WHERE offset < ? ORDER BY offset DESC LIMIT ?',
  )
  const waiting = () => Number(count.get()?.n)
  return {
    waiting,
    /** Its offset, or undefined when there are too many. */
    publish: (at: string, value: Uint8Array): number | undefined => {
      if (waiting() >= limits.messagesWaitingMax) return undefined
      return Number(insert.run(at, value).lastInsertRowid)
    },
    next: (): LogRow | undefined => {
      const row = first.get()
      return row && { offset: Number(row.offset), at: String(row.at), value: bytesOf(row.value) }
    },
    commit: (offset: number): void => {
      remove.run(offset)
    },
    /** Kept as a dead letter, still waiting: it is committed like every other. */
    bury: ({ offset, at, buriedAt, reason, sizeBytes, value }: LetterRow): void =>
      inTransaction(database, () => {
        insertLetter.run(offset, at, buriedAt, JSON.stringify(reason), sizeBytes, value)
        dropOldest.run(limits.deadLettersKept)
      }),
    letters: (before: number, limit: number): readonly LetterRow[] =>
      letters.all(limits.deadLetterShownBytes, before, limit).map((row) => ({
        offset: Number(row.offset),
        at: String(row.at),
        buriedAt: String(row.buried_at),
        reason: JSON.parse(String(row.reason)) as DeadReason,
        sizeBytes: Number(row.size_bytes),
        value: bytesOf(row.value),
      })),
  }
}

const bytesOf = (value: unknown) => (value instanceof Uint8Array ? value : new Uint8Array())
