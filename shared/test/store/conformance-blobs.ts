import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits, mintBlobId } from '../../src/index.ts'
import { bytesOf, never, rejectionOf } from './backend.ts'
import type { Bench } from './conformance.ts'

const chunk = limits.chunkBytes
const sizes = [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 20_000_000]

export function blobTests(bench: Bench): void {
  describe('blobs', () => {
    for (const size of sizes)
      test(`${size} bytes come back as they were written`, async () => {
        const upload = {
          kind: 'model',
          id: mintBlobId(),
          label: 'm/1',
          content: bytesOf(size),
        } as const
        const before = createHash('sha256').update(upload.content).digest('hex')
        const manifest = await bench.store().writeBlob(upload, never)
        expect(manifest).toMatchObject({
          kind: 'model',
          id: upload.id,
          label: 'm/1',
          sizeBytes: size,
          sha256: before,
          chunkCount: Math.ceil(size / chunk),
          chunkBytes: chunk,
        })
        expect(upload.content.byteLength, 'the content stays with the caller').toBe(size)
        const content = await bench.store().readBlob(upload, never)
        expect(Buffer.compare(content, upload.content)).toBe(0)
        expect(await bench.store().readManifest(upload, never)).toEqual(manifest)
      })

    test('any content comes back as it was written, also a part of a larger buffer', async () => {
      const around = fc.integer({ min: -2, max: 2 })
      const anySize = fc.tuple(fc.integer({ min: 0, max: 3 }), around)
      await fc.assert(
        fc.asyncProperty(anySize, fc.integer(), fc.nat(9), async ([chunks, more], seed, offset) => {
          const size = Math.max(0, chunks * chunk + more)
          const content = bytesOf(size + offset, seed).subarray(offset)
          const ref = { kind: 'dataset', id: mintBlobId() } as const
          await bench.store().writeBlob({ ...ref, label: '', content }, never)
          const read = await bench.store().readBlob(ref, never)
          expect(Buffer.compare(read, content)).toBe(0)
        }),
        { numRuns: 15 },
      )
    })

    test('blobs written at the same time do not mix', async () => {
      const uploads = Array.from({ length: 8 }, (_, index) => ({
        kind: index % 2 ? ('model' as const) : ('dataset' as const),
        id: mintBlobId(),
        label: `writer ${index}`,
        content: bytesOf(chunk * 2 + index, index + 1),
      }))
      const stores = [bench.store(), await bench.backend().open()]
      await Promise.all(uploads.map((upload, index) => stores[index % 2]!.writeBlob(upload, never)))
      for (const upload of uploads) {
        const content = await bench.store().readBlob(upload, never)
        expect(Buffer.compare(content, upload.content)).toBe(0)
      }
      await stores[1]!.close()
    })

    test('a blob of one kind is not found under the other', async () => {
      const id = mintBlobId()
      await bench.store().writeBlob({ kind: 'model', id, label: '', content: bytesOf(5) }, never)
      expect(await bench.store().readManifest({ kind: 'dataset', id }, never)).toBeUndefined()
      const error = await rejectionOf(bench.store().readBlob({ kind: 'dataset', id }, never))
      expect(error.name).toBe('Missing')
    })

    test('an id that has a manifest is refused, and its content stays', async () => {
      const ref = { kind: 'model', id: mintBlobId() } as const
      await bench.store().writeBlob({ ...ref, label: 'a', content: bytesOf(9, 1) }, never)
      const again = bench.store().writeBlob({ ...ref, label: 'b', content: bytesOf(9, 2) }, never)
      expect((await rejectionOf(again)).name).toBe('Bug')
      expect(await bench.store().readBlob(ref, never)).toEqual(bytesOf(9, 1))
    })

    test('two writers of one id never make a readable mixture', async () => {
      const other = await bench.backend().open()
      for (let round = 0; round < 3; round += 1) {
        const ref = { kind: 'model', id: mintBlobId() } as const
        const contents = [bytesOf(chunk * 12, 7 + round), bytesOf(chunk * 12 + 5, 70 + round)]
        await Promise.allSettled([
          bench.store().writeBlob({ ...ref, label: 'a', content: contents[0]! }, never),
          other.writeBlob({ ...ref, label: 'b', content: contents[1]! }, never),
        ])
        const outcome = await bench
          .store()
          .readBlob(ref, never)
          .catch((error: Error) => error)
        if (outcome instanceof Error) expect(['Damaged', 'Missing']).toContain(outcome.name)
        else expect(contents.some((content) => Buffer.compare(content, outcome) === 0)).toBe(true)
      }
      await other.close()
    })

    test('a blob above the limit is refused before anything is written', async () => {
      const content = new Uint8Array(limits.blobBytesMax + 1)
      const ref = { kind: 'model', id: mintBlobId() } as const
      const error = await rejectionOf(
        bench.store().writeBlob({ ...ref, label: '', content }, never),
      )
      expect(error).toBeInstanceOf(RangeError)
      const { blobs } = await bench.store().listBlobs('model', { after: ref.id, limit: 1 }, never)
      expect(blobs).toEqual([])
    })

    test('an id that is not plain is a bug', async () => {
      for (const id of ['', 'a/b', "a'b", 'ä', 'x'.repeat(65)]) {
        const error = await rejectionOf(bench.store().readBlob({ kind: 'model', id }, never))
        expect(error.name).toBe('Bug')
      }
    })

    test('a deleted blob is missing, and deleting it twice does no harm', async () => {
      const ref = { kind: 'model', id: mintBlobId() } as const
      await bench.store().writeBlob({ ...ref, label: '', content: bytesOf(chunk * 40) }, never)
      await bench.store().deleteBlob(ref, never)
      await bench.store().deleteBlob(ref, never)
      expect((await rejectionOf(bench.store().readBlob(ref, never))).name).toBe('Missing')
      expect(await bench.store().readManifest(ref, never)).toBeUndefined()
      for (let number = 0; number < 40; number += 1)
        expect(await bench.backend().getChunk(ref, number)).toBeUndefined()
    })

    test('a list comes in id order, in pages, each blob once', async () => {
      const ids = Array.from({ length: 7 }, () => mintBlobId())
      for (const id of [...ids].reverse()) {
        const upload = { kind: 'dataset', id, label: id, content: bytesOf(3) } as const
        await bench.store().writeBlob(upload, never)
      }
      const first = beforeId(ids[0]!)
      const seen: string[] = []
      const sizes: number[] = []
      for (let after: string | null = first; after !== null; ) {
        const page = await bench.store().listBlobs('dataset', { after, limit: 3 }, never)
        seen.push(...page.blobs.map((blob) => blob.id))
        sizes.push(page.blobs.length)
        after = page.next
        for (const { id, manifest } of page.blobs) expect(manifest?.label).toBe(id)
      }
      expect(seen).toEqual(ids)
      expect(sizes).toEqual([3, 3, 1])
    })

    test('a list crosses long spans of time between its blobs', async () => {
      const ids = ['00000000-far-past', '01ffffff-1', '01ffffff-2', '7fffffff-far-future']
      for (const id of ids)
        await bench.store().writeBlob({ kind: 'model', id, label: '', content: bytesOf(1) }, never)
      const seen: string[] = []
      for (let after: string | null = null; ; ) {
        const page = await bench.store().listBlobs('model', { after, limit: 2 }, never)
        seen.push(...page.blobs.map((blob) => blob.id))
        after = page.next
        if (after === null) break
      }
      expect(seen.filter((id) => ids.includes(id))).toEqual(ids)
      expect(seen).toEqual([...seen].sort())
      for (const id of ids) await bench.store().deleteBlob({ kind: 'model', id }, never)
    })

    test('a call with an aborted signal rejects with its reason and does nothing', async () => {
      const reason = new Error('the caller left')
      const signal = AbortSignal.abort(reason)
      const ref = { kind: 'model', id: mintBlobId() } as const
      const upload = { ...ref, label: '', content: bytesOf(3) }
      expect(await rejectionOf(bench.store().writeBlob(upload, signal))).toBe(reason)
      expect(await rejectionOf(bench.store().readBlob(ref, signal))).toBe(reason)
      expect(await rejectionOf(bench.store().ping(signal))).toBe(reason)
      const page = await bench
        .store()
        .listBlobs('model', { after: beforeId(ref.id), limit: 1 }, never)
      expect(page.blobs).toEqual([])
    })

    test('a read that is aborted midway rejects at once with the reason', async () => {
      const ref = { kind: 'model', id: mintBlobId() } as const
      await bench.store().writeBlob({ ...ref, label: '', content: bytesOf(20_000_000) }, never)
      const controller = new AbortController()
      const reading = rejectionOf(bench.store().readBlob(ref, controller.signal))
      await bench.store().ping(never)
      const reason = new Error('the caller left')
      const abortedMs = performance.now()
      controller.abort(reason)
      expect(await reading).toBe(reason)
      expect(performance.now() - abortedMs).toBeLessThan(500)
    })
  })
}

/** The greatest id that is less, to begin a list with an id. */
export function beforeId(id: string): string {
  return `${id.slice(0, -1)}${String.fromCharCode(id.charCodeAt(id.length - 1) - 1)}~`
}
