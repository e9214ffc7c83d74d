import type { Ask, Forecast, Note } from '../family.ts'
import { normalQuantile } from '../numeric/normal.ts'
import { normalAt } from '../numeric/random.ts'
import { type BaselineModel, levelAt, slopeOf } from './model.ts'

/**
 * Point and quantiles by the formulas of Hyndman and Athanasopoulos (2021), section 5.5. Values
 * that are missing at the end count as steps of the forecast.
 */
export function forecastBaseline(model: BaselineModel, { horizon, quantiles }: Ask): Forecast {
  const scores = quantiles.map(normalQuantile)
  const point = new Float64Array(horizon)
  const bounds = new Float64Array(horizon * scores.length)
  for (let h = 0; h < horizon; h++) {
    point[h] = expectedAt(model, h)
    const deviation = model.deviation * widthAt(model, h)
    for (let k = 0; k < scores.length; k++) {
      bounds[h * scores.length + k] = point[h]! + scores[k]! * deviation
    }
  }
  return { point, quantiles: bounds, notes: notesOf(model) }
}

/** Sample paths, paths × horizon; what is uncertain of mean and slope is drawn once for a path. */
export function simulateBaseline(
  model: BaselineModel,
  horizon: number,
  paths: number,
  seed: number,
): Float64Array {
  const { method } = model.spec
  const { deviation, seasonLength } = model
  const out = new Float64Array(paths * horizon)
  const pending = model.ages[0]!
  const gain = gainOf(model)
  const wander = new Float64Array(seasonLength)
  for (let path = 0; path < paths; path++) {
    const once = deviation * normalAt(seed, path, -1)
    wander.fill(0)
    let sum = 0
    for (let step = 0; step < pending && seasonLength === 1; step++) {
      sum += gain * deviation * normalAt(seed, path, step)
    }
    for (let h = 0; h < horizon; h++) {
      const shock = deviation * normalAt(seed, path, pending + h)
      const expected = expectedAt(model, h)
      if (seasonLength > 1) {
        const at = phaseAt(model, h)
        // A season that is missing at the end has moved unseen; its cycles are drawn as one.
        const cycles = h < seasonLength ? 1 + model.ages[at]! : 1
        wander[at]! += Math.sqrt(cycles) * shock
        out[path * horizon + h] = expected + wander[at]!
      } else if (method === 'mean') {
        out[path * horizon + h] = expected + shock + once / Math.sqrt(model.observations)
      } else {
        const slope = method === 'drift' && model.span > 0 ? once / Math.sqrt(model.span) : 0
        out[path * horizon + h] = expected + sum + shock + slope * (pending + h + 1)
        sum += gain * shock
      }
    }
  }
  return out
}

/** The point forecast of step h, counted from 0. */
export function expectedAt(model: BaselineModel, h: number): number {
  if (model.spec.method === 'drift') {
    return model.levels[0]! + (model.ages[0]! + h + 1) * slopeOf(model)
  }
  return levelAt(model, phaseAt(model, h))
}

/** The deviation of the error of step h, in units of that of a one-step error. */
function widthAt(model: BaselineModel, h: number): number {
  const steps = model.ages[0]! + h + 1
  switch (model.spec.method) {
    case 'mean':
      return Math.sqrt(1 + 1 / model.observations)
    case 'drift':
      return Math.sqrt(steps * (1 + (model.span > 0 ? steps / model.span : 0)))
    case 'window': {
      const gain = gainOf(model)
      return Math.sqrt(1 + (steps - 1) * gain * gain)
    }
    default: {
      const cycles = Math.floor(h / model.seasonLength) + 1
      return Math.sqrt(cycles + model.ages[phaseAt(model, h)]!)
    }
  }
}

/**
 * What a shock leaves in the level. An average of n values is as old as exponential smoothing with
 * 2 / (n + 1), whose variance it takes; with n = 1 that is the naive forecast, exactly.
 */
function gainOf({ spec, observations }: BaselineModel): number {
  return spec.method === 'window' ? 2 / (Math.min(spec.window, observations) + 1) : 1
}

function phaseAt(model: BaselineModel, h: number): number {
  return (model.observations + model.missing + h) % model.seasonLength
}

function notesOf(model: BaselineModel): readonly Note[] {
  if (model.deviation > 0) return []
  const detail = 'No error was seen in the series, so the forecast has no width.'
  return [{ code: 'no-width', detail }]
}
