import { Refused } from '@almanac/shared'

/** A change whose outcome got lost on the way back: it may have been made. */
export function unheard(remedy: string): Refused {
  return new Refused(
    503,
    'outcome-unknown',
    'The coordinator did not say whether this was done: it may have been.',
    { retryAfterSeconds: 1, remedy },
  )
}
