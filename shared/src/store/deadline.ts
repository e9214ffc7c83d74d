import { Unavailable } from '../base/errors.ts'
import { within } from '../base/within.ts'

/** As `within`; what is late is an outage of the store. */
export function beforeDeadline<T>(
  work: Promise<T>,
  what: string | (() => string),
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T> {
  const late = () => {
    const subject = typeof what === 'string' ? what : what()
    return new Unavailable('store', `${subject} took over ${timeoutMs} ms`)
  }
  return within(work, timeoutMs, late, signal)
}
