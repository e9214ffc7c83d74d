import { isUtf8 } from 'node:buffer'
import { limits } from '../limits.ts'

/** A record's reader: where the record ends, or -1 if it has to see more of the file first. */
export type TakeRecord = (
  bytes: Buffer,
  from: number,
  /** Where its first line ends. */
  to: number,
  line: number,
  /** Whether nothing comes after these bytes. */
  isEnd: boolean,
) => number

export type RejectLine = (line: number, reason: string, text: string) => void

export type LineReader = {
  readonly push: (chunk: Buffer) => void
  readonly end: () => void
}

/**
 * Cuts bytes into lines, which end in LF or CR LF. A line that is damaged in itself is rejected
 * alone: what its bytes are says nothing about the next one. Empty lines are passed over. Holds no
 * more than a chunk and a record.
 */
export function makeLineReader(take: TakeRecord, reject: RejectLine, skip = 0): LineReader {
  let rest: Buffer = Buffer.alloc(0)
  let line = 1
  /** In the midst of a line that was rejected for its length. */
  let isPassing = false

  const damageOf = (bytes: Buffer, isSuspect: boolean) => {
    if (bytes.length > limits.lineBytesMax) return tooLong
    if (!isSuspect) return undefined
    if (bytes.includes(0)) return 'there is a NUL byte in it'
    if (bytes.includes(replacement)) return 'there are bytes in it that are no text'
    return isUtf8(bytes) ? undefined : 'it is not UTF-8; another encoding may be meant'
  }

  const read = (bytes: Buffer, isEnd: boolean) => {
    let from = 0
    const complete = isEnd ? bytes.length : bytes.lastIndexOf(newline) + 1
    const whole = bytes.subarray(0, complete)
    const isSuspect = whole.includes(0) || whole.includes(replacement) || !isUtf8(whole)
    while (from < complete) {
      const found = bytes.indexOf(newline, from)
      const next = found < 0 ? bytes.length : found + 1
      const end = found < 0 ? bytes.length : found
      const to = end > from && bytes[end - 1] === carriageReturn ? end - 1 : end
      const damage = isPassing ? undefined : damageOf(bytes.subarray(from, to), isSuspect)
      if (isPassing || line <= skip || to === from) {
        isPassing = false
      } else if (damage !== undefined) {
        reject(line, damage, textOf(bytes, from, to))
      } else {
        const after = take(bytes, from, to, line, isEnd)
        if (after < 0) break
        line += linesIn(bytes, from, after)
        const last = bytes.indexOf(newline, after)
        from = last < 0 ? bytes.length : last + 1
        continue
      }
      line += 1
      from = next
    }
    rest = bytes.subarray(from)
    if (rest.length <= limits.lineBytesMax || rest.includes(newline)) return
    if (!isPassing) reject(line, tooLong, textOf(rest, 0, rest.length))
    isPassing = true
    rest = rest.subarray(rest.length)
  }

  return {
    push: (chunk) => read(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), false),
    end: () => read(rest, true),
  }
}

/** So much of a line as is kept of one that was rejected. */
export function textOf(bytes: Buffer, from: number, to: number): string {
  const text = bytes.toString('utf8', from, Math.min(to, from + 4 * limits.rejectedCharactersMax))
  return text.slice(0, limits.rejectedCharactersMax)
}

/** The lines that a record is on. */
function linesIn(bytes: Buffer, from: number, to: number): number {
  let lines = 1
  for (let at = bytes.indexOf(newline, from); at >= 0 && at < to; lines++)
    at = bytes.indexOf(newline, at + 1)
  return lines
}

const newline = 10
const carriageReturn = 13
const tooLong = `it is longer than ${limits.lineBytesMax} bytes`
/** What decoders write for bytes that they cannot read. */
const replacement = Buffer.from('\ufffd')
