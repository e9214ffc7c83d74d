import type { types } from 'cassandra-driver'
import { limits } from '../../base/limits.ts'
import type { BlobKind, BlobRef } from '../port.ts'
import type { BlobRow, ChunkRow, Rows, UploadRow } from '../rows.ts'
import { bucketsAtOnce, gather } from './buckets.ts'
import type { CqlConnection, Statement } from './connection.ts'

type BlobRows = Pick<
  Rows,
  'begin' | 'putChunks' | 'finish' | 'find' | 'getChunks' | 'list' | 'remove'
>

/** 32 chunks of 256 KiB are 8 MB a partition. A change of it needs a migration of the chunks. */
const chunksPerBucket = 32

/** The first 28 bits of the 48-bit milliseconds in a minted id: a period lasts 17 minutes. */
const periodCharacters = 7

/**
 * Blobs in CQL. All that an upload writes carries the timestamp of its beginning, and what deletes
 * it a later one: whatever a late writer still sends after the deletion stays deleted. That holds
 * as long as tombstones are kept (10 days by default), far longer than a request can be under way.
 */
export function cqlBlobRows(connection: CqlConnection): BlobRows {
  const sql = blobQueries(connection.keyspace)
  const run = (statement: Statement, signal: AbortSignal) => connection.execute(statement, signal)
  return {
    begin: async (upload, signal) => {
      const { kind, id, label, sizeBytes, begunAt } = upload
      const period = periodOf(id)
      await run(write(sql.putPeriod, [kind, period, begunAt], begunUs(upload)), signal)
      const row = [kind, period, id, label, sizeBytes, begunAt]
      await run(write(sql.begin, row, begunUs(upload)), signal)
    },
    putChunks: async (upload, chunks, signal) => {
      const timestampUs = begunUs(upload)
      await allSettled(
        chunks.map(({ number, bytes, sha256 }) => {
          const key = [upload.kind, upload.id, bucketOf(number), number]
          const row = [...key, Buffer.from(bytes.buffer), sha256]
          return run({ ...write(sql.putChunk, row, timestampUs), size: 'chunk' }, signal)
        }),
      )
    },
    finish: async (upload, { sha256, chunkCount, chunkBytes, createdAt, seal }, signal) => {
      const cells = [sha256, chunkCount, chunkBytes, createdAt, seal]
      const key = [upload.kind, periodOf(upload.id), upload.id]
      await run(write(sql.finish, [...cells, ...key], begunUs(upload)), signal)
    },
    find: async ({ kind, id }, signal) => {
      const [row] = await run(read(sql.find, [kind, periodOf(id), id], 1), signal)
      return row && blobRow(kind, row)
    },
    getChunks: async (ref, from, count, signal) => {
      const ranges = rangesOf(from, count)
      const rows = await allSettled(
        ranges.map(({ bucket, first, end }) => {
          const statement = read(sql.getChunks, [ref.kind, ref.id, bucket, first, end], end - first)
          return run({ ...statement, size: 'chunk' }, signal)
        }),
      )
      return rows.flat().map(chunkRow)
    },
    list: (kind, after, limit, signal) => list(connection, sql, { kind, after, limit }, signal),
    remove: (ref, signal) => remove(connection, sql, ref, signal),
  }
}

type Queries = ReturnType<typeof blobQueries>

type Listing = { readonly kind: BlobKind; readonly after: string | null; readonly limit: number }

type Period = { readonly period: string; readonly begunAt: string }

async function list(
  connection: CqlConnection,
  sql: Queries,
  { kind, after, limit }: Listing,
  signal: AbortSignal,
): Promise<readonly BlobRow[]> {
  const first = after === null ? '' : periodOf(after)
  const next = async (last: Period | null): Promise<readonly Period[]> => {
    const query = last === null ? sql.periodsFrom : sql.periodsAfter
    const key = [kind, last?.period ?? first]
    const rows = await connection.execute(read(query, key, bucketsAtOnce), signal)
    return rows.map((row) => ({ period: text(row.period), begunAt: text(row.begun_at) }))
  }
  return await gather(limit, next, async (period, count) => {
    const parameters = [kind, period.period, after ?? '', count]
    const rows = await connection.execute(read(sql.list, parameters, count), signal)
    const isEmpty = rows.length === 0 && (after === null || period.period > first)
    if (isEmpty) await forget(connection, sql, kind, period, signal)
    return rows.map((row) => blobRow(kind, row))
  })
}

/**
 * Takes an empty period off the list once no upload can be beginning in it: otherwise lists would
 * visit every quarter of an hour that ever was. The deletion carries the timestamp of what was
 * read: an upload that has put the period there again meanwhile has a later one, and wins.
 */
async function forget(
  connection: CqlConnection,
  sql: Queries,
  kind: BlobKind,
  period: Period,
  signal: AbortSignal,
): Promise<void> {
  const isOld = Date.now() - Date.parse(period.begunAt) > 2 * limits.garbageAgeMs
  if (!isOld) return
  const key = [kind, period.period]
  await connection.execute(write(sql.removePeriod, key, begunUs(period)), signal)
}

/** Manifest, chunks, row: a deletion that was cut short is found in the list, and repeated. */
async function remove(
  connection: CqlConnection,
  sql: Queries,
  ref: BlobRef,
  signal: AbortSignal,
): Promise<void> {
  const key = [ref.kind, periodOf(ref.id), ref.id]
  const [found] = await connection.execute(read(sql.find, key, 1), signal)
  if (found === undefined) return
  const row = blobRow(ref.kind, found)
  // The clock of the process that deletes may be behind that of the one that wrote.
  const timestampUs = Math.max(Date.now() * 1_000, begunUs(row) + 1)
  await connection.execute(write(sql.removeManifest, key, timestampUs), signal)
  const buckets = Array.from({ length: bucketsIn(row) }, (_, bucket) => bucket)
  await allSettled(
    buckets.map((bucket) => {
      const statement = write(sql.removeChunks, [ref.kind, ref.id, bucket], timestampUs)
      return connection.execute(statement, signal)
    }),
  )
  await connection.execute(write(sql.removeBlob, key, timestampUs), signal)
}

