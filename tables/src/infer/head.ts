import { isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { constants, createGunzip } from 'node:zlib'
import { limits } from '../limits.ts'
import { startsAsGzip } from '../lines/gzip.ts'
import { DamagedFile, type Encoding } from '../lines/text.ts'

/** The beginning of a file of text, as UTF-8, up to the end of its last whole line. */
export type Head = {
  readonly encoding: Encoding
  readonly isGzip: boolean
  readonly text: Buffer
}

/**
 * What the first bytes of a file say; `isWhole`: there are no others. Throws `DamagedFile` where
 * they do not unpack.
 */
export async function readHead(
  bytes: Buffer,
  isWhole: boolean,
  given: Encoding | undefined,
): Promise<Head> {
  const isGzip = startsAsGzip(bytes)
  const unpacked = isGzip ? await unpackedHead(bytes) : bytes
  const isAll = isWhole && unpacked.length < limits.lookBytes
  const encoding = given ?? encodingOf(unpacked)
  const text = decoded(unpacked, encoding)
  const end = isAll ? text.length : text.lastIndexOf(10) + 1
  return { encoding, isGzip, text: text.subarray(0, end) }
}

/** Deflate packs a thousand times: of what is in there only the beginning is wanted. */
async function unpackedHead(bytes: Buffer): Promise<Buffer> {
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
  gunzip.end(bytes)
  const parts: Buffer[] = []
  let sizeBytes = 0
  try {
    for await (const part of gunzip as AsyncIterable<Buffer>) {
      parts.push(part)
      sizeBytes += part.length
      if (sizeBytes >= limits.lookBytes) break
    }
  } catch (error) {
    throw new DamagedFile(`It cannot be unpacked: ${(error as Error).message}.`)
  }
  return Buffer.concat(parts, sizeBytes).subarray(0, limits.lookBytes)
}

function encodingOf(bytes: Buffer): Encoding {
  const [first, second] = bytes
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  if (isMarked || first === 0 || second === 0) return 'utf-16'
  // The last character may be cut in two.
  const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1)
  return isUtf8(whole.length > 0 ? whole : bytes) ? 'utf-8' : 'latin-1'
}

function decoded(bytes: Buffer, encoding: Encoding): Buffer {
  if (encoding === 'utf-8') return bytes.subarray(bytes[0] === 0xef && bytes[1] === 0xbb ? 3 : 0)
  if (encoding === 'latin-1') return Buffer.from(new TextDecoder('windows-1252').decode(bytes))
  const isBig = bytes[0] === 0xfe || bytes[0] === 0
  const even = bytes.subarray(0, bytes.length - (bytes.length % 2))
  return Buffer.from(new TextDecoder(isBig ? 'utf-16be' : 'utf-16le').decode(even))
}
