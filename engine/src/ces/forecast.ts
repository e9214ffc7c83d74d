import type { Components, Explained } from '../family.ts'
import type { Moments } from '../normal-forecast.ts'
import { normalAt } from '../numeric/random.ts'
import { type CesModel, copyState, makeStepper, startState } from './model.ts'

/**
 * Point and deviation of each step. The model is linear, so the variance is exact: that of the sum
 * of all coming shocks, each with the weight that its response has after so many steps. Values that
 * are missing at the end count as steps.
 */
export function cesMoments(model: CesModel, horizon: number): Moments {
  const { level, season } = stepsOf(model, horizon)
  const point = level.map((value, h) => value + season[h]!)
  return { point, deviations: deviationsOf(model, horizon) }
}

/** Sample paths, paths × horizon. */
export function simulateCes(
  model: CesModel,
  horizon: number,
  paths: number,
  seed: number,
): Float64Array {
  const out = new Float64Array(paths * horizon)
  const { step, level, season } = makeStepper(model)
  const { pending, deviation } = model
  const end = model.observations + model.missing
  const weights = pending > 0 ? shockWeights(model, pending + horizon) : undefined
  for (let path = 0; path < paths; path++) {
    const { state } = copyState(model)
    for (let h = 0; h < horizon; h++) {
      const shock = deviation * normalAt(seed, path, pending + h)
      let value = level(state, end + h) + season(state, end + h) + shock
      // The shocks of missing values at the end are not in the state yet.
      for (let j = 0; weights !== undefined && j < pending; j++) {
        value += weights[pending + h - j]! * deviation * normalAt(seed, path, j)
      }
      out[path * horizon + h] = value
      step(state, end + h, shock)
    }
  }
  return out
}

/** Level and season: of the one-step fits of a series, or of the point forecast. */
export function explainCes(model: CesModel, what: Explained): Components {
  const { level, season } =
    'ask' in what ? stepsOf(model, what.ask.horizon) : fitsOf(model, what.series.y)
  const total = level.map((value, t) => value + season[t]!)
  return {
    total,
    parts: model.season === 'partial' || model.season === 'full' ? { level, season } : { level },
  }
}

function stepsOf(model: CesModel, horizon: number) {
  const stepper = makeStepper(model)
  const { state } = copyState(model)
  const end = model.observations + model.missing
  const level = new Float64Array(horizon)
  const season = new Float64Array(horizon)
  for (let h = 0; h < horizon; h++) {
    level[h] = stepper.level(state, end + h)
    season[h] = stepper.season(state, end + h)
    stepper.step(state, end + h, 0)
  }
  return { level, season }
}

function fitsOf(model: CesModel, y: Float64Array) {
  const stepper = makeStepper(model)
  const { state } = startState(model)
  const level = new Float64Array(y.length)
  const season = new Float64Array(y.length)
  for (let t = 0; t < y.length; t++) {
    level[t] = stepper.level(state, t)
    season[t] = stepper.season(state, t)
    stepper.step(state, t, Number.isNaN(y[t]!) ? 0 : y[t]! - level[t]! - season[t]!)
  }
  return { level, season }
}

function deviationsOf(model: CesModel, horizon: number): Float64Array {
  const { pending, deviation } = model
  const weights = shockWeights(model, pending + horizon)
  const deviations = new Float64Array(horizon)
  let sum = 0
  for (let j = 0; j < weights.length; j++) {
    sum += weights[j]! * weights[j]!
    if (j >= pending) deviations[j - pending] = deviation * Math.sqrt(sum)
  }
  return deviations
}

/** What a shock of one adds to the value so many steps later. */
function shockWeights(model: CesModel, steps: number): Float64Array {
  const { step, level, season } = makeStepper(model)
  const state = new Float64Array(model.state.length)
  const weights = new Float64Array(steps)
  weights[0] = 1
  step(state, 0, 1)
  for (let j = 1; j < steps; j++) {
    weights[j] = level(state, j) + season(state, j)
    step(state, j, 0)
  }
  return weights
}
