import { setTimeout as delay } from 'node:timers/promises'

/** Asks until it holds; throws with what was last seen when time is up. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  holds: (value: T) => boolean,
  withinMs = 8_000,
): Promise<T> {
  const until = performance.now() + withinMs
  for (;;) {
    const value = await look()
    if (holds(value)) return value
    if (performance.now() > until)
      throw new Error(`not within ${withinMs} ms; last: ${JSON.stringify(value)?.slice(0, 500)}`)
    await delay(10)
  }
}
