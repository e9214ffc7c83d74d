import { isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { constants, gunzipSync } from 'node:zlib'
import type { Encoding } from '../lines/text.ts'

/** The beginning of a file of text, as UTF-8, up to the end of its last whole line. */
export type Head = {
  readonly encoding: Encoding
  readonly isGzip: boolean
  readonly text: Buffer
}

/** What the first bytes of a file say; `isWhole`: there are no others. */
export function readHead(bytes: Buffer, isWhole: boolean): Head {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  const unpacked = isGzip
    ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: unpackedMax })
    : bytes
  const encoding = encodingOf(unpacked)
  const text = decoded(unpacked, encoding)
  const end = isWhole ? text.length : text.lastIndexOf(10) + 1
  return { encoding, isGzip, text: text.subarray(0, end) }
}

/** Deflate packs a thousand times at most. */
const unpackedMax = 1_100_000_000

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
