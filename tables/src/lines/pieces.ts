import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../limits.ts'

/** Takes the rows of a table, each with the number of its line. */
export type Rows = {
  /** A record of CSV as it is. */
  readonly copy: (line: number, bytes: Buffer, from: number, to: number) => void
  readonly write: (line: number, values: readonly (string | null)[]) => void
}

/** A file of CSV without a header, whose first field is the number of the line. */
export type Piece = { readonly file: string; readonly rows: number; readonly drop: () => void }

export type Pieces = Rows & {
  /** The piece that is full, if there is one; to be asked for after each chunk of the source. */
  readonly full: () => Piece | undefined
  /** What is left. */
  readonly last: () => Piece | undefined
}

/**
 * Writes rows into files of some size, one after another, so that a database can read one while the
 * next is written, and a table of any size needs the disk of two.
 */
export function makePieces(folder: string, delimiter: string): Pieces {
  const buffer = Buffer.allocUnsafe(bufferBytes)
  let used = 0
  let piece: { file: string; handle: number; bytes: number; rows: number } | undefined
  let count = 0
  /** Of the buffer. */
  let rows = 0

  const flush = () => {
    if (used === 0) return
    if (piece === undefined) {
      const file = join(folder, `piece-${count++}.csv`)
      piece = { file, handle: openSync(file, 'w'), bytes: 0, rows: 0 }
    }
    writeSync(piece.handle, buffer, 0, used)
    piece.bytes += used
    piece.rows += rows
    rows = 0
    used = 0
  }
  const begin = (line: number, bytes: number) => {
    if (used + bytes + 32 > buffer.length) flush()
    used += buffer.write(`${line}${delimiter}`, used, 'latin1')
    rows += 1
  }
  const close = (): Piece | undefined => {
    flush()
    if (piece === undefined) return undefined
    const { file, handle, rows: inside } = piece
    closeSync(handle)
    piece = undefined
    return { file, rows: inside, drop: () => rmSync(file) }
  }
  return {
    copy: (line, bytes, from, to) => {
      begin(line, to - from)
      used += bytes.copy(buffer, used, from, to)
      buffer[used++] = newline
    },
    write: (line, values) => {
      const text = values.map((value) => quoted(value, delimiter)).join(delimiter)
      begin(line, 3 * text.length)
      used += buffer.write(text, used, 'utf8')
      buffer[used++] = newline
    },
    full: () => ((piece?.bytes ?? 0) >= limits.pieceBytes ? close() : undefined),
    last: close,
  }
}

/** Room for the longest line, doubled quotes and three bytes a character included. */
const bufferBytes = 8 * limits.lineBytesMax
const newline = 10

function quoted(value: string | null, delimiter: string): string {
  if (value === null) return ''
  const isPlain = !(/["\r\n]/.test(value) || value.includes(delimiter))
  return isPlain ? value : `"${value.replaceAll('"', '""')}"`
}
