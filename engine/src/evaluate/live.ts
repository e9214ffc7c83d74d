import { forecastModel } from '../facade.ts'
import type { AnyModel } from '../families.ts'
import type { Bounds, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { errorScale } from './metrics.ts'

/** Errors of a forecast on what came: how many values were there, and the sum of their errors. */
export type LiveScore = { readonly count: number; readonly absolute: number }

/** Errors that were divided by the scale of their own series, so that those of many add up. */
export type LiveSum = { readonly count: number; readonly scaled: number }

export const noLive: LiveSum = { count: 0, scaled: 0 }

/**
 * How well a model had foreseen what came right after its data, in one forecast from there, kept
 * within bounds as those that are given out. Missing
 * values count nowhere, nor do those beyond `limits.liveStepsMax` steps. Null where it has no
 * forecast of so far.
 */
export function scoreNews(model: AnyModel, news: Float64Array, bounds?: Bounds): LiveScore | null {
  const y = near(news)
  const ask = { horizon: y.length, quantiles: new Float64Array(0), ...(bounds ? { bounds } : {}) }
  const forecast = forecastModel(model, ask)
  if (forecast.kind === 'refused') return null
  let [count, absolute] = [0, 0]
  for (const [h, actual] of y.entries()) {
    if (Number.isNaN(actual)) continue
    count++
    absolute += Math.abs(actual - forecast.value.point[h]!)
  }
  return { count, absolute }
}

/**
 * The same by the scale of the series. Null where there is nothing to compare, or the scale is not
 * known (NaN); then nothing is forecast. Never throws: what cannot be scored is still news.
 */
export function scaledNews(
  model: AnyModel,
  y: Float64Array,
  scale: number,
  bounds?: Bounds,
): LiveSum | null {
  if (!(scale > 0) || near(y).every(Number.isNaN)) return null
  try {
    const score = scoreNews(model, y, bounds)
    const scaled = score === null ? Number.NaN : score.absolute / scale
    return score !== null && Number.isFinite(scaled) ? { count: score.count, scaled } : null
  } catch {
    return null
  }
}

const near = (y: Float64Array) => y.subarray(0, limits.liveStepsMax)

/** Both of them; the first alone where the sum leaves the range of numbers. */
export function sumOfLive(first: LiveSum, second: LiveSum): LiveSum {
  const scaled = first.scaled + second.scaled
  return Number.isFinite(scaled) ? { count: first.count + second.count, scaled } : first
}

/**
 * What errors on a series are divided by, see `errorScale`; null where it has no changes, those of
 * rounding left aside: all that comes would be a huge error by them.
 */
export function liveScale({ y, seasons = [] }: Series): number | null {
  const { absolute } = errorScale(y, seasons[0] ?? 1)
  let largest = 0
  for (const value of y) if (Math.abs(value) > largest) largest = Math.abs(value)
  return Number.isFinite(absolute) && absolute > roundingShare * largest ? absolute : null
}

/** Of the largest value; some thousand times what a sum of doubles is off by. */
const roundingShare = 1e-12
