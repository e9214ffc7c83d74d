import { randomBytes } from 'node:crypto'

/**
 * A new blob id, unique for good: a version 7 UUID (RFC 9562). Ids of one process ascend; those
 * of several sort by the milliseconds of their clocks, so lists come in the order of uploads.
 */
export const mintBlobId: () => string = createBlobIdMint(Date.now)

/** A mint of its own. A clock that stands or goes back is overtaken by counting on. */
export function createBlobIdMint(nowMs: () => number): () => string {
  let lastMs = 0
  let count = 0
  return () => {
    const ms = nowMs()
    if (ms > lastMs) {
      lastMs = ms
      count = randomBytes(1)[0]!
    } else if (count < 0xfff) {
      count += 1
    } else {
      lastMs += 1
      count = 0
    }
    return format(lastMs, count, randomBytes(8))
  }
}

function format(ms: number, count: number, random: Buffer): string {
  const time = ms.toString(16).padStart(12, '0')
  random[0] = (random[0]! & 0x3f) | 0x80
  const tail = random.toString('hex')
  const counted = count.toString(16).padStart(3, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counted}-${tail.slice(0, 4)}-${tail.slice(4)}`
}
