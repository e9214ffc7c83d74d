import type { Budget } from '../numeric/budget.ts'

/** Locally weighted regression on equally spaced points, as STL uses it. */
export type Loess = {
  /** Points of the neighbourhood; may exceed the length of the series, which then smooths more. */
  readonly window: number
  /** 0 fits a local constant, 1 a local line. */
  readonly degree: 0 | 1
  /** Fitted at every so many points, and interpolated linearly between them. */
  readonly jump: number
}

/**
 * The smooth of y[0 … n-1] into out[at … at+n-1] (Cleveland et al. 1990, sections 2 and 3.4). A
 * point whose neighbours all have no weight keeps its value. False when the budget ended it.
 */
export function smooth(
  y: Float64Array,
  n: number,
  loess: Loess,
  weights: Float64Array | undefined,
  out: Float64Array,
  at: number,
  budget?: Budget,
): boolean {
  if (n < 2) {
    out[at] = y[0]!
    return true
  }
  const jump = Math.min(loess.jump, n - 1)
  const last = n - 1
  let previous = 0
  for (let i = 0; ; i = Math.min(last, i + jump)) {
    if (budget?.spend(jump) === false) return false
    const fitted = fitAt(y, n, loess, weights, i, leftOf(i, n, loess))
    out[at + i] = Number.isNaN(fitted) ? y[i]! : fitted
    const from = out[at + previous]!
    const slope = i > previous ? (out[at + i]! - from) / (i - previous) : 0
    for (let j = previous + 1; j < i; j++) out[at + j] = from + slope * (j - previous)
    previous = i
    if (i === last) return true
  }
}

/**
 * The local fit at x, which may lie outside of 0 … n-1, on the window of points from `left` on; NaN
 * when all of them have no weight. One pass: moments about x give the weighted line.
 */
export function fitAt(
  y: Float64Array,
  n: number,
  loess: Loess,
  weights: Float64Array | undefined,
  x: number,
  left: number,
): number {
  const { window, degree } = loess
  const right = Math.min(n, left + window) - 1
  let h = Math.max(x - left, right - x)
  if (window > n) h += (window - n) >> 1
  const near = 0.001 * h
  const far = 0.999 * h
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let t0 = 0
  let t1 = 0
  for (let j = left; j <= right; j++) {
    const u = j - x
    const distance = Math.abs(u)
    if (distance > far) continue
    let weight = 1
    if (distance > near) {
      const ratio = distance / h
      const rest = 1 - ratio * ratio * ratio
      weight = rest * rest * rest
    }
    if (weights !== undefined) weight *= weights[j]!
    const moment = weight * u
    s0 += weight
    s1 += moment
    s2 += moment * u
    t0 += weight * y[j]!
    t1 += moment * y[j]!
  }
  if (!(s0 > 0)) return Number.NaN
  const level = t0 / s0
  if (degree === 0 || !(h > 0)) return level
  const centre = s1 / s0
  const variance = s2 / s0 - centre * centre
  const least = 0.001 * (n - 1)
  // Points that nearly coincide give a level, but no slope.
  if (!(variance > least * least)) return level
  return level - (centre / variance) * (t1 / s0 - centre * level)
}

/** Where the neighbourhood of a point begins: around it, or at an end of the series. */
function leftOf(i: number, n: number, { window }: Loess): number {
  if (window >= n) return 0
  const half = (window + 1) >> 1
  return Math.max(0, Math.min(n - window, i + 1 - half))
}
