import type { Moments } from '../normal-forecast.ts'
import { carried, type Differencing } from '../series/difference.ts'
import { wholeCovariance } from './kalman.ts'
import type { ArimaModel } from './model.ts'
import { operatorOf } from './orders.ts'
import { shockWeights } from './parameters.ts'
import { explained } from './regression.ts'

/**
 * Mean and deviation of each step on the scale of the data, given the regressors to come. The
 * variance is that of the integrated process: the weights of coming shocks are integrated like the
 * values, and what the filter does not know of its state is added. Levels that were filled inside
 * the series count as known. Each step depends only on those before it, so that a short forecast is
 * the beginning of a long one.
 */
export function momentsArima(
  model: ArimaModel,
  horizon: number,
  regression: readonly Float64Array[],
): Moments {
  const operator = operatorOf(model.orders)
  const steps = horizon + model.pending
  const values = integratedValues(model, operator, steps)
  const deviations = standardDeviations(model, operator, steps)
  const point = values.slice(operator.depth + model.pending)
  const taken = explained(model.beta, regression, horizon)
  for (let h = 0; h < horizon; h++) point[h]! += taken[h]!
  return { point, deviations: deviations.subarray(model.pending) }
}

/** The kept levels, and after them the expected values. */
export function integratedValues(
  model: ArimaModel,
  operator: Differencing,
  steps: number,
): Float64Array {
  const { scale, mean } = model
  const depth = operator.depth
  const { ar } = model.arma
  const values = new Float64Array(depth + steps)
  values.set(model.levels)
  const state = model.state.slice()
  for (let h = 0; h < steps; h++) {
    const last = state[0]!
    for (let i = 0; i < state.length; i++) state[i] = (ar[i] ?? 0) * last + (state[i + 1] ?? 0)
    values[depth + h] = carried(operator, values, depth + h) + scale * (state[0]! + mean)
  }
  return values
}

function standardDeviations(
  model: ArimaModel,
  operator: Differencing,
  steps: number,
): Float64Array {
  const weights = integrate(operator, shockWeights(model.arma, steps), 1)
  const uncertain = stateVariances(model, operator, steps)
  const spread = model.scale * Math.sqrt(model.sigma2)
  const deviations = new Float64Array(steps)
  let sum = 0
  for (let h = 0; h < steps; h++) {
    sum += weights[h]! * weights[h]!
    deviations[h] = spread * Math.sqrt(sum + (uncertain[h] ?? 0))
  }
  return deviations
}

/** The share of the variance that comes from the state; empty when the state is known. */
function stateVariances(model: ArimaModel, operator: Differencing, steps: number): Float64Array {
  const { arma } = model
  const covariance = wholeCovariance(arma, model.state, model.covariance)
  if (covariance.length === 0) return covariance
  const size = model.state.length
  const effects = new Float64Array(steps * size)
  const row = new Float64Array(size)
  row[0] = 1
  for (let h = 0; h < steps; h++) {
    let first = 0
    for (let i = 0; i < size; i++) first += row[i]! * (arma.ar[i] ?? 0)
    for (let i = size - 1; i > 0; i--) row[i] = row[i - 1]!
    row[0] = first
    effects.set(row, h * size)
  }
  integrate(operator, effects, size)
  const variances = new Float64Array(steps)
  for (let h = 0; h < steps; h++) {
    let sum = 0
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        sum += effects[h * size + i]! * covariance[i * size + j]! * effects[h * size + j]!
      }
    }
    variances[h] = Math.max(0, sum)
  }
  return variances
}

/** Undoes the differencing, in place, of rows of some width that begin from nothing. */
function integrate(operator: Differencing, rows: Float64Array, width: number): Float64Array {
  for (let at = 0; at < rows.length; at++) {
    for (let k = 0; k < operator.lags.length; k++) {
      const from = at - operator.lags[k]! * width
      if (from >= 0) rows[at]! += operator.weights[k]! * rows[from]!
    }
  }
  return rows
}
