import { backoffMs, type Clock, type Random, Unavailable } from '@almanac/shared'

export type Patience = {
  readonly clock: Clock
  readonly random: Random
  /** Ends the waiting; its reason is what `untilAvailable` then rejects with. */
  readonly signal: AbortSignal
  /** Told of every failed try. */
  readonly onWait?: (error: Unavailable, tries: number) => void
}

/** First wait after a failed try. */
const waitBaseMs = 50
/** Longest wait: what comes back should be noticed soon, and not be asked by all at once. */
const waitCapMs = 2_000

/** Tries until the backend answers or the signal aborts. Every other error passes through. */
export async function untilAvailable<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      patience.signal.throwIfAborted()
      if (!(error instanceof Unavailable)) throw error
      patience.onWait?.(error, tries)
      await patience.clock.sleep(retryWaitMs(tries, patience.random), patience.signal)
    }
  }
}

/** Exponential with jitter, never zero: a loop around it cannot spin. */
export function retryWaitMs(tries: number, random: Random): number {
  return waitBaseMs / 2 + backoffMs(tries, waitBaseMs, waitCapMs, random)
}
