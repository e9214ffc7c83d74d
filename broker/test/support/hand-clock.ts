import { systemClock } from '@almanac/shared'

/** A clock whose wall is set by hand. */
export function handClock(at = '2026-01-01T00:30:00.000Z') {
  let now = at
  return {
    clock: { ...systemClock, wallTime: () => now },
    set: (to: string) => {
      now = to
    },
  }
}
