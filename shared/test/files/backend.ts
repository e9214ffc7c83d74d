import type { FilesOptions } from '../../src/files/files.ts'
import type { Files } from '../../src/index.ts'

/** Where files are under test, with hands that reach below the adapter. */
export interface FilesUnderTest {
  open(options?: FilesOptions): Promise<Files>
  /** What writers have left that is not a file, however old. */
  leftovers(): Promise<number>
  /** Writes half a file and dies. */
  dieWriting(name: string): Promise<void>
  /** Nobody answers any more, or all is gone. */
  takeAway(): Promise<void>
  giveBack(): Promise<void>
  stop(): Promise<void>
}

export const mebibyte = 1_048_576

/** So many bytes that repeat for a seed, in pieces. */
export async function* contentOf(
  sizeBytes: number,
  seed = 1,
  pieceBytes = 65_536,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < sizeBytes; at += pieceBytes)
    yield Buffer.alloc(Math.min(pieceBytes, sizeBytes - at), `${seed}:${at};`)
}

export async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts)
}

export const textOf = async (content: AsyncIterable<Uint8Array>) =>
  (await bytesOf(content)).toString()

export async function* textContent(...parts: readonly string[]) {
  for (const part of parts) yield Buffer.from(part)
}

/** The first part comes, and then nothing. */
export async function* thenNothing(first: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield first
  await new Promise(() => {})
}

/** A clock of the day after tomorrow. */
export const daysLater = {
  wallTime: () => new Date(Date.now() + 2 * 86_400_000).toISOString(),
}
