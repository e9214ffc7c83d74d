import type { Moments } from '../normal-forecast.ts'
import type { EtsModel } from './model.ts'
import { momentsOf } from './moments.ts'

/**
 * The forecast on the scale of the data: it is normal around its mean. Missing values at the end
 * of the series are steps of the forecast that nobody sees.
 */
export function normalMoments(model: EtsModel, horizon: number): Moments {
  const { scale, pending } = model
  const { mean, variance } = momentsOf(model, pending + horizon)
  const point = new Float64Array(horizon)
  const deviations = new Float64Array(horizon)
  for (let h = 0; h < horizon; h++) {
    deviations[h] = scale * Math.sqrt(variance[pending + h]!)
    point[h] = scale * mean[pending + h]!
  }
  return { point, deviations }
}
