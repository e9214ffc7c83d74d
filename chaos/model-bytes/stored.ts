import { createHash } from 'node:crypto'
import { Bug, mintBlobId, type VersionRecord } from '../../shared/src/index.ts'
import { sealOf } from '../../shared/src/store/manifest.ts'
import type { BlobRow, ChunkRow, ManifestRow, Rows } from '../../shared/src/store/rows.ts'

/** A model as it lies in a database, and the version's record that points to it. */
export type Stored = {
  /** Undefined: the row is gone. */
  readonly row: BlobRow | undefined
  /** As the database gives them. */
  readonly chunks: readonly ChunkRow[]
  readonly record: VersionRecord
}

/** Like what an upload writes, but in chunks so small that a few hundred bytes have several. */
export function storedModel(content: Uint8Array, chunkBytes: number): Stored {
  const id = mintBlobId()
  const upload = { kind: 'model', id, label: 'm/1', sizeBytes: content.length } as const
  const createdAt = '2026-01-01T00:00:00.000Z'
  const chunks = chunksOf(content, chunkBytes)
  const row = { ...upload, begunAt: createdAt, manifest: null }
  const manifest = { sha256: '', chunkCount: chunks.length, chunkBytes, createdAt, seal: '' }
  const unsealed: Stored = { row: { ...row, manifest }, chunks, record: recordOf(id, content) }
  return consistent(unsealed, content)
}

/** The same blob with other content, every checksum of the store made to fit it. */
export function consistent(stored: Stored, content: Uint8Array): Stored {
  const { row } = stored
  if (row?.manifest == null) throw new Bug('a blob without a manifest holds nothing')
  const { chunkBytes } = row.manifest
  const chunks = chunksOf(content, chunkBytes)
  const sizeBytes = content.length
  const sums = { sha256: sha256Of(content), chunkCount: chunks.length }
  const manifest = resealed({ ...row, sizeBytes }, { ...row.manifest, ...sums })
  return { ...stored, row: { ...row, sizeBytes, manifest }, chunks }
}

/** A manifest that is what its checksum says, whatever it says. */
export function resealed(row: Omit<BlobRow, 'manifest'>, manifest: ManifestRow): ManifestRow {
  const { kind, id, label, sizeBytes } = row
  return { ...manifest, seal: sealOf({ ...manifest, kind, id, label, sizeBytes }) }
}

export function contentOf({ chunks }: Stored): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(chunks.map(({ bytes }) => bytes)))
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What the store reads from; nothing can be written. */
export function rowsOf({ row, chunks }: Stored): Rows {
  const refuse = async () => {
    throw new Bug('only for reading')
  }
  return {
    find: async () => row,
    getChunks: async (_ref, from, count) =>
      chunks.filter(({ number }) => number >= from && number < from + count),
    begin: refuse,
    putChunks: refuse,
    finish: refuse,
    list: refuse,
    remove: refuse,
    putRecord: refuse,
    getRecord: refuse,
    listRecords: refuse,
    deleteRecord: refuse,
    ping: refuse,
    close: async () => {},
  }
}

function chunksOf(content: Uint8Array, chunkBytes: number): ChunkRow[] {
  return Array.from({ length: Math.ceil(content.length / chunkBytes) }, (_, number) => {
    const bytes = new Uint8Array(content.subarray(number * chunkBytes, (number + 1) * chunkBytes))
    return { number, bytes, sha256: sha256Of(bytes) }
  })
}

function recordOf(blob: string, content: Uint8Array): VersionRecord {
  const at = '2026-01-01T00:00:00.000Z'
  return {
    version: 1,
    state: 'stored',
    job: 'job',
    spec: {},
    dataset: { blob: 'dataset', observations: 1 },
    blob,
    sha256: sha256Of(content),
    sizeBytes: content.length,
    error: null,
    metrics: {},
    times: { createdAt: at, fittingAt: at, storedAt: at, failedAt: null },
  }
}
