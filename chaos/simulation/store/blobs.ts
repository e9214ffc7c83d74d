import type { BlobRef, RecordRef, StoredRecord } from '@almanac/shared'
import type { BlobRow, ChunkRow, ManifestRow, UploadRow } from '../../../shared/src/store/rows.ts'

type Blob = { readonly row: UploadRow; manifest: ManifestRow | null; chunks: Map<number, ChunkRow> }

/** What a database keeps for the store. */
export class Blobs {
  readonly #blobs = new Map<string, Blob>()
  readonly #records = new Map<string, StoredRecord>()
  readonly #listeners: ((ref: BlobRef) => void)[] = []

  /** Told of every blob that was finished. */
  onFinished(listener: (ref: BlobRef) => void): void {
    this.#listeners.push(listener)
  }

  begin(row: UploadRow): void {
    this.#blobs.set(nameOf(row), { row, manifest: null, chunks: new Map() })
  }

  putChunks(row: UploadRow, chunks: readonly ChunkRow[]): void {
    const blob = this.#blobs.get(nameOf(row))
    for (const chunk of chunks) blob?.chunks.set(chunk.number, chunk)
  }

  finish(row: UploadRow, manifest: ManifestRow): void {
    const blob = this.#blobs.get(nameOf(row))
    if (!blob) return
    blob.manifest = manifest
    for (const listener of this.#listeners) listener(row)
  }

  find(ref: BlobRef): BlobRow | undefined {
    const blob = this.#blobs.get(nameOf(ref))
    return blob && { ...blob.row, manifest: blob.manifest }
  }

  getChunks(ref: BlobRef, from: number, count: number): ChunkRow[] {
    const { chunks } = this.#blobs.get(nameOf(ref)) ?? {}
    const numbers = Array.from({ length: count }, (_, i) => from + i)
    return numbers.flatMap((number) => chunks?.get(number) ?? [])
  }

  list(kind: string, after: string | null, limit: number): BlobRow[] {
    const rows = [...this.#blobs.values()].filter(({ row }) => row.kind === kind)
    return rows
      .map(({ row, manifest }) => ({ ...row, manifest }))
      .filter(({ id }) => after === null || id > after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
  }

  remove(ref: BlobRef): void {
    this.#blobs.delete(nameOf(ref))
  }

  ids(): string[] {
    return [...this.#blobs.values()].map(({ row }) => row.id)
  }

  putRecord(record: StoredRecord): void {
    this.#records.set(recordName(record), record)
  }

  getRecord(ref: RecordRef): StoredRecord | undefined {
    return this.#records.get(recordName(ref))
  }

  listRecords(scope: Omit<RecordRef, 'id'>, after: string | null, limit: number): StoredRecord[] {
    return [...this.#records.values()]
      .filter((one) => one.collection === scope.collection && one.scope === scope.scope)
      .filter(({ id }) => after === null || id < after)
      .sort((a, b) => (a.id > b.id ? -1 : 1))
      .slice(0, limit)
  }

  deleteRecord(ref: RecordRef): void {
    this.#records.delete(recordName(ref))
  }

  /** The content as it was written; for those who judge. */
  contentOf(ref: BlobRef): Uint8Array | undefined {
    return this.#blobs.get(nameOf(ref))?.chunks.get(0)?.bytes
  }

  /** Spoils what is stored, in one of the ways in which disks and operators do. */
  damage(ref: BlobRef, how: 'flip' | 'truncate' | 'lose'): void {
    const blob = this.#blobs.get(nameOf(ref))
    const chunk = blob?.chunks.get(0)
    if (!blob || !chunk) return
    if (how === 'lose') {
      blob.chunks.delete(0)
      return
    }
    const bytes = new Uint8Array(how === 'flip' ? chunk.bytes : chunk.bytes.subarray(1))
    const middle = bytes.length >> 1
    if (how === 'flip') bytes[middle] = bytes[middle]! ^ 4
    blob.chunks.set(0, { ...chunk, bytes })
  }
}

const nameOf = ({ kind, id }: BlobRef) => `${kind} ${id}`
const recordName = ({ collection, scope, id }: RecordRef) => `${collection} ${scope} ${id}`
