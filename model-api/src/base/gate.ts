/** Lets a bounded number of pieces of work run at once; the others wait in order. */
export class Gate {
  readonly #max: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Pieces of work that wait or run. Callers bound it. */
  get size(): number {
    return this.#running + this.#waiting.length
  }

  async run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#running >= this.#max) await new Promise<void>((go) => this.#waiting.push(go))
    else this.#running += 1
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}
