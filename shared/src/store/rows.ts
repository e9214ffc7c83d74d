import type { BlobKind, BlobRef, RecordRef, StoredRecord } from './port.ts'

/**
 * What a backend does for the store: it moves rows. What they mean (chunking, checksums, what is
 * damaged) is decided once, in `blob.ts`, for all of them. Every method is bounded in time by the
 * adapter, and rejects as the port says.
 */
export interface Rows {
  /** Notes that an upload begins. Rejects with a `Bug` if the id has a manifest. */
  begin(upload: UploadRow, signal: AbortSignal): Promise<void>
  /** Takes ownership of the chunks' buffers. `Missing` when the upload was collected meanwhile. */
  putChunks(upload: UploadRow, chunks: readonly ChunkRow[], signal: AbortSignal): Promise<void>
  /** Makes the upload a blob. `Missing` when it was collected, where the backend can tell. */
  finish(upload: UploadRow, manifest: ManifestRow, signal: AbortSignal): Promise<void>
  find(ref: BlobRef, signal: AbortSignal): Promise<BlobRow | undefined>
  /** The chunks numbered `from` up to `from + count`, those that exist, in order. */
  getChunks(
    ref: BlobRef,
    from: number,
    count: number,
    signal: AbortSignal,
  ): Promise<readonly ChunkRow[]>
  /** In id order, ids greater than `after`, at most `limit`. */
  list(
    kind: BlobKind,
    after: string | null,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly BlobRow[]>
  remove(ref: BlobRef, signal: AbortSignal): Promise<void>
  putRecord(record: StoredRecord, signal: AbortSignal): Promise<void>
  getRecord(ref: RecordRef, signal: AbortSignal): Promise<StoredRecord | undefined>
  /** In descending id order, ids less than `after`, at most `limit`. */
  listRecords(
    scope: Omit<RecordRef, 'id'>,
    after: string | null,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[]>
  deleteRecord(ref: RecordRef, signal: AbortSignal): Promise<void>
  ping(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export type UploadRow = BlobRef & {
  readonly label: string
  readonly sizeBytes: number
  /** ISO 8601, by the clock of the process that uploads. */
  readonly begunAt: string
}

export type ManifestRow = {
  readonly sha256: string
  readonly chunkCount: number
  readonly chunkBytes: number
  readonly createdAt: string
  /** Checksum of the manifest itself, see `sealOf`. */
  readonly seal: string
}

export type BlobRow = UploadRow & { readonly manifest: ManifestRow | null }

export type ChunkRow = {
  readonly number: number
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Of these bytes, lower-case hex. */
  readonly sha256: string
}
