import type { Zone } from './calendar.ts'
import { type CalendarDate, dateOfDays, dayMs } from './calendar-dates.ts'

/** Local time less UTC at an instant, in milliseconds; without a zone that is UTC. */
function offsetAt(zone: Zone | undefined, instant: number): number {
  if (zone === undefined || zone.instants.length === 0) return 0
  return zone.offsetsMs[segmentAt(zone, instant)]!
}

/** Local time as if it were UTC: milliseconds since the local 1970-01-01T00:00. */
export function localAt(zone: Zone | undefined, instant: number): number {
  return instant + offsetAt(zone, instant)
}

/**
 * The instant of a local time. Of the two of an ambiguous one it is the first; one that is skipped
 * is moved forward by as much as was skipped, as clocks are.
 */
export function instantOfLocal(zone: Zone | undefined, local: number): number {
  if (zone === undefined || zone.instants.length === 0) return local
  const { instants, offsetsMs } = zone
  let at = segmentAt(zone, local - offsetMaxMs)
  for (; at < instants.length; at++) {
    const instant = local - offsetsMs[at]!
    if (at + 1 < instants.length && instant >= instants[at + 1]!) continue
    // Skipped times lie before this segment and after the end of the one before.
    return at === 0 || instant >= instants[at]! ? instant : local - offsetsMs[at - 1]!
  }
  return local
}

export type LocalParts = CalendarDate & {
  /** 1 is Monday, 7 is Sunday. */
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

/** Date and time of day in a zone. */
export function localParts(zone: Zone | undefined, instant: number): LocalParts {
  const local = localAt(zone, instant)
  const days = Math.floor(local / dayMs)
  const time = local - days * dayMs
  return {
    ...dateOfDays(days),
    weekday: ((((days + 3) % 7) + 7) % 7) + 1,
    hour: Math.floor(time / 3_600_000),
    minute: Math.floor(time / 60_000) % 60,
    second: Math.floor(time / 1_000) % 60,
    millisecond: Math.floor(time) % 1_000,
  }
}

/** No zone was ever further from UTC. */
export const offsetMaxMs = dayMs

/** The last segment that begins at or before an instant; the first one has no beginning. */
function segmentAt({ instants }: Zone, instant: number): number {
  let low = 0
  let high = instants.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (instants[middle]! <= instant) low = middle
    else high = middle - 1
  }
  return low
}
