import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { BlobKind, BlobListing, Store } from './port.ts'

export type GarbageCollection = {
  readonly store: Store
  readonly kind: BlobKind
  /**
   * Whether any key of the coordinator names the blob, from a linearizable read made before the
   * collection. What was uploaded since is young, and safe through `ageMs`.
   */
  readonly isReferenced: (id: string) => boolean
  /** Younger blobs are spared: they may belong to an upload that nobody names yet. */
  readonly ageMs: number
  readonly clock: Pick<Clock, 'wallTime'>
}

/**
 * Deletes finished and unfinished uploads that nothing refers to and that began more than `ageMs`
 * ago. Stops at the first failure of the store; what is left is found by the next collection.
 */
export async function collectGarbage(
  collection: GarbageCollection,
  signal: AbortSignal,
): Promise<{ readonly scanned: number; readonly deleted: number }> {
  const { store, kind } = collection
  let scanned = 0
  let deleted = 0
  let after: string | null = null
  do {
    const page = await store.listBlobs(kind, { after, limit: limits.pageItemsMax }, signal)
    for (const blob of page.blobs) {
      scanned += 1
      if (!isGarbage(collection, blob)) continue
      await store.deleteBlob(blob, signal)
      deleted += 1
    }
    after = page.next
  } while (after !== null)
  return { scanned, deleted }
}

function isGarbage(collection: GarbageCollection, blob: BlobListing): boolean {
  // An instant that cannot be read gives NaN, which is older than nothing: when in doubt, keep.
  const ageMs = Date.parse(collection.clock.wallTime()) - Date.parse(blob.begunAt)
  return ageMs > collection.ageMs && !collection.isReferenced(blob.id)
}
