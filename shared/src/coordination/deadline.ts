import type { Clock } from '../base/clock.ts'

export type Bound = {
  readonly clock: Clock
  readonly ms: number
  /** The caller's own signal: rejects with its reason. */
  readonly signal: AbortSignal
  /** What to reject with when time is up. */
  readonly late: () => Error
}

/**
 * Waits for `work`, but not beyond the bound. What `work` does later is ignored: whoever calls this
 * treats the outcome as unknown. `work` does not begin when the signal has aborted already.
 */
export async function bounded<T>(work: () => Promise<T>, bound: Bound): Promise<T> {
  const { signal } = bound
  signal.throwIfAborted()
  const timer = new AbortController()
  let onAbort = () => {}
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      bound.clock.sleep(bound.ms, timer.signal).then(
        () => reject(bound.late()),
        () => {},
      )
      work().then(resolve, reject)
    })
  } finally {
    // Listeners are taken off by hand: the caller's signal may live as long as the process.
    signal.removeEventListener('abort', onAbort)
    timer.abort()
  }
}
