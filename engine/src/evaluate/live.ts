import { forecastModel } from '../facade.ts'
import type { AnyModel } from '../families.ts'
import type { Series } from '../family.ts'
import { errorScale } from './metrics.ts'

/** Errors of a forecast on what came: how many values were there, and the sum of their errors. */
export type LiveScore = { readonly count: number; readonly absolute: number }

/**
 * How well a model had foreseen what came right after its data: the whole of it in one forecast
 * from there. Missing values count nowhere. Null where it has no forecast of so far.
 */
export function scoreNews(model: AnyModel, y: Float64Array): LiveScore | null {
  const forecast = forecastModel(model, { horizon: y.length, quantiles: new Float64Array(0) })
  if (forecast.kind === 'refused') return null
  let [count, absolute] = [0, 0]
  for (const [h, actual] of y.entries()) {
    if (Number.isNaN(actual)) continue
    count++
    absolute += Math.abs(actual - forecast.value.point[h]!)
  }
  return { count, absolute }
}

/** What errors on a series are divided by, see `errorScale`; null where it has no changes. */
export function liveScale({ y, seasons = [] }: Series): number | null {
  const { absolute } = errorScale(y, seasons[0] ?? 1)
  return Number.isFinite(absolute) && absolute > 0 ? absolute : null
}
