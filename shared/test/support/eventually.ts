import { setTimeout as delay } from 'node:timers/promises'

/** Waits until `read` gives something that `holds`; throws with the last value when time is up. */
export async function eventually<T>(
  read: () => T | Promise<T>,
  holds: (value: T) => boolean,
  timeoutMs = 15_000,
): Promise<T> {
  const until = performance.now() + timeoutMs
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    if (performance.now() > until) {
      throw new Error(`not so after ${timeoutMs} ms; last: ${JSON.stringify(value)?.slice(0, 500)}`)
    }
    await delay(10)
  }
}
