import type { DatabaseSync } from 'node:sqlite'
import { inTransaction } from '../../base/sqlite.ts'
import { newerSchema } from '../schema.ts'

/**
 * One entry a version, each a step forward from the one before; never changed once released.
 * Chunks keep their rowid, because large rows in a WITHOUT ROWID table are slow to find.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE blobs (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    label TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    begun_at TEXT NOT NULL,
    sha256 TEXT,
    chunk_count INTEGER,
    chunk_bytes INTEGER,
    created_at TEXT,
    seal TEXT,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE chunks (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (kind, id, number)
  ) STRICT;
  CREATE TABLE records (
    collection TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (collection, scope, id)
  ) STRICT, WITHOUT ROWID;
  `,
]

/** Brings the schema up to date, all or nothing. Throws `NewerSchema`, changing nothing. */
export function migrate(database: DatabaseSync, path: string): void {
  inTransaction(database, () => {
    const found = versionOf(database)
    if (found > migrations.length) throw newerSchema(path, found, migrations.length)
    for (const migration of migrations.slice(found)) database.exec(migration)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}
