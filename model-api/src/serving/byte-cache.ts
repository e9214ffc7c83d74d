/** Without a value once it was dropped. */
type Entry<Value> = { value: Value | undefined }

/** Values by key, at most so many bytes of them; the longest unused go first. */
export class ByteCache<Value> {
  readonly #bytesMax: number
  readonly #sizeOf: (value: Value) => number
  readonly #onDrop: (value: Value) => void
  readonly #entryBytesMax: number
  readonly #entries = new Map<string, Entry<Value>>()
  #bytes = 0

  /** A value's size must not change while it is kept. `onDrop` is told of each that goes. */
  constructor(
    bytesMax: number,
    sizeOf: (value: Value) => number,
    onDrop: (value: Value) => void = () => {},
    entryBytesMax: number = bytesMax / 4,
  ) {
    this.#bytesMax = bytesMax
    this.#sizeOf = sizeOf
    this.#onDrop = onDrop
    this.#entryBytesMax = entryBytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether it is there; that it was asked does not count as use. */
  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    // A map keeps the order of insertion: put again, it is the latest used.
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Whether nothing has to go for it. */
  hasRoom(key: string, value: Value): boolean {
    return this.#bytes + this.#costOf(key, value) <= this.#bytesMax
  }

  /** Keeps it, unless it alone is too large: by default a quarter of the room; tells whether. */
  set(key: string, value: Value): boolean {
    const cost = this.#costOf(key, value)
    if (cost > this.#entryBytesMax) return false
    this.#drop(key)
    this.#entries.set(key, { value })
    this.#bytes += cost
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) break
      this.#drop(oldest)
    }
    return true
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    const value = entry?.value
    if (entry === undefined || value === undefined) return
    this.#entries.delete(key)
    // What has left a map may live on in it: docs/decisions/garbage.md, "Maps".
    entry.value = undefined
    this.#bytes -= this.#costOf(key, value)
    this.#onDrop(value)
  }

  /** Keys and bookkeeping take memory too. */
  #costOf(key: string, value: Value): number {
    return this.#sizeOf(value) + 2 * key.length + 200
  }
}
