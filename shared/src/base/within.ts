/**
 * What `work` comes to, unless the signal aborts first (then its reason) or the time is up (then
 * what `late` gives). The work itself goes on: its outcome is then unknown, and is dropped.
 */
export function within<T>(
  work: Promise<T>,
  timeoutMs: number,
  late: () => Error,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => settle(() => reject(signal.reason))
    const timer = setTimeout(() => settle(() => reject(late())), timeoutMs)
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
