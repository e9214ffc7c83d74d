import type { Clock } from '@almanac/shared'

/** Lets a loop rest until there is something to do; signals while it works are not lost. */
export class Wake {
  readonly #clock: Clock
  #pending = false
  #resolve: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  signal(): void {
    this.#pending = true
    this.#resolve?.()
  }

  /** Resolves when signalled, after `ms`, or when `stop` aborts, whichever comes first. */
  async wait(ms: number, stop: AbortSignal): Promise<void> {
    if (!this.#pending && !stop.aborted) {
      const rest = new AbortController()
      const end = () => rest.abort()
      stop.addEventListener('abort', end, { once: true })
      this.#resolve = end
      // Woken early is as good as rested.
      await this.#clock.sleep(ms, rest.signal).catch(() => {})
      stop.removeEventListener('abort', end)
      this.#resolve = undefined
    }
    this.#pending = false
  }
}
