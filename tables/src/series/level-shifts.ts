import { medianOf, spreadOf } from './median.ts'

/** The first observation of a new level, and how much higher it is. */
export type LevelShift = { readonly at: number; readonly difference: number }

/**
 * Where the medians of two windows side by side differ by more than `threshold` scaled median
 * deviations within them. Of places less than a window apart it is the one at which both windows
 * are nearest to their medians. A window with fewer than half of its observations says nothing.
 */
export function levelShiftsOf(
  y: Float64Array,
  window: number,
  threshold: number,
): readonly LevelShift[] {
  const found: (LevelShift & { readonly deviation: number })[] = []
  for (let at = window; at + window <= y.length; at++) {
    const shift = shiftAt(y, at, window)
    if (shift === undefined || !(shift.distance > threshold)) continue
    const last = found.at(-1)
    if (last === undefined || at - last.at >= window) found.push({ at, ...shift })
    else if (shift.deviation < last.deviation) found[found.length - 1] = { at, ...shift }
  }
  return found.map(({ at, difference }) => ({ at, difference }))
}

function shiftAt(y: Float64Array, at: number, window: number) {
  const [before, after] = [y.subarray(at - window, at), y.subarray(at, at + window)]
  if (knownIn(before) * 2 < window || knownIn(after) * 2 < window) return undefined
  const [low, high] = [medianOf(before), medianOf(after)]
  const rest = new Float64Array(2 * window)
  for (let i = 0; i < window; i++) {
    rest[i] = before[i]! - low
    rest[window + i] = after[i]! - high
  }
  const difference = high - low
  if (difference === 0) return undefined
  const deviation = rest.reduce((sum, value) => sum + (Math.abs(value) || 0), 0)
  // Two levels without any noise are as far apart as can be.
  return { difference, deviation, distance: Math.abs(difference) / spreadOf(rest, 0) }
}

function knownIn(values: Float64Array): number {
  let known = 0
  for (const value of values) if (!Number.isNaN(value)) known += 1
  return known
}
