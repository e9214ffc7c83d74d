import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  type BlobKind,
  type BlobListing,
  type BlobRef,
  collectGarbage,
  limits,
  mintBlobId,
  type Store,
} from '../../src/index.ts'
import { bytesOf, clockAt, never, rejectionOf } from './backend.ts'
import type { Bench } from './conformance.ts'
import { beforeId } from './conformance-blobs.ts'

const chunk = limits.chunkBytes
const dayMs = 86_400_000
const nowMs = Date.parse('2031-05-05T12:00:00Z')
const now = clockAt(new Date(nowMs).toISOString())

export function garbageTests(bench: Bench): void {
  describe('garbage', () => {
    test('what is referred to and what is young is spared, all else goes', async () => {
      const old = clockAt(new Date(nowMs - dayMs - 1).toISOString())
      const young = clockAt(new Date(nowMs - dayMs + 60_000).toISOString())
      const [oldStore, youngStore] = [
        await bench.backend().open(old),
        await bench.backend().open(young),
      ]
      const write = async (store: Store) => {
        const ref = { kind: 'model', id: mintBlobId() } as const
        await store.writeBlob({ ...ref, label: '', content: bytesOf(chunk + 1) }, never)
        return ref.id
      }
      const [garbage, named, fresh] = [
        await write(oldStore),
        await write(oldStore),
        await write(youngStore),
      ]
      const others = await idsOf(bench.store(), 'model')
      const isReferenced = (id: string) => id !== garbage && id !== fresh
      const collection = {
        store: bench.store(),
        kind: 'model',
        isReferenced,
        ageMs: dayMs,
        clock: now,
      } as const
      const { scanned, deleted } = await collectGarbage(collection, never)
      expect({ scanned, deleted }).toEqual({ scanned: others.length, deleted: 1 })
      expect(
        await bench.store().readManifest({ kind: 'model', id: garbage }, never),
      ).toBeUndefined()
      for (const id of [named, fresh])
        expect((await bench.store().readBlob({ kind: 'model', id }, never)).length).toBe(chunk + 1)
      await Promise.all([oldStore.close(), youngStore.close()])
    })

    test('collecting walks all pages', async () => {
      const old = await bench.backend().open(clockAt('2020-01-01T00:00:00Z'))
      const ids = new Set<string>()
      for (let index = 0; index < limits.pageItemsMax + 5; index += 1) {
        const id = mintBlobId()
        ids.add(id)
        await old.writeBlob({ kind: 'dataset', id, label: '', content: bytesOf(0) }, never)
      }
      const isReferenced = (id: string) => !ids.has(id)
      const collection = {
        store: old,
        kind: 'dataset',
        isReferenced,
        ageMs: dayMs,
        clock: now,
      } as const
      const { deleted } = await collectGarbage(collection, never)
      expect(deleted).toBe(ids.size)
      const left = await idsOf(bench.store(), 'dataset')
      expect(left.filter((id) => ids.has(id))).toEqual([])
      await old.close()
    })

    test('a torn write is never readable, is listed as unfinished, and is collected', async () => {
      const ref = { kind: 'model', id: mintBlobId() } as const
      const controller = new AbortController()
      const reason = new Error('the writer was cut off')
      const upload = { ...ref, label: 'torn', content: bytesOf(chunk * 60) }
      const writing = rejectionOf(bench.store().writeBlob(upload, controller.signal))
      await untilChunk(bench, ref, 0)
      controller.abort(reason)
      expect(await writing).toBe(reason)
      expect((await rejectionOf(bench.store().readBlob(ref, never))).name).toBe('Missing')
      expect(await bench.store().readManifest(ref, never)).toBeUndefined()
      const listing = await listingOf(bench.store(), ref)
      expect(listing).toMatchObject({ ...ref, manifest: null })
      const later = clockAt(new Date(Date.parse(listing!.begunAt) + dayMs + 1).toISOString())
      const isReferenced = (id: string) => id !== ref.id
      const collection = {
        store: bench.store(),
        kind: 'model',
        isReferenced,
        ageMs: dayMs,
        clock: later,
      } as const
      expect((await collectGarbage(collection, never)).deleted).toBe(1)
      expect(await listingOf(bench.store(), ref)).toBeUndefined()
      await expectNoChunks(bench, ref, 60)
    })

    test('a writer that goes on after its upload was collected fails and leaves nothing', async () => {
      const ref = { kind: 'model', id: mintBlobId() } as const
      const other = await bench.backend().open()
      const upload = { ...ref, label: 'late', content: bytesOf(chunk * 60) }
      const writing = rejectionOf(other.writeBlob(upload, never))
      await untilChunk(bench, ref, 0)
      await bench.store().deleteBlob(ref, never)
      expect((await writing).name).toBe('Missing')
      expect(await listingOf(bench.store(), ref)).toBeUndefined()
      expect((await rejectionOf(bench.store().readBlob(ref, never))).name).toBe('Missing')
      await expectNoChunks(bench, ref, 60)
      await other.close()
    })

    test('a blob from a clock that is ahead can be deleted', async () => {
      const ahead = await bench.backend().open(clockAt(new Date(Date.now() + 60_000).toISOString()))
      const ref = { kind: 'model', id: mintBlobId() } as const
      await ahead.writeBlob({ ...ref, label: '', content: bytesOf(chunk) }, never)
      await bench.store().deleteBlob(ref, never)
      expect(await listingOf(bench.store(), ref)).toBeUndefined()
      await expectNoChunks(bench, ref, 1)
      await ahead.close()
    })

    test('collecting stops when the caller gives up', async () => {
      const reason = new Error('shutting down')
      const collection = {
        store: bench.store(),
        kind: 'model',
        isReferenced: () => true,
        ageMs: 0,
        clock: now,
      } as const
      expect(await rejectionOf(collectGarbage(collection, AbortSignal.abort(reason)))).toBe(reason)
    })
  })
}

async function untilChunk(bench: Bench, ref: BlobRef, number: number): Promise<void> {
  while ((await bench.backend().getChunk(ref, number)) === undefined) await delay(1)
}

async function expectNoChunks(bench: Bench, ref: BlobRef, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1)
    expect(await bench.backend().getChunk(ref, number), `chunk ${number}`).toBeUndefined()
}

async function listingOf(store: Store, ref: BlobRef): Promise<BlobListing | undefined> {
  const page = { after: beforeId(ref.id), limit: 1 }
  const { blobs } = await store.listBlobs(ref.kind, page, never)
  return blobs.find((blob) => blob.id === ref.id)
}

async function idsOf(store: Store, kind: BlobKind): Promise<string[]> {
  const ids: string[] = []
  for (let after: string | null = null; ; ) {
    const page = await store.listBlobs(kind, { after, limit: limits.pageItemsMax }, never)
    ids.push(...page.blobs.map((blob) => blob.id))
    after = page.next
    if (after === null) return ids
  }
}
