import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { Bug } from '../../base/assert.ts'
import { Damaged, Missing } from '../../base/errors.ts'
import { inTransaction } from '../../base/sqlite.ts'
import type { BlobKind, BlobRef, RecordRef, StoredRecord } from '../port.ts'
import type { BlobRow, ChunkRow, ManifestRow, UploadRow } from '../rows.ts'

/** What the worker can be asked: synchronous, each in a transaction of its own. */
export interface Operations {
  begin(upload: UploadRow): void
  putChunks(upload: BlobRef, chunks: readonly ChunkRow[]): void
  finish(upload: BlobRef, manifest: ManifestRow): void
  find(ref: BlobRef): BlobRow | undefined
  getChunks(ref: BlobRef, from: number, count: number): readonly ChunkRow[]
  list(kind: BlobKind, after: string | null, limit: number): readonly BlobRow[]
  remove(ref: BlobRef): void
  putRecord(record: StoredRecord): void
  getRecord(ref: RecordRef): StoredRecord | undefined
  listRecords(
    scope: Omit<RecordRef, 'id'>,
    after: string | null,
    limit: number,
  ): readonly StoredRecord[]
  deleteRecord(ref: RecordRef): void
  ping(): void
}

export function operationsOn(database: DatabaseSync): Operations {
  return { ...blobOperations(database), ...recordOperations(database), ping: pingOn(database) }
}

function blobOperations(database: DatabaseSync) {
  const sql = blobStatements(database)
  return {
    begin: ({ kind, id, label, sizeBytes, begunAt }: UploadRow) => {
      const { changes } = sql.begin.run(kind, id, label, sizeBytes, begunAt)
      if (changes === 0) throw new Bug(`blob id ${id} is in use: ids are minted for one upload`)
    },
    putChunks: ({ kind, id }: BlobRef, chunks: readonly ChunkRow[]) =>
      inTransaction(database, () => {
        mustBeOpen(sql.find.get(kind, id), id)
        for (const { number, bytes, sha256 } of chunks)
          sql.putChunk.run(kind, id, number, bytes, sha256)
      }),
    finish: ({ kind, id }: BlobRef, manifest: ManifestRow) =>
      inTransaction(database, () => {
        mustBeOpen(sql.find.get(kind, id), id)
        const { sha256, chunkCount, chunkBytes, createdAt, seal } = manifest
        sql.finish.run(sha256, chunkCount, chunkBytes, createdAt, seal, kind, id)
      }),
    find: ({ kind, id }: BlobRef) => {
      const row = sql.find.get(kind, id)
      return row && blobRow(row)
    },
    getChunks: ({ kind, id }: BlobRef, from: number, count: number) =>
      sql.getChunks.all(kind, id, from, from + count).map(chunkRow),
    list: (kind: BlobKind, after: string | null, limit: number) =>
      sql.list.all(kind, after ?? '', limit).map(blobRow),
    remove: ({ kind, id }: BlobRef) =>
      inTransaction(database, () => {
        sql.removeBlob.run(kind, id)
        sql.removeChunks.run(kind, id)
      }),
  }
}

function blobStatements(database: DatabaseSync) {
  return {
    begin: database.prepare(
      `INSERT INTO blobs (kind, id, label, size_bytes, begun_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET label = excluded.label, size_bytes = excluded.size_bytes,
         begun_at = excluded.begun_at WHERE seal IS NULL`,
    ),
    putChunk: database.prepare(
      'INSERT OR REPLACE INTO chunks (kind, id, number, bytes, sha256) VALUES (?, ?, ?, ?, ?)',
    ),
    finish: database.prepare(
      `UPDATE blobs SET sha256 = ?, chunk_count = ?, chunk_bytes = ?, created_at = ?, seal = ?
       WHERE kind = ? AND id = ?`,
    ),
    find: database.prepare('SELECT * FROM blobs WHERE kind = ? AND id = ?'),
    getChunks: database.prepare(
      `SELECT number, bytes, sha256 FROM chunks
       WHERE kind = ? AND id = ? AND number >= ? AND number < ? ORDER BY number`,
    ),
    list: database.prepare('SELECT * FROM blobs WHERE kind = ? AND id > ? ORDER BY id LIMIT ?'),
    removeBlob: database.prepare('DELETE FROM blobs WHERE kind = ? AND id = ?'),
    removeChunks: database.prepare('DELETE FROM chunks WHERE kind = ? AND id = ?'),
  }
}

function recordOperations(database: DatabaseSync) {
  const key = 'collection = ? AND scope = ? AND id = ?'
  const put = database.prepare(
    'INSERT OR REPLACE INTO records (collection, scope, id, value) VALUES (?, ?, ?, ?)',
  )
  const get = database.prepare(`SELECT * FROM records WHERE ${key}`)
  const list = database.prepare(
    `SELECT * FROM records WHERE collection = ?1 AND scope = ?2 AND (?3 IS NULL OR id < ?3)
     ORDER BY id DESC LIMIT ?4`,
  )
  const remove = database.prepare(`DELETE FROM records WHERE ${key}`)
  return {
    putRecord: ({ collection, scope, id, value }: StoredRecord) => {
      put.run(collection, scope, id, value)
    },
    getRecord: ({ collection, scope, id }: RecordRef) => {
      const row = get.get(collection, scope, id)
      return row && recordRow(row)
    },
    listRecords: (
      { collection, scope }: Omit<RecordRef, 'id'>,
      after: string | null,
      limit: number,
    ) => list.all(collection, scope, after, limit).map(recordRow),
    deleteRecord: ({ collection, scope, id }: RecordRef) => {
      remove.run(collection, scope, id)
    },
  }
}

function pingOn(database: DatabaseSync): () => void {
  const read = database.prepare('SELECT count(*) FROM sqlite_schema')
  return () => {
    read.get()
  }
}

/** A late writer finds its upload collected, or finished by somebody with the same id. */
function mustBeOpen(row: Row | undefined, id: string): void {
  if (row === undefined) throw new Missing(`upload ${id} was deleted while it was written`)
  if (row.seal !== null) throw new Bug(`blob id ${id} was finished by another upload`)
}

type Row = Record<string, SQLOutputValue>

function blobRow(row: Row): BlobRow {
  return {
    kind: text(row, 'kind') as BlobKind,
    id: text(row, 'id'),
    label: text(row, 'label'),
    sizeBytes: integer(row, 'size_bytes'),
    begunAt: text(row, 'begun_at'),
    manifest: row.seal === null ? null : manifestRow(row),
  }
}

function manifestRow(row: Row): ManifestRow {
  return {
    sha256: text(row, 'sha256'),
    chunkCount: integer(row, 'chunk_count'),
    chunkBytes: integer(row, 'chunk_bytes'),
    createdAt: text(row, 'created_at'),
    seal: text(row, 'seal'),
  }
}

function chunkRow(row: Row): ChunkRow {
  const { bytes } = row
  if (!(bytes instanceof Uint8Array)) throw new Damaged('a chunk holds no bytes')
  return { number: integer(row, 'number'), bytes, sha256: text(row, 'sha256') }
}

function recordRow(row: Row): StoredRecord {
  return {
    collection: text(row, 'collection'),
    scope: text(row, 'scope'),
    id: text(row, 'id'),
    value: text(row, 'value'),
  }
}

function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new Damaged(`${column} of a row is not text`)
  return value
}

function integer(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number') throw new Damaged(`${column} of a row is not a number`)
  return value
}
