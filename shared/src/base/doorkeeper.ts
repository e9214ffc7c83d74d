/**
 * Remembers, roughly and in little memory, which keys came by lately: a cache that takes only what
 * is asked for a second time does not throw out what is asked often for what is never asked again
 * (the doorkeeper of Einziger, Friedman and Manes, "TinyLFU", 2017, section 3.4.2). Nor does it
 * move every answer into the old generation of the heap, where each costs a share of a full
 * collection. The older of two keys that fall on the same place is forgotten.
 */
export class Doorkeeper {
  readonly #marks: Uint32Array

  /** `places`: a power of two. */
  constructor(places: number) {
    this.#marks = new Uint32Array(places)
  }

  /** Whether the key has been here before, or one with the same mark: one in four billion. */
  knows(key: string): boolean {
    const mark = markOf(key)
    const place = mark & (this.#marks.length - 1)
    const known = this.#marks[place] === mark
    this.#marks[place] = mark
    return known
  }
}

/** FNV-1a of 32 bits, with a last mixing (murmur3's), so that every bit tells all places apart. */
function markOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash = (hash ^ (hash >>> 16)) >>> 0
  // Zero is a place where nothing has been.
  return hash === 0 ? 1 : hash
}
