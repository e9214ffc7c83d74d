import { describe, expect, test } from 'vitest'
import { type BlobRef, limits, mintBlobId } from '../../src/index.ts'
import { bytesOf, type ManifestColumn, never, rejectionOf } from './backend.ts'
import type { Bench } from './conformance.ts'

const chunk = limits.chunkBytes

export function damageTests(bench: Bench): void {
  describe('damage', () => {
    const write = async (): Promise<BlobRef> => {
      const ref: BlobRef = { kind: 'model', id: mintBlobId() }
      const content = bytesOf(chunk * 10 + 100, 5)
      await bench.store().writeBlob({ ...ref, label: 'm/1', content }, never)
      return ref
    }
    const faultOf = async (ref: BlobRef): Promise<string> => {
      const error = await rejectionOf(bench.store().readBlob(ref, never))
      expect(error.name, error.message).toBe('Damaged')
      expect(error.message).toContain(ref.id)
      return error.message
    }

    test('a flipped bit in any chunk is found', async () => {
      const ref = await write()
      for (const number of [0, 7, 8, 10]) {
        const good = (await bench.backend().getChunk(ref, number))!
        const bytes = good.bytes.slice()
        bytes[bytes.length >> 1]! ^= 0x10
        await bench.backend().setChunk(ref, number, { ...good, bytes })
        expect(await faultOf(ref)).toContain(`chunk ${number} does not match its checksum`)
        await bench.backend().setChunk(ref, number, good)
      }
      expect((await bench.store().readBlob(ref, never)).byteLength).toBe(chunk * 10 + 100)
    })

    test('a lost chunk is found, the last one too', async () => {
      const ref = await write()
      for (const number of [0, 3, 9, 10]) {
        const good = (await bench.backend().getChunk(ref, number))!
        await bench.backend().setChunk(ref, number, undefined)
        expect(await faultOf(ref)).toContain(`chunk ${number} is missing`)
        await bench.backend().setChunk(ref, number, good)
      }
    })

    test('a chunk that is too short or too long is found', async () => {
      const ref = await write()
      const good = (await bench.backend().getChunk(ref, 1))!
      for (const bytes of [good.bytes.slice(1), bytesOf(chunk + 1), new Uint8Array()]) {
        await bench.backend().setChunk(ref, 1, { ...good, bytes })
        expect(await faultOf(ref)).toContain(`chunk 1 has ${bytes.length} bytes`)
      }
    })

    test('two chunks in exchanged places are found, though each matches its own checksum', async () => {
      const ref = await write()
      const [a, b] = [
        await bench.backend().getChunk(ref, 2),
        await bench.backend().getChunk(ref, 6),
      ]
      await bench.backend().setChunk(ref, 2, b)
      await bench.backend().setChunk(ref, 6, a)
      expect(await faultOf(ref)).toContain('content does not match its checksum')
    })

    test('a chunk of another blob is found', async () => {
      const ref = await write()
      const other: BlobRef = { kind: 'model', id: mintBlobId() }
      const content = bytesOf(chunk * 10 + 100, 6)
      await bench.store().writeBlob({ ...other, label: '', content }, never)
      await bench.backend().setChunk(ref, 4, await bench.backend().getChunk(other, 4))
      expect(await faultOf(ref)).toContain('content does not match its checksum')
    })

    const alterations: readonly [ManifestColumn, string | number][] = [
      ['label', 'm/2'],
      ['size_bytes', 0],
      ['size_bytes', -1],
      ['size_bytes', chunk * 10 + 99],
      ['size_bytes', limits.blobBytesMax + 1],
      ['size_bytes', 2_147_483_647],
      ['chunk_count', 0],
      ['chunk_count', 12],
      ['chunk_bytes', 0],
      ['chunk_bytes', -chunk],
      ['chunk_bytes', 2_147_483_647],
      ['sha256', '0'.repeat(64)],
      ['sha256', ''],
      ['created_at', '1970-01-01T00:00:00.000Z'],
      ['seal', ''],
      ['seal', 'f'.repeat(64)],
    ]
    test('a manifest altered in any field is found, and does not hide the list', async () => {
      for (const [column, value] of alterations) {
        const ref = await write()
        await bench.backend().alterManifest(ref, column, value)
        expect(await faultOf(ref), `${column} ${value}`).toContain('manifest of model')
        expect((await rejectionOf(bench.store().readManifest(ref, never))).name).toBe('Damaged')
        const after = ref.id.slice(0, -1)
        const { blobs } = await bench.store().listBlobs('model', { after, limit: 1 }, never)
        expect(blobs).toMatchObject([{ id: ref.id, manifest: null }])
        await bench.store().deleteBlob(ref, never)
      }
    })
  })
}