function blobQueries(keyspace: string) {
  const key = 'kind = ? AND period = ? AND id = ?'
  const row = 'id, label, size_bytes, begun_at, sha256, chunk_count, chunk_bytes, created_at, seal'
  const periods = `SELECT period, begun_at FROM ${keyspace}.blob_periods WHERE kind = ? AND period`
  const chunkKey = 'kind = ? AND id = ? AND bucket = ?'
  return {
    putPeriod: `INSERT INTO ${keyspace}.blob_periods (kind, period, begun_at) VALUES (?, ?, ?)`,
    removePeriod: `DELETE FROM ${keyspace}.blob_periods WHERE kind = ? AND period = ?`,
    periodsFrom: `${periods} >= ? LIMIT ${bucketsAtOnce}`,
    periodsAfter: `${periods} > ? LIMIT ${bucketsAtOnce}`,
    begin: `INSERT INTO ${keyspace}.blobs (kind, period, id, label, size_bytes, begun_at)
            VALUES (?, ?, ?, ?, ?, ?)`,
    putChunk: `INSERT INTO ${keyspace}.chunks (kind, id, bucket, number, bytes, sha256)
               VALUES (?, ?, ?, ?, ?, ?)`,
    finish: `UPDATE ${keyspace}.blobs SET sha256 = ?, chunk_count = ?, chunk_bytes = ?,
             created_at = ?, seal = ? WHERE ${key}`,
    find: `SELECT ${row} FROM ${keyspace}.blobs WHERE ${key}`,
    getChunks: `SELECT number, bytes, sha256 FROM ${keyspace}.chunks
                WHERE ${chunkKey} AND number >= ? AND number < ?`,
    list: `SELECT ${row} FROM ${keyspace}.blobs
           WHERE kind = ? AND period = ? AND id > ? LIMIT ?`,
    removeManifest: `DELETE sha256, chunk_count, chunk_bytes, created_at, seal
                     FROM ${keyspace}.blobs WHERE ${key}`,
    removeChunks: `DELETE FROM ${keyspace}.chunks WHERE ${chunkKey}`,
    removeBlob: `DELETE FROM ${keyspace}.blobs WHERE ${key}`,
  }
}

function read(query: string, parameters: readonly unknown[], rowsMax: number): Statement {
  return { query, parameters, rowsMax, size: 'row' }
}

function write(query: string, parameters: readonly unknown[], timestampUs: number): Statement {
  return { query, parameters, timestampUs, rowsMax: 1, size: 'row' }
}

/**
 * Rejects with the first fault, but only after all have come to an end: a caller that goes on must
 * not be overtaken by its own writes.
 */
async function allSettled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work)
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

function periodOf(id: string): string {
  return id.slice(0, periodCharacters)
}

function bucketOf(number: number): number {
  return Math.floor(number / chunksPerBucket)
}

/** The chunks `from` up to `from + count` as one range a partition. */
function rangesOf(from: number, count: number) {
  const ranges: { bucket: number; first: number; end: number }[] = []
  for (let first = from; first < from + count; ) {
    const bucket = bucketOf(first)
    const end = Math.min(from + count, (bucket + 1) * chunksPerBucket)
    ranges.push({ bucket, first, end })
    first = end
  }
  return ranges
}

/** From what was announced at the beginning: an unfinished upload has no manifest. */
function bucketsIn(row: BlobRow): number {
  const sizeBytes = Math.min(row.sizeBytes, limits.blobBytesMax)
  const chunks = Math.max(sizeBytes / limits.chunkBytes, row.manifest?.chunkCount ?? 0)
  return Math.min(Math.ceil(chunks / chunksPerBucket), bucketsMax)
}

/** However damaged a row may be, deleting it is a bounded piece of work. */
const bucketsMax = Math.ceil(limits.blobBytesMax / limits.chunkBytes / chunksPerBucket)

function begunUs(upload: Pick<UploadRow, 'begunAt'>): number {
  const ms = Date.parse(upload.begunAt)
  return Number.isNaN(ms) ? 0 : ms * 1_000
}

function blobRow(kind: BlobKind, row: types.Row): BlobRow {
  return {
    kind,
    id: text(row.id),
    label: text(row.label),
    sizeBytes: count(row.size_bytes),
    begunAt: text(row.begun_at),
    manifest: row.seal === null ? null : manifestRow(row),
  }
}

function manifestRow(row: types.Row) {
  return {
    sha256: text(row.sha256),
    chunkCount: count(row.chunk_count),
    chunkBytes: count(row.chunk_bytes),
    createdAt: text(row.created_at),
    seal: text(row.seal),
  }
}

function chunkRow(row: types.Row): ChunkRow {
  const bytes = row.bytes instanceof Uint8Array ? row.bytes : new Uint8Array()
  return {
    number: count(row.number),
    bytes: bytes as Uint8Array<ArrayBuffer>,
    sha256: text(row.sha256),
  }
}

/** A cell that is missing becomes a value that no checksum allows: the readers above find it. */
function text(cell: unknown): string {
  return typeof cell === 'string' ? cell : ''
}

function count(cell: unknown): number {
  return typeof cell === 'number' ? cell : -1
}
