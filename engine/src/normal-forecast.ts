import type { Forecast } from './family.ts'
import { normalQuantile } from './numeric/normal.ts'

/** What a normal forecast is made of, one value for each step. */
export type Moments = { readonly point: Float64Array; readonly deviations: Float64Array }

/** The moments of the first steps, in the same memory. */
export function firstMoments({ point, deviations }: Moments, horizon: number): Moments {
  return { point: point.subarray(0, horizon), deviations: deviations.subarray(0, horizon) }
}

/** Quantiles of normal distributions, raised where rounding would let them cross. */
export function normalForecast({ point, deviations }: Moments, quantiles: Float64Array): Forecast {
  const scores = quantiles.map(normalQuantile)
  const width = scores.length
  const bounds = new Float64Array(point.length * width)
  for (let h = 0; h < point.length; h++) {
    let floor = Number.NEGATIVE_INFINITY
    for (let k = 0; k < width; k++) {
      floor = Math.max(floor, point[h]! + scores[k]! * deviations[h]!)
      bounds[h * width + k] = floor
    }
  }
  return { point, quantiles: bounds, notes: [] }
}
