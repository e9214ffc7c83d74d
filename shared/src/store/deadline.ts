import { Unavailable } from '../base/errors.ts'

/**
 * What `work` comes to, unless the signal aborts first (then its reason) or the time is up (then
 * `Unavailable`). The work itself goes on: its outcome is then unknown, and is dropped.
 */
export function beforeDeadline<T>(
  work: Promise<T>,
  what: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => settle(() => reject(signal.reason))
    const timer = setTimeout(
      () => settle(() => reject(new Unavailable('store', `${what} took over ${timeoutMs} ms`))),
      timeoutMs,
    )
    const settle = (outcome: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      outcome()
    }
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
    work.then(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    )
  })
}
