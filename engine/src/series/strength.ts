import type { Budget } from '../numeric/budget.ts'
import { stl } from './stl.ts'

/** How much of the variation is trend, and how much season: each in [0, 1]. */
export type Strengths = { readonly trend: number; readonly seasonal: number }

/** Parts of one series, as STL gives them. */
export type Parts = {
  readonly seasonal: Float64Array
  readonly trend: Float64Array
}

/**
 * 1 - Var(remainder) / Var(part + remainder), at least 0: Wang, Smith and Hyndman (2006), Data
 * Mining and Knowledge Discovery 13, 335-364. Where nothing varies there is no strength.
 */
export function strengthsOf(y: Float64Array, { seasonal, trend }: Parts): Strengths {
  const remainder = y.map((value, t) => value - seasonal[t]! - trend[t]!)
  const left = variance(remainder)
  const detrended = variance(remainder.map((value, t) => value + seasonal[t]!))
  const adjusted = variance(remainder.map((value, t) => value + trend[t]!))
  return { trend: strength(left, adjusted), seasonal: strength(left, detrended) }
}

/**
 * The strengths by a plain STL with a seasonal window of 11, as R's forecast package judges whether
 * to take a seasonal difference. The series has no gaps; one shorter than two seasons has none.
 */
export function strengths(y: Float64Array, period: number, budget?: Budget): Strengths {
  if (period < 2 || y.length <= 2 * period) return { trend: 0, seasonal: 0 }
  const options = { period, seasonalWindow: 11, seasonalDegree: 0, inner: 2 } as const
  return strengthsOf(y, stl(y, options, budget))
}

function strength(left: number, whole: number): number {
  // Rounding leaves something of a series without variation; it is no strength.
  if (!(whole > 0)) return 0
  return Math.min(1, Math.max(0, 1 - left / whole))
}

function variance(values: Float64Array): number {
  let most = 0
  for (let t = 0; t < values.length; t++) most = Math.max(most, Math.abs(values[t]!))
  if (!(most > 0)) return 0
  let mean = 0
  for (let t = 0; t < values.length; t++) mean += values[t]!
  mean /= values.length
  let sum = 0
  for (let t = 0; t < values.length; t++) sum += (values[t]! - mean) * (values[t]! - mean)
  return sum / values.length
}
