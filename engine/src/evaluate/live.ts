import { forecastModel } from '../facade.ts'
import type { AnyModel } from '../families.ts'
import type { Bounds, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { errorScale } from './metrics.ts'

/** Errors of a forecast on what came: how many values were there, and the sum of their errors. */
export type LiveScore = { readonly count: number; readonly absolute: number }

/**
 * Errors that were divided by the scale of their own series, so that those of many add up; each
 * counts for `limits.liveErrorMax` at most.
 */
export type LiveSum = { readonly count: number; readonly scaled: number }

/** How the news of one of many series had been foreseen. */
export type ForeseenNews = {
  /** The mean absolute error, in units of the data. */
  readonly mae: number
  /** The same by the scale of the series, if it has one and a number holds that; else NaN. */
  readonly mase: number
  /** What it adds to all series; null where it has no scale. */
  readonly live: LiveSum | null
}

export const noLive: LiveSum = { count: 0, scaled: 0 }

/**
 * How well a model had foreseen what came right after its data, in one forecast from there, kept
 * within bounds as those that are given out. Missing
 * values count nowhere, nor do those beyond `limits.liveStepsMax` steps. Null where it has no
 * forecast of so far.
 */
export function scoreNews(model: AnyModel, news: Float64Array, bounds?: Bounds): LiveScore | null {
  const errors = errorsOn(model, near(news), bounds)
  return errors && { count: errors.length, absolute: sum(errors) }
}

/**
 * The same of one of many series, by its scale: 0 where its data never changed, so that its error
 * is told and counts nowhere else. Null where there is nothing to compare, or the scale is not
 * known (NaN); then nothing is forecast. Never throws: what cannot be scored is still news.
 */
export function foreseenNews(
  model: AnyModel,
  news: Float64Array,
  scale: number,
  bounds?: Bounds,
): ForeseenNews | null {
  const y = near(news)
  if (Number.isNaN(scale) || y.every(Number.isNaN)) return null
  try {
    const errors = errorsOn(model, y, bounds)
    const mae = errors === null ? Number.NaN : sum(errors) / errors.length
    if (errors === null || !Number.isFinite(mae)) return null
    if (scale === 0) return { mae, mase: Number.NaN, live: null }
    const bounded = errors.map((error) => Math.min(error / scale, limits.liveErrorMax))
    const mase = mae / scale
    return {
      ...{ mae, mase: Number.isFinite(mase) ? mase : Number.NaN },
      live: { count: errors.length, scaled: sum(bounded) },
    }
  } catch {
    return null
  }
}

const near = (y: Float64Array) => y.subarray(0, limits.liveStepsMax)

/** Absolute ones of the forecast of so many steps; null where the model has none. */
function errorsOn(model: AnyModel, y: Float64Array, bounds?: Bounds): readonly number[] | null {
  const ask = { horizon: y.length, quantiles: new Float64Array(0), ...(bounds ? { bounds } : {}) }
  const forecast = forecastModel(model, ask)
  if (forecast.kind === 'refused') return null
  const { point } = forecast.value
  const errors: number[] = []
  for (const [h, actual] of y.entries())
    if (!Number.isNaN(actual)) errors.push(Math.abs(actual - point[h]!))
  return errors
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0)

export function sumOfLive(first: LiveSum, second: LiveSum): LiveSum {
  return { count: first.count + second.count, scaled: first.scaled + second.scaled }
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
