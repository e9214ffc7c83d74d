import { open } from 'node:fs/promises'

/** The beginning of a file of rejects, up to the end of a row; the summary counts all of them. */
export async function readRejects(file: string, bytesMax: number): Promise<Uint8Array> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const bytes = Buffer.alloc(Math.min(size, bytesMax))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    const read = bytes.subarray(0, bytesRead)
    return size <= bytesMax ? read : read.subarray(0, read.lastIndexOf(10) + 1)
  } finally {
    await handle.close()
  }
}
