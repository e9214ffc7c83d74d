import { Refused } from '@almanac/shared'

/** Both ends are in it; an end that is a day is all of it. */
export type DateRange = { readonly startMs: number; readonly endMs: number }

/** `{"start", "end"}` or `[start, end]`, of dates like 2024-05-01. Throws a 400. */
export function readDates(dates: unknown): DateRange {
  if (Array.isArray(dates) && dates.length === 2) return readRange(dates[0], dates[1], 'dates')
  if (typeof dates === 'object' && dates !== null && 'start' in dates && 'end' in dates)
    return readRange(dates.start, dates.end, 'dates')
  throw new Refused(400, 'dates', 'dates must be {"start", "end"} or [start, end].', {
    field: '/dates',
    remedy: 'Write them like {"start": "2024-05-01", "end": "2024-05-31"}.',
  })
}

export function readRange(start: unknown, end: unknown, field: string): DateRange {
  const [startMs, lastMs] = [instantOf(start), instantOf(end)]
  if (startMs === undefined || lastMs === undefined)
    throw new Refused(400, 'dates', 'Dates are like 2024-05-01 or 2024-05-01T13:00:00Z.', {
      field: `/${field}`,
    })
  const endMs = isDay.test(String(end)) ? lastMs + dayMs - 1 : lastMs
  if (startMs <= endMs) return { startMs, endMs }
  throw new Refused(400, 'dates', 'The dates end before they begin.', { field: `/${field}` })
}

const isDay = /^\d{4}-\d{2}-\d{2}$/
const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/
const dayMs = 86_400_000

function instantOf(text: unknown): number | undefined {
  if (typeof text !== 'string' || !(isDay.test(text) || isTime.test(text))) return undefined
  const ms = Date.parse(text)
  // February 30 would be a day of March.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text.slice(0, 10))
    return undefined
  return ms
}
