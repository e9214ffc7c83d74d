import { Unavailable } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { within } from '../base/within.ts'
import type { Consuming } from './port.ts'

/**
 * A loop in the background that ends when it is told to. `run` must not reject; `cut` ends what it
 * waits for when it takes too long.
 */
export function startConsuming(
  run: (signal: AbortSignal) => Promise<void>,
  cut: () => void,
): Consuming {
  const stopping = new AbortController()
  const running = run(stopping.signal)
  let stopped: Promise<void> | undefined
  const stop = async () => {
    stopping.abort(new Unavailable('messages', 'the consumer stops'))
    const late = () => new Unavailable('messages', 'the message in hand takes too long')
    const never = new AbortController().signal
    await within(running, limits.messageStopMs, late, never).catch(cut)
    await within(running, limits.messageStopMs, late, never).catch(() => {})
  }
  return {
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}
