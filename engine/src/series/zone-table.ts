import { assert } from '../outcome.ts'
import type { Zone } from './calendar.ts'
import { dateOfDays, dayMs, daysOfDate } from './calendar-dates.ts'

/**
 * Whether a name is `UTC` or one of the IANA time zone data base, as in `Europe/Berlin`, that the
 * runtime knows.
 */
export function isTimeZone(name: string): boolean {
  if (name === utc) return true
  if (name.length > nameMax || !shape.test(name)) return false
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

/**
 * The transitions of a named zone from the one before an instant on, to the end of 2099, as the
 * runtime's copy of the IANA data base has them; undefined for `UTC`. Throws a `RangeError` where
 * the name is none.
 */
export function zoneFrom(name: string, instant: number): Zone | undefined {
  if (name === utc) return undefined
  const { instants, offsetsMs } = zoneSince(name, decadeOf(instant))
  const later = instants.findIndex((at) => at > instant)
  const from = Math.max(0, (later < 0 ? instants.length : later) - 1)
  // A local time is looked for a day before itself: one transition more than is needed.
  const first = Math.max(0, from - 1)
  return { name, instants: instants.slice(first), offsetsMs: offsetsMs.slice(first) }
}

const utc = 'UTC'
const nameMax = 64
const shape = /^[A-Z][A-Za-z_+-]+\/[A-Za-z0-9_+/-]+$/

/** Most data is young, and a decade is read in some milliseconds. */
function decadeOf(instant: number): number {
  const { year } = dateOfDays(Math.floor((instant - dayMs) / dayMs))
  return Math.min(lastYear - 1, Math.max(firstYear, Math.floor(year / 10) * 10))
}

const firstYear = 1900
const lastYear = 2100

const zones = new Map<string, Zone>()
/** There are some 600 names, of which few are used: with this many they can stay. */
const zonesMax = 1_000

function zoneSince(name: string, year: number): Zone {
  const key = `${name} ${year}`
  const known = zones.get(key)
  if (known) return known
  if (zones.size >= zonesMax) zones.clear()
  const zone = readZone(name, daysOfDate(year, 1, 1) * dayMs)
  zones.set(key, zone)
  return zone
}

/** Rules that undo each other within this time would be missed; since 1900 none did. */
const strideMs = 7 * dayMs

function readZone(name: string, fromMs: number): Zone {
  const format = formatOf(name)
  const untilMs = daysOfDate(lastYear, 1, 1) * dayMs
  const instants = [fromMs]
  const offsetsMs = [offsetOf(format, fromMs)]
  for (let at = fromMs; at < untilMs; at += strideMs) {
    let [low, high] = [at, Math.min(at + strideMs, untilMs)]
    const after = offsetOf(format, high)
    if (after === offsetsMs.at(-1)) continue
    while (high - low > secondMs) {
      const middle = low + Math.floor((high - low) / (2 * secondMs)) * secondMs
      if (offsetOf(format, middle) === after) high = middle
      else low = middle
    }
    instants.push(high)
    offsetsMs.push(after)
  }
  return { name, instants: Float64Array.from(instants), offsetsMs: Float64Array.from(offsetsMs) }
}

const secondMs = 1_000

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
}

/** Local time less UTC at an instant, in milliseconds. */
function offsetOf(format: Intl.DateTimeFormat, instant: number): number {
  // As in 10/25/2026, GMT+01:00, where GMT alone is UTC, and seconds are those of local mean times.
  const text = format.format(instant)
  const found = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text)
  assert(found !== null, 'a zone has an offset')
  const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] = found
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return (sign === '-' ? -offset : offset) * 1_000
}
