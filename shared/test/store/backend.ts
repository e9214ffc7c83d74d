import type { BlobRef, Clock, Store } from '../../src/index.ts'

/** A database under test, with hands that reach below the adapter. */
export interface Backend {
  open(clock?: Pick<Clock, 'wallTime'>): Promise<Store>
  getChunk(ref: BlobRef, number: number): Promise<StoredChunk | undefined>
  /** Replaces the chunk, or removes it. */
  setChunk(ref: BlobRef, number: number, chunk: StoredChunk | undefined): Promise<void>
  alterManifest(ref: BlobRef, column: ManifestColumn, value: string | number): Promise<void>
  /** Arguments for the child process of `close-cleanly.ts`. */
  readonly childOptions: Readonly<Record<string, unknown>>
  stop(): Promise<void>
}

export type StoredChunk = { readonly bytes: Uint8Array; readonly sha256: string }

export type ManifestColumn =
  | 'label'
  | 'size_bytes'
  | 'sha256'
  | 'chunk_count'
  | 'chunk_bytes'
  | 'created_at'
  | 'seal'

export const never: AbortSignal = new AbortController().signal

/** A wall clock that says what it is told. */
export function clockAt(wallTime: string): Pick<Clock, 'wallTime'> {
  return { wallTime: () => wallTime }
}

/** Bytes that repeat for a seed and do not compress. */
export function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = seed >>> 0 || 1
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return new Uint8Array(words.buffer, 0, length)
}

/** What the promise rejects with; fails when it resolves. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  return await promise.then(
    () => {
      throw new Error('it resolved instead of rejecting')
    },
    (error: Error) => error,
  )
}
