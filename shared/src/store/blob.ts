import { createHash, hash } from 'node:crypto'
import { setImmediate as otherWork } from 'node:timers/promises'
import { Bug } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { Damaged, Missing } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { manifestOf, sealOf } from './manifest.ts'
import type { BlobRef, Manifest, Upload } from './port.ts'
import type { ChunkRow, Rows, UploadRow } from './rows.ts'

/** Writes chunks, then the manifest, then reads all back; promises and faults as in the port. */
export async function writeBlob(
  rows: Rows,
  clock: Pick<Clock, 'wallTime'>,
  upload: Upload,
  signal: AbortSignal,
): Promise<Manifest> {
  const { kind, id, label, content } = upload
  const sizeBytes = content.byteLength
  if (sizeBytes > limits.blobBytesMax)
    throw new RangeError(`a blob of ${sizeBytes} bytes is above ${limits.blobBytesMax}`)
  const begun = await rows.find(upload, signal)
  if (begun !== undefined && begun.manifest !== null)
    throw new Bug(`blob id ${id} is in use: ids are minted for one upload`)
  const row: UploadRow = { kind, id, label, sizeBytes, begunAt: clock.wallTime() }
  await rows.begin(row, signal)
  const sha256 = await writeChunks(rows, row, content, signal)
  const { chunkBytes } = limits
  const chunkCount = Math.ceil(sizeBytes / chunkBytes)
  const createdAt = clock.wallTime()
  const manifest = { kind, id, label, sizeBytes, sha256, chunkCount, chunkBytes, createdAt }
  await rows.finish(row, { ...manifest, seal: sealOf(manifest) }, signal)
  await readBack(rows, manifest, signal)
  return manifest
}

/** The verified content, in a buffer of its own. */
export async function readBlob(
  rows: Rows,
  ref: BlobRef,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const manifest = await mustFind(rows, ref, signal)
  const content = new Uint8Array(manifest.sizeBytes)
  await verify(rows, manifest, signal, (chunk) => {
    content.set(chunk.bytes, chunk.number * manifest.chunkBytes)
  })
  return content
}

async function writeChunks(
  rows: Rows,
  row: UploadRow,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<string> {
  const { chunkBytes, storeChunksInFlight } = limits
  const whole = createHash('sha256')
  const count = Math.ceil(content.byteLength / chunkBytes)
  for (let from = 0; from < count; from += storeChunksInFlight) {
    const chunks: ChunkRow[] = []
    for (let number = from; number < Math.min(count, from + storeChunksInFlight); number += 1) {
      // A copy, because its buffer moves to the backend; hashed from the copy, so that checksum
      // and bytes agree whatever the caller does with the content meanwhile.
      const bytes = new Uint8Array(content.subarray(number * chunkBytes, (number + 1) * chunkBytes))
      whole.update(bytes)
      chunks.push({ number, bytes, sha256: sha256Of(bytes) })
      await otherWork()
    }
    await rows.putChunks(row, chunks, signal)
  }
  return whole.digest('hex')
}

/** What cannot be read back is not left behind as something that looks finished. */
async function readBack(rows: Rows, written: Manifest, signal: AbortSignal): Promise<void> {
  try {
    const manifest = await mustFind(rows, written, signal)
    if (sealOf(manifest) !== sealOf(written))
      throw new Damaged(`${written.kind} ${written.id} has another upload's manifest`)
    await verify(rows, manifest, signal, () => {})
  } catch (error) {
    if (error instanceof Damaged) await rows.remove(written, signal)
    throw error
  }
}

async function mustFind(rows: Rows, ref: BlobRef, signal: AbortSignal): Promise<Manifest> {
  const row = await rows.find(ref, signal)
  const manifest = row && manifestOf(row)
  if (manifest === undefined) throw new Missing(`${ref.kind} ${ref.id} is not in the store`)
  return manifest
}

/** Gives every chunk to `take`, verified, in order; then compares the checksum of the whole. */
async function verify(
  rows: Rows,
  manifest: Manifest,
  signal: AbortSignal,
  take: (chunk: ChunkRow) => void,
): Promise<void> {
  const { chunkCount } = manifest
  const whole = createHash('sha256')
  for (let from = 0; from < chunkCount; from += limits.storeChunksInFlight) {
    const count = Math.min(limits.storeChunksInFlight, chunkCount - from)
    const chunks = await rows.getChunks(manifest, from, count, signal)
    for (let index = 0; index < count; index += 1) {
      const chunk = chunks[index]
      const fault = faultOf(manifest, from + index, chunk)
      if (fault !== undefined) throw await whyNot(rows, manifest, fault, signal)
      whole.update(chunk!.bytes)
      take(chunk!)
      // Hashing 20 MB at a stretch would keep forecasts waiting for a tenth of a second.
      await otherWork()
    }
  }
  if (whole.digest('hex') !== manifest.sha256)
    throw new Damaged(`${manifest.kind} ${manifest.id}: content does not match its checksum`)
}

function faultOf(manifest: Manifest, number: number, chunk?: ChunkRow): string | undefined {
  if (chunk === undefined || chunk.number !== number) return `chunk ${number} is missing`
  const { chunkBytes, sizeBytes } = manifest
  const expected = Math.min(chunkBytes, sizeBytes - number * chunkBytes)
  if (chunk.bytes.byteLength !== expected)
    return `chunk ${number} has ${chunk.bytes.byteLength} bytes instead of ${expected}`
  if (sha256Of(chunk.bytes) !== chunk.sha256) return `chunk ${number} does not match its checksum`
  return undefined
}

/** A blob that was deleted while it was read is missing, not damaged. */
async function whyNot(rows: Rows, manifest: Manifest, fault: string, signal: AbortSignal) {
  const row = await rows.find(manifest, signal)
  const name = `${manifest.kind} ${manifest.id}`
  return row === undefined || row.manifest === null
    ? new Missing(`${name} was deleted while it was read`)
    : new Damaged(`${name}: ${fault}`)
}

function sha256Of(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}
