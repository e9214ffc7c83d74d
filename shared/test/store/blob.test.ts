import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits, mintBlobId, systemClock } from '../../src/index.ts'
import { readBlob, writeBlob } from '../../src/store/blob.ts'
import { manifestOf, sealOf } from '../../src/store/manifest.ts'
import type { Rows } from '../../src/store/rows.ts'
import { sqliteRows } from '../../src/store/sqlite/open.ts'
import { WorkerHost } from '../../src/store/sqlite/worker-host.ts'
import { bytesOf, never, rejectionOf } from './backend.ts'

const size = limits.chunkBytes * 20

describe('what happens between two steps', () => {
  let folder: string
  let rows: Rows
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'almanac-blob-'))
    const host = new WorkerHost(join(folder, 'store.sqlite'), 5_000)
    await host.start()
    rows = sqliteRows(host)
  })
  afterEach(async () => {
    await rows.close()
    await rm(folder, { recursive: true })
  })

  test('a blob that is deleted while it is read is missing, not damaged', async () => {
    const ref = { kind: 'model', id: mintBlobId() } as const
    await writeBlob(rows, systemClock, { ...ref, label: '', content: bytesOf(size) }, never)
    const meddling: Rows = {
      ...rows,
      getChunks: async (of, from, count, signal) => {
        if (from > 0) await rows.remove(ref, signal)
        return await rows.getChunks(of, from, count, signal)
      },
    }
    expect((await rejectionOf(readBlob(meddling, ref, never))).name).toBe('Missing')
  })

  test('a write whose bytes do not come back rejects, and is not left as finished', async () => {
    const ref = { kind: 'model', id: mintBlobId() } as const
    const forgetful: Rows = {
      ...rows,
      putChunks: (upload, chunks, signal) => rows.putChunks(upload, chunks.slice(1), signal),
    }
    const upload = { ...ref, label: '', content: bytesOf(size) }
    const error = await rejectionOf(writeBlob(forgetful, systemClock, upload, never))
    expect(error).toMatchObject({ name: 'Damaged' })
    expect(error.message).toContain('chunk 0 is missing')
    expect(await rows.find(ref, never)).toBeUndefined()
  })

  test('content that changes while it is written never makes a wrong blob', async () => {
    const ref = { kind: 'model', id: mintBlobId() } as const
    const content = bytesOf(size)
    const meddling: Rows = {
      ...rows,
      putChunks: async (upload, chunks, signal) => {
        content.fill(chunks[0]!.number)
        await rows.putChunks(upload, chunks, signal)
      },
    }
    const manifest = await writeBlob(meddling, systemClock, { ...ref, label: '', content }, never)
    const read = await readBlob(rows, ref, never)
    expect(read.subarray(0, 100)).toEqual(bytesOf(size).subarray(0, 100))
    expect(manifest.sizeBytes).toBe(read.byteLength)
  })

  test('at most eight chunks are under way at once', async () => {
    const counts: number[] = []
    const counting: Rows = {
      ...rows,
      putChunks: async (upload, chunks, signal) => {
        counts.push(chunks.length)
        await rows.putChunks(upload, chunks, signal)
      },
    }
    const upload = { kind: 'model', id: mintBlobId(), label: '', content: bytesOf(size) } as const
    await writeBlob(counting, systemClock, upload, never)
    expect(counts).toEqual([8, 8, 4])
  })
})

test('a manifest that asks for more than any blob may have is damaged, whatever its checksum', () => {
  const chunkBytes = limits.chunkBytes
  const sizeBytes = limits.blobBytesMax + chunkBytes
  const about = { kind: 'model', id: 'a', label: '', sizeBytes, createdAt: '' } as const
  const manifest = { ...about, sha256: '', chunkCount: sizeBytes / chunkBytes, chunkBytes }
  const row = { ...about, begunAt: '', manifest: { ...manifest, seal: sealOf(manifest) } }
  expect(() => manifestOf(row)).toThrow(`size is ${sizeBytes} bytes`)
})
