import { stl } from './stl.ts'

/**
 * The strength of a season, in [0, 1]: the share of the detrended variance that is not remainder
 * (Wang, Smith and Hyndman 2006, Data Mining and Knowledge Discovery 13), by an STL decomposition
 * with a seasonal window of 11 as `nsdiffs` in R has it. Inner gaps are bridged by straight lines.
 * Zero without two whole seasons, or where nothing varies.
 */
export function seasonalStrength(y: Float64Array, season: number): number {
  const values = bridged(y)
  const n = values.length
  if (season < 2 || n < 2 * season) return 0
  const { seasonal, trend } = stl(values, { period: season, seasonalWindow: 11, inner: 2 })
  const remainder = values.map((value, t) => value - seasonal[t]! - trend[t]!)
  const detrended = values.map((value, t) => value - trend[t]!)
  const all = variance(detrended)
  return all > rounding ? Math.min(1, Math.max(0, 1 - variance(remainder) / all)) : 0
}

/** Variances of values of order one below this are rounding. */
const rounding = 1e-28

/** From the first known value to the last, gaps filled, in units of the largest. */
function bridged(y: Float64Array): Float64Array {
  let from = 0
  let to = y.length
  while (from < to && Number.isNaN(y[from]!)) from++
  while (to > from && Number.isNaN(y[to - 1]!)) to--
  const values = y.slice(from, to)
  let scale = 0
  for (const value of values) if (Math.abs(value) > scale) scale = Math.abs(value)
  let last = 0
  for (let t = 0; t < values.length; t++) {
    if (Number.isNaN(values[t]!)) continue
    values[t] = scale > 0 ? values[t]! / scale : 0
    const step = (values[t]! - values[last]!) / (t - last)
    for (let k = last + 1; k < t; k++) values[k] = values[last]! + step * (k - last)
    last = t
  }
  return values
}

function variance(values: Float64Array): number {
  let mean = 0
  for (const value of values) mean += value / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) * (value - mean)
  return squares / values.length
}
