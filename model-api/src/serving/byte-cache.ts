/** Buffers by key, at most so many bytes of them; the longest unused go first. */
export class ByteCache {
  readonly #bytesMax: number
  readonly #entries = new Map<string, Buffer>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): Buffer | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    // A map keeps the order of insertion: put again, it is the latest used.
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  /** Keeps it, unless it alone would take more than a quarter of the room. */
  set(key: string, value: Buffer): void {
    const cost = costOf(key, value)
    if (cost > this.#bytesMax / 4) return
    this.#drop(key)
    this.#entries.set(key, value)
    this.#bytes += cost
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    const value = this.#entries.get(key)
    if (value === undefined) return
    this.#entries.delete(key)
    this.#bytes -= costOf(key, value)
  }
}

/** Keys and bookkeeping take memory too. */
function costOf(key: string, value: Buffer): number {
  return value.length + 2 * key.length + 200
}
