import { setTimeout as delay } from 'node:timers/promises'

/**
 * Time as domain code sees it. Ages and deadlines use `monotonicMs`, which never jumps; wall time
 * is for people and for what is written down.
 */
export interface Clock {
  /** Milliseconds since an arbitrary instant; never goes back. */
  monotonicMs(): number
  /** Now, as ISO 8601 in UTC. */
  wallTime(): string
  /** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallTime: () => new Date().toISOString(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, { signal })
    } catch (error) {
      signal.throwIfAborted()
      throw error
    }
  },
}
