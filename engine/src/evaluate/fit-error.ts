import { explainModel } from '../facade.ts'
import type { AnyModel } from '../families.ts'
import type { Series } from '../family.ts'
import { errorScale } from './metrics.ts'

/**
 * The mean absolute scaled error of a model's one-step fits to the series that it was fitted on
 * (Hyndman and Koehler 2006; the scale is that of the shortest season): how well it describes them,
 * not how well it will forecast. NaN where there is no fit, or no scale, as in a constant series.
 */
export function maseOfFit(model: AnyModel, series: Series): number {
  const explained = explainModel(model, { series })
  if (explained.kind === 'refused') return Number.NaN
  const { total } = explained.value
  const { y, seasons = [] } = series
  let [count, sum] = [0, 0]
  for (let t = 0; t < y.length; t++) {
    const error = Math.abs(y[t]! - total[t]!)
    if (Number.isNaN(error)) continue
    count++
    sum += error
  }
  const mase = sum / count / errorScale(y, seasons[0] ?? 1).absolute
  return Number.isFinite(mase) ? mase : Number.NaN
}
