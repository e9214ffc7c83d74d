/**
 * Where bytes live: data sets and models as checksummed chunks, and the records that have left the
 * coordinator. A blob id is minted for one upload and never used again, so nothing is ever
 * overwritten; which blob counts is said by the coordinator, never here. Methods reject with
 * `Unavailable` when the backend cannot be reached or is late, and with the signal's reason when
 * the caller gave up.
 */
export interface Store {
  /**
   * Writes the chunks, then the manifest, then reads all back. Until it resolves the blob cannot be
   * read; if it rejects, what was written is garbage. Rejects with a `Bug` on an id that has a
   * manifest already, and with a `RangeError` above `limits.blobBytesMax`.
   */
  writeBlob(upload: Upload, signal: AbortSignal): Promise<Manifest>
  /**
   * The content, verified. `Missing` without a manifest; `Damaged` when anything does not match.
   */
  readBlob(ref: BlobRef, signal: AbortSignal): Promise<Uint8Array>
  /** The manifest, or undefined where an upload never finished or was deleted. */
  readManifest(ref: BlobRef, signal: AbortSignal): Promise<Manifest | undefined>
  /**
   * Finished and unfinished uploads of one kind in id order, at most `limit`, after `after`. A page
   * never has more than `limits.pageItemsMax`; `next` is null on the last one.
   */
  listBlobs(kind: BlobKind, page: Page, signal: AbortSignal): Promise<BlobPage>
  /** Removes manifest first, then chunks. Doing it twice does no harm. */
  deleteBlob(ref: BlobRef, signal: AbortSignal): Promise<void>
  /**
   * Keeps a record for good; the same (collection, scope, id) is replaced. Keys are ASCII without
   * spaces. Rejects with a `RangeError` on a value above `limits.valueBytesMax`.
   */
  putRecord(record: StoredRecord, signal: AbortSignal): Promise<void>
  getRecord(ref: RecordRef, signal: AbortSignal): Promise<StoredRecord | undefined>
  /** Records of one scope, newest id first (ids compare as text). */
  listRecords(
    scope: Omit<RecordRef, 'id'>,
    page: Page,
    signal: AbortSignal,
  ): Promise<{ readonly records: readonly StoredRecord[]; readonly next: string | null }>
  deleteRecord(ref: RecordRef, signal: AbortSignal): Promise<void>
  /** Resolves when the backend answers. */
  ping(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export type BlobKind = 'dataset' | 'model'

export type BlobRef = { readonly kind: BlobKind; readonly id: string }

export type Upload = BlobRef & {
  readonly content: Uint8Array
  /** For people and for repair: which model and version it was written for. */
  readonly label: string
}

export type Manifest = BlobRef & {
  readonly label: string
  readonly sizeBytes: number
  /** Of the whole content, lower-case hex. */
  readonly sha256: string
  readonly chunkCount: number
  readonly chunkBytes: number
  readonly createdAt: string
}

/** An upload as listed: `manifest` is null when it never finished, or its manifest is damaged. */
export type BlobListing = BlobRef & {
  readonly begunAt: string
  readonly manifest: Manifest | null
}

export type Page = { readonly after: string | null; readonly limit: number }

export type BlobPage = { readonly blobs: readonly BlobListing[]; readonly next: string | null }

export type RecordRef = {
  /** What kind of record: `versions`, `jobs`. */
  readonly collection: string
  /** What it belongs to, such as `{tenant}/{model}`. */
  readonly scope: string
  readonly id: string
}

export type StoredRecord = RecordRef & { readonly value: string }
