import { Doorkeeper, limits } from '@almanac/shared'

/** An answer as it goes out: the bytes and what the client may compare. */
export type Answer = {
  readonly version: number
  readonly etag: string
  readonly contentType: string
  readonly body: Buffer
}

export type ResponseCache = {
  readonly get: (key: string) => Answer | undefined
  readonly set: (key: string, answer: Answer) => void
  readonly bytes: () => number
  readonly count: () => number
}

type Node = {
  readonly key: string
  /** Undefined once it was dropped. */
  answer: Answer | undefined
  readonly bytes: number
  used: boolean
  newer: Node | undefined
  older: Node | undefined
}

/**
 * An answer of the cache's own. Were the one kept that is being sent, V8 would learn that answers
 * live long and make all of them in the old generation, where each holds its bytes until a full
 * collection (docs/decisions/garbage.md). The bytes have memory of their own: a window on a larger
 * buffer would keep all of that alive.
 */
function owned({ version, etag, contentType, body }: Answer): Answer {
  if (body.buffer.byteLength === body.byteLength) return { version, etag, contentType, body }
  const copy = Buffer.allocUnsafeSlow(body.byteLength)
  body.copy(copy)
  return { version, etag, contentType, body: copy }
}

/** What an entry takes besides its body: object, key, headers; an estimate. */
const overheadBytes = 500

/**
 * Versions never change, so an answer is good for as long as there is room. A hit only marks its
 * entry; a hand that goes from old to new drops what was not marked since it last came by (SIEVE,
 * Zhang et al., NSDI 2024): as good as least recently used, without moving anything on a hit. Once
 * it is full, it takes only what is asked for a second time.
 */
export function createResponseCache(bytesMax: number): ResponseCache {
  const nodes = new Map<string, Node>()
  const doorkeeper = new Doorkeeper(limits.doorkeeperPlaces)
  let newest: Node | undefined
  let oldest: Node | undefined
  let hand: Node | undefined
  let bytes = 0

  const drop = (node: Node) => {
    if (node.newer) node.newer.older = node.older
    else newest = node.older
    if (node.older) node.older.newer = node.newer
    else oldest = node.newer
    nodes.delete(node.key)
    bytes -= node.bytes
    // What has left a map or a list may live on in it: docs/decisions/garbage.md, "Maps".
    node.answer = undefined
    node.newer = undefined
    node.older = undefined
  }
  const evict = () => {
    let node = hand ?? oldest
    while (node?.used) {
      node.used = false
      node = node.newer ?? oldest
    }
    if (node === undefined) return
    hand = node.newer
    drop(node)
  }
  return {
    get: (key) => {
      const node = nodes.get(key)
      if (node === undefined) return undefined
      node.used = true
      return node.answer
    },
    set: (key, answer) => {
      const size = answer.body.byteLength + key.length + overheadBytes
      if (size > bytesMax / 4 || nodes.has(key)) return
      const isKnown = doorkeeper.knows(key)
      if (bytes + size > bytesMax && !isKnown) return
      while (bytes + size > bytesMax) evict()
      const node: Node = {
        key,
        answer: owned(answer),
        bytes: size,
        used: false,
        newer: undefined,
        older: newest,
      }
      if (newest) newest.newer = node
      newest = node
      oldest ??= node
      nodes.set(key, node)
      bytes += size
    },
    bytes: () => bytes,
    count: () => nodes.size,
  }
}
