import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Files, isFileName, Missing, Refused } from '@almanac/shared'
import type { TableLook } from '@almanac/tables'
import { filesOf } from '../file-routes.ts'
import type { ApiParts } from '../parts.ts'

/** The name of a file, which is not a path of anything else. Throws a 400. */
export function readFileField(name: string, field: string): string {
  if (isFileName(name)) return name
  throw new Refused(400, 'file', `${field} is not the name of a file.`, {
    field: `/${field}`,
    remedy: 'Name an uploaded file, like sales/2024.csv: PUT /api/files/{name}.',
  })
}

/** The bucket of a request must be that of the files, where they are in one. */
export function checkBucket({ bucket }: Files, given: string | undefined): void {
  if (bucket === null || given === undefined || given === bucket.name) return
  throw new Refused(422, 'another-bucket', 'Files are read from the bucket of --files only.', {
    field: '/Bucket',
    remedy: 'Leave it out, or put the file there by POST /upload or PUT /api/files/{name}.',
  })
}

/** What the beginning of a file says about it. Throws a 422 where there is no such table. */
export async function lookAtFile(parts: ApiParts, name: string, field: string): Promise<TableLook> {
  const files = filesOf(parts)
  const folder = await mkdtemp(join(tmpdir(), 'almanac-look-'))
  try {
    const path = join(folder, 'head')
    await bringHead(parts, files, { name, field, path })
    // Brokers that are never asked this load nothing for it.
    const { lookAtTable } = await import('@almanac/tables')
    const look = await lookAtTable(path, AbortSignal.timeout(parts.bounds.fileCallMs))
    if (look !== undefined) return look
    throw unreadable(name, field)
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw unreadable(name, field)
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Head = { readonly name: string; readonly field: string; readonly path: string }

async function bringHead(
  { bounds }: ApiParts,
  files: Files,
  { name, field, path }: Head,
): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(bounds.fileCallMs)])
  const opened = await files.read(name, signal).catch((error) => {
    if (!(error instanceof Missing)) throw error
    throw new Refused(422, 'no-such-file', `There is no file ${name}.`, {
      field: `/${field}`,
      remedy: `Upload it first: POST /upload, or PUT /api/files/${name}.`,
    })
  })
  const handle = await open(path, 'w')
  try {
    let bytes = 0
    let bytesMax: number = headBytes
    for await (const piece of opened.content) {
      if (bytes === 0 && isParquet(piece)) throw unreadable(name, field)
      // A thousand times as much may be in it.
      if (bytes === 0 && piece[0] === 0x1f && piece[1] === 0x8b) bytesMax = packedHeadBytes
      const wanted = piece.subarray(0, bytesMax - bytes)
      await handle.write(wanted)
      bytes += wanted.byteLength
      if (bytes >= bytesMax) break
    }
    // What is cut off may be half a line: to whoever looks the file goes on, with nothing in it.
    if (bytes >= headBytes) await handle.truncate(2 * lookBytes)
  } finally {
    stop.abort()
    await handle.close()
  }
}

const isParquet = (piece: Uint8Array) =>
  Buffer.from(piece.subarray(0, 4)).toString('latin1') === 'PAR1'

/** What is looked at of a file: some thousand rows. */
const headBytes = 262_144
const packedHeadBytes = 32_768
const lookBytes = 1_048_576

const unreadable = (name: string, field: string) =>
  new Refused(422, 'no-table', `${name} is no text that can be read as a table.`, {
    field: `/${field}`,
    remedy: 'Send CSV; Parquet takes a recipe: POST /api/models/{model}/fit.',
  })
