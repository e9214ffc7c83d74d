import type { Ask, Forecast } from '../family.ts'
import { normalQuantile } from '../numeric/normal.ts'
import type { EtsModel } from './model.ts'
import { momentsOf } from './moments.ts'

/**
 * The forecast on the scale of the data, normal around its mean. Missing values at the end of the
 * series are steps of the forecast that nobody sees.
 */
export function forecastEts(model: EtsModel, ask: Ask): Forecast {
  const { horizon, quantiles } = ask
  const { scale, pending } = model
  const { mean, variance } = momentsOf(model, pending + horizon)
  const scores = quantiles.map(normalQuantile)
  const point = new Float64Array(horizon)
  const bounds = new Float64Array(horizon * scores.length)
  for (let h = 0; h < horizon; h++) {
    const deviation = scale * Math.sqrt(variance[pending + h]!)
    point[h] = scale * mean[pending + h]!
    let floor = Number.NEGATIVE_INFINITY
    for (let k = 0; k < scores.length; k++) {
      floor = Math.max(floor, point[h]! + scores[k]! * deviation)
      bounds[h * scores.length + k] = floor
    }
  }
  return { point, quantiles: bounds, notes: [] }
}
