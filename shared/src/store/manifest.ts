import { hash } from 'node:crypto'
import { Damaged } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Manifest } from './port.ts'
import type { BlobRow } from './rows.ts'

/** Chunks of any release: larger ones than ours are read, absurd ones are damage. */
const chunkBytesMax = 4_194_304

/** SHA-256 over all fields of a manifest, so that an altered one is never taken at its word. */
export function sealOf(manifest: Manifest): string {
  const { kind, id, label, sizeBytes, sha256, chunkCount, chunkBytes, createdAt } = manifest
  const fields = [kind, id, label, sizeBytes, sha256, chunkCount, chunkBytes, createdAt]
  return hash('sha256', JSON.stringify(fields), 'hex')
}

/**
 * The manifest of a row, or undefined while the upload is unfinished. Throws `Damaged` when the
 * row cannot be what was written; sizes are checked here, before anything is allocated by them.
 */
export function manifestOf(row: BlobRow): Manifest | undefined {
  if (row.manifest === null) return undefined
  const { kind, id, label, sizeBytes } = row
  const { sha256, chunkCount, chunkBytes, createdAt, seal } = row.manifest
  const manifest = { kind, id, label, sizeBytes, sha256, chunkCount, chunkBytes, createdAt }
  const fault = faultOf(manifest, seal)
  if (fault !== undefined) throw new Damaged(`manifest of ${kind} ${id}: ${fault}`)
  return manifest
}

function faultOf(manifest: Manifest, seal: string): string | undefined {
  const { sizeBytes, chunkCount, chunkBytes } = manifest
  if (!isCount(sizeBytes) || sizeBytes > limits.blobBytesMax) return `size is ${sizeBytes} bytes`
  if (!isCount(chunkBytes) || chunkBytes < 1 || chunkBytes > chunkBytesMax)
    return `chunks are of ${chunkBytes} bytes`
  if (chunkCount !== Math.ceil(sizeBytes / chunkBytes))
    return `${chunkCount} chunks of ${chunkBytes} bytes do not make ${sizeBytes} bytes`
  if (sealOf(manifest) !== seal) return 'it does not match its checksum'
  return undefined
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
