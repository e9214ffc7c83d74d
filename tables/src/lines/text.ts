import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { type Readable, Transform } from 'node:stream'
import { TextDecoder } from 'node:util'
import { createGunzip } from 'node:zlib'
import { limits } from '../limits.ts'
import { startsAsGzip } from './gzip.ts'

export type Encoding = 'utf-8' | 'latin-1' | 'utf-16'

/** A file that cannot be read to its end, for a reason that its owner can do something about. */
export class DamagedFile extends Error {
  override name = 'DamagedFile'
}

/** A file's text as UTF-8, in pieces of some hundred kB, without a byte order mark. */
export type TextFile = {
  readonly chunks: AsyncIterable<Buffer>
  /** Bytes of the file that were read so far. */
  readonly bytesRead: () => number
}

/** Opens a file of text; whether it is compressed by gzip it says itself. */
export async function openText(file: string, encoding: Encoding): Promise<TextFile> {
  const head = await headOf(file, 2)
  const source = createReadStream(file, { highWaterMark: readBytes })
  const bytes = startsAsGzip(head) ? unpacked(source) : source
  return { chunks: decoded(bytes, encoding), bytesRead: () => source.bytesRead }
}

export async function headOf(file: string, bytes: number): Promise<Buffer> {
  const handle = await open(file)
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

const readBytes = 1_048_576

function unpacked(source: Readable): Readable {
  let sizeBytes = 0
  const bounded = new Transform({
    transform: (chunk: Buffer, _encoding, callback) => {
      sizeBytes += chunk.length
      if (sizeBytes <= limits.unpackedBytesMax) callback(null, chunk)
      else callback(new DamagedFile(`It unpacks to more than ${limits.unpackedBytesMax} bytes.`))
    },
  })
  const gunzip = createGunzip({ chunkSize: readBytes / 4 })
  source.on('error', (error) => gunzip.destroy(error))
  gunzip.on('error', (error) => {
    bounded.destroy(new DamagedFile(`It cannot be unpacked to its end: ${error.message}.`))
  })
  return source.pipe(gunzip).pipe(bounded)
}

async function* decoded(bytes: Readable, encoding: Encoding): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | undefined
  let isFirst = true
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const from = isFirst ? chunk : undefined
    isFirst = false
    if (encoding === 'utf-8') {
      yield from?.subarray(0, 3).equals(utf8Mark) ? chunk.subarray(3) : chunk
      continue
    }
    decoder ??= decoderOf(encoding, chunk)
    yield Buffer.from(decoder.decode(chunk, { stream: true }))
  }
  const rest = decoder?.decode()
  if (rest) yield Buffer.from(rest)
}

const utf8Mark = Buffer.from([0xef, 0xbb, 0xbf])

/** Without a mark UTF-16 begins with an ASCII character, whose zero byte tells the order. */
function decoderOf(encoding: 'latin-1' | 'utf-16', head: Buffer): TextDecoder {
  if (encoding === 'latin-1') return new TextDecoder('windows-1252')
  const isBig = (head[0] === 0xfe && head[1] === 0xff) || head[0] === 0
  return new TextDecoder(isBig ? 'utf-16be' : 'utf-16le')
}
