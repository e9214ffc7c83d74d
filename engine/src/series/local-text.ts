import type { Step } from './calendar.ts'
import { localAt, localParts } from './calendar-zones.ts'

/**
 * An instant as ISO 8601: the local time with its offset, as in `2026-03-29T00:00:00+01:00`, where
 * a calendar has a zone, else UTC, as in `2026-03-28T23:00:00.000Z`. Offsets are whole minutes, as
 * those before some 1930 are not always.
 */
export function textOfInstant(instant: number, { zone }: Step): string {
  if (zone === undefined) return `${wallText(instant)}.${padded(modulo(instant, 1_000), 3)}Z`
  const minutes = Math.round((localAt(zone, instant) - instant) / minuteMs)
  const away = Math.abs(minutes)
  const offset = `${padded(Math.floor(away / 60), 2)}:${padded(away % 60, 2)}`
  return `${wallText(instant + minutes * minuteMs)}${minutes < 0 ? '-' : '+'}${offset}`
}

const minuteMs = 60_000

function wallText(local: number): string {
  const { year, month, day, hour, minute, second } = localParts(undefined, local)
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`
  return `${date}T${padded(hour, 2)}:${padded(minute, 2)}:${padded(second, 2)}`
}

const padded = (value: number, digits: number) => String(value).padStart(digits, '0')

const modulo = (value: number, by: number) => ((value % by) + by) % by
