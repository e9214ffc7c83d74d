import { Refused } from '@almanac/shared'

/** Others were always first: nothing was done. */
export function contention(what: string): Refused {
  const detail = `Too many others changed ${what} at the same time.`
  return new Refused(503, 'contention', detail, { retryAfterSeconds: 1 })
}
