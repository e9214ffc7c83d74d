import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { startsAsGzip } from '@almanac/tables'

/** A file that says that it is compressed, and is not to its end. */
export class NotUnpacked extends Error {
  override name = 'NotUnpacked'
}

/** The bytes of a file, unpacked where they are compressed by gzip, which their first two tell. */
export async function* unpacked(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = content[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  const headBytes = () => Buffer.concat(head)
  try {
    for (let length = 0; length < 2; ) {
      const { done, value } = await chunks.next()
      if (done) break
      head.push(value)
      length += value.byteLength
    }
    const first = headBytes()
    const all = async function* () {
      yield first
      for (;;) {
        const { done, value } = await chunks.next()
        if (done) return
        yield value
      }
    }
    if (startsAsGzip(first)) yield* gunzipped(all())
    else yield* all()
  } finally {
    await chunks.return?.()
  }
}

async function* gunzipped(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(content, { objectMode: false, highWaterMark: pieceBytes })
  const gunzip = createGunzip({ chunkSize: pieceBytes })
  // An error of the source is that of what is read.
  pipeline(source, gunzip, () => {})
  try {
    yield* gunzip as AsyncIterable<Buffer>
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (!code.startsWith('Z_')) throw error
    throw new NotUnpacked(`it cannot be unpacked to its end: ${message}.`)
  } finally {
    gunzip.destroy()
  }
}

const pieceBytes = 262_144
