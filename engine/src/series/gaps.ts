import type { Budget } from '../numeric/budget.ts'
import { mstlDecompose, usableSeasons } from './mstl-decompose.ts'

/** A series without gaps; only where every value is missing, they stay missing. */
export type Filled = {
  readonly y: Float64Array
  /** Values that were filled. */
  readonly count: number
}

/** Gaps bridged by straight lines; before the first value and after the last, that value. */
export function fillLinearly(y: Float64Array): Filled {
  const filled = y.slice()
  let count = 0
  let before = -1
  for (let t = 0; t <= y.length; t++) {
    if (t < y.length && Number.isNaN(y[t]!)) continue
    if (t === y.length && before < 0) break
    const next = t < y.length ? y[t]! : y[before]!
    const from = before < 0 ? next : y[before]!
    for (let gap = before + 1; gap < t; gap++) {
      // Shares of both ends: the difference of huge values of two signs would overflow.
      const share = (gap - before) / (t - before)
      filled[gap] = from === next ? from : (1 - share) * from + share * next
      count++
    }
    before = t
  }
  return { y: filled, count }
}

/**
 * Gaps filled with the seasonal pattern around them: the series without its seasons is bridged by
 * straight lines, and the seasons are added back. The seasons come from the filled series itself,
 * so this is done a few times. Without a usable season it is linear.
 */
export function fillSeasonally(
  y: Float64Array,
  seasons: readonly number[],
  budget?: Budget,
): Filled {
  const linear = fillLinearly(y)
  const used = usableSeasons(y.length, seasons)
  if (linear.count === 0 || linear.count === y.length || used.length === 0) return linear
  let filled = fillPhases(y, linear.y, used.at(-1)!)
  for (let round = 0; round < rounds; round++) {
    const { seasonals, complete } = mstlDecompose(filled, used, { robust: true }, budget)
    if (!complete) break
    const adjusted = y.slice()
    for (const seasonal of seasonals) {
      for (let t = 0; t < y.length; t++) adjusted[t]! -= seasonal[t]!
    }
    filled = fillLinearly(adjusted).y
    for (const seasonal of seasonals) {
      for (let t = 0; t < y.length; t++) filled[t]! += seasonal[t]!
    }
    for (let t = 0; t < y.length; t++) if (!Number.isNaN(y[t]!)) filled[t] = y[t]!
  }
  return { y: filled, count: linear.count }
}

const rounds = 2

/** A first guess: the line across the gap, and how far its phase of the season usually lies off. */
function fillPhases(y: Float64Array, line: Float64Array, period: number): Float64Array {
  const centre = movingMean(line, period)
  const sums = new Float64Array(period)
  const counts = new Float64Array(period)
  for (let t = 0; t < y.length; t++) {
    if (Number.isNaN(y[t]!)) continue
    sums[t % period]! += y[t]! - centre[t]!
    counts[t % period]! += 1
  }
  return y.map((value, t) => {
    if (!Number.isNaN(value)) return value
    const phase = t % period
    return counts[phase]! > 0 ? centre[t]! + sums[phase]! / counts[phase]! : line[t]!
  })
}

/** Means over one period around each point, shifted inwards at the ends. */
function movingMean(y: Float64Array, period: number): Float64Array {
  const means = new Float64Array(y.length)
  const last = y.length - period
  let sum = 0
  for (let t = 0; t < period; t++) sum += y[t]! / period
  let from = 0
  for (let t = 0; t < y.length; t++) {
    const wanted = Math.max(0, Math.min(last, t - (period >> 1)))
    for (; from < wanted; from++) sum += y[from + period]! / period - y[from]! / period
    means[t] = sum
  }
  return means
}
