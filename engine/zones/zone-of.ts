import type { Zone } from '../src/series/calendar.ts'

/**
 * The zone of an IANA name over a span of instants, from the runtime's own tables. Its last offset
 * holds after the span, its first before it. Throws a RangeError for a name that is not known, and
 * for a span of more than 400 years.
 */
export function zoneOf(name: string, fromMs: number, toMs: number): Zone {
  if (!(toMs >= fromMs && toMs - fromMs <= spanMaxMs)) {
    throw new RangeError('the span of a zone is at most 400 years')
  }
  const offsetAt = offsetReader(name)
  const instants = [fromMs]
  const offsets = [offsetAt(fromMs)]
  let before = fromMs
  while (before < toMs) {
    const after = Math.min(toMs, before + stepMs)
    const offset = offsetAt(after)
    if (offset === offsets.at(-1)) {
      before = after
      continue
    }
    const instant = firstChange(offsetAt, before, after)
    instants.push(instant)
    offsets.push(offsetAt(instant))
    before = instant
  }
  return { name, instants: Float64Array.from(instants), offsetsMs: Float64Array.from(offsets) }
}

/** Transitions that undo each other within this time would be missed; none in the tables do. */
const stepMs = 2 * 86_400_000
const spanMaxMs = 146_097 * 86_400_000

/** The first instant, to the second, at which the offset differs from the one at `before`. */
function firstChange(offsetAt: (instant: number) => number, before: number, after: number): number {
  const offset = offsetAt(before)
  let low = Math.floor(before / 1_000)
  let high = Math.ceil(after / 1_000)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle * 1_000) === offset) low = middle
    else high = middle
  }
  return high * 1_000
}

function offsetReader(name: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instant) => {
    const whole = Math.floor(instant / 1_000) * 1_000
    const read: Record<string, number> = {}
    let beforeChrist = false
    for (const { type, value } of format.formatToParts(whole)) {
      if (type === 'era') beforeChrist = value.startsWith('B')
      else read[type] = Number(value)
    }
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = read
    const date = new Date(0)
    date.setUTCFullYear(beforeChrist ? 1 - year : year, month - 1, day)
    date.setUTCHours(hour, minute, second)
    return date.getTime() - whole
  }
}
