import { largest } from '../numeric/magnitude.ts'
import { strengths } from './strength.ts'

/**
 * The strength of a season, in [0, 1], of a series that may have gaps: inner ones are bridged by
 * straight lines, outer ones are left out. Zero without more than two whole seasons.
 */
export function seasonalStrength(y: Float64Array, season: number): number {
  return strengths(bridged(y), season).seasonal
}

/** From the first known value to the last, gaps filled, in units of the largest. */
function bridged(y: Float64Array): Float64Array {
  let from = 0
  let to = y.length
  while (from < to && Number.isNaN(y[from]!)) from++
  while (to > from && Number.isNaN(y[to - 1]!)) to--
  const values = y.slice(from, to)
  const scale = largest(values)
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
