import { Unavailable } from '../base/errors.ts'

/**
 * What `work` comes to, unless the signal aborts first (then its reason) or the time is up (then
 * `Unavailable`). The work itself goes on: its outcome is then unknown, and is dropped.
 */
export function beforeDeadline<T>(
  work: Promise<T>,
  what: string | (() => string),
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => settle(() => reject(signal.reason))
    const isLate = () => {
      const subject = typeof what === 'string' ? what : what()
      settle(() => reject(new Unavailable('store', `${subject} took over ${timeoutMs} ms`)))
    }
    const timer = setTimeout(isLate, timeoutMs)
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
