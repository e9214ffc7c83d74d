import { Unavailable } from '../base/errors.ts'

/** A place in the line. */
export interface Ticket {
  /** Resolves when the work may begin; rejects when it never will. */
  readonly entered: Promise<void>
  /** Leaves the line; without effect once entered. */
  giveUp(): void
  /** The work is over: the next in line may enter. Doing it twice does no harm. */
  leave(): void
}

type Waiting = { readonly enter: () => void; readonly refuse: (error: Error) => void }

/**
 * Lets `busyMax` pieces of work run at once and `waitingMax` wait, in order; more are refused.
 * Nobody enters before it is opened.
 */
export class Slots {
  readonly #busyMax: number
  readonly #waitingMax: number
  readonly #part: Unavailable['part']
  readonly #waiting: Waiting[] = []
  #busy = 0
  #isOpen = false
  #refusal: Error | undefined

  constructor(busyMax: number, waitingMax: number, part: Unavailable['part'] = 'store') {
    this.#busyMax = busyMax
    this.#waitingMax = waitingMax
    this.#part = part
  }

  open(): void {
    this.#isOpen = true
    this.#refusal = undefined
    this.#admit()
  }

  /** Rejects who waits and who comes, until it is opened. */
  refuse(error: Error): void {
    this.#isOpen = false
    this.#refusal = error
    for (const waiting of this.#waiting.splice(0)) waiting.refuse(error)
  }

  enter(): Ticket {
    if (this.#refusal !== undefined) throw this.#refusal
    if (this.#waiting.length >= this.#waitingMax)
      throw new Unavailable(this.#part, `${this.#waiting.length} calls are waiting already`)
    const { promise: entered, resolve, reject } = Promise.withResolvers<void>()
    let isInside = false
    const waiting: Waiting = {
      enter: () => {
        isInside = true
        resolve()
      },
      refuse: reject,
    }
    this.#waiting.push(waiting)
    this.#admit()
    return {
      entered,
      giveUp: () => {
        const index = this.#waiting.indexOf(waiting)
        if (index < 0) return
        this.#waiting.splice(index, 1)
        reject(new Unavailable(this.#part, 'given up while waiting'))
      },
      leave: () => {
        if (!isInside) return
        isInside = false
        this.#busy -= 1
        this.#admit()
      },
    }
  }

  #admit(): void {
    while (this.#isOpen && this.#busy < this.#busyMax) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#busy += 1
      next.enter()
    }
  }
}
