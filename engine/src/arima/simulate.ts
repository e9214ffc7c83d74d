import { normalAt } from '../numeric/random.ts'
import { carried } from '../series/difference.ts'
import { wholeCovariance } from './kalman.ts'
import type { ArimaModel } from './model.ts'
import { operatorOf } from './orders.ts'
import { explained } from './regression.ts'

/**
 * Sample paths, paths × horizon, row-major. The state's own uncertainty is drawn too: a path
 * starts from a draw of the state, by the triangular root of its covariance.
 */
export function simulateArima(
  model: ArimaModel,
  horizon: number,
  paths: number,
  seed: number,
  regression: readonly Float64Array[],
): Float64Array {
  const operator = operatorOf(model.orders)
  const taken = explained(model.beta, regression, horizon)
  const { scale, mean, pending } = model
  const { ar, ma } = model.arma
  const size = model.state.length
  const depth = operator.depth
  const spread = Math.sqrt(model.sigma2)
  const root = triangularRoot(wholeCovariance(model.arma, model.state, model.covariance), size)
  const out = new Float64Array(paths * horizon)
  const values = new Float64Array(depth + pending + horizon)
  const state = new Float64Array(size)
  values.set(model.levels)
  for (let path = 0; path < paths; path++) {
    state.set(model.state)
    for (let j = 0; j < root.length / size; j++) {
      // Steps below zero: draws of the state, apart from those of the shocks.
      const draw = spread * normalAt(seed, path, -1 - j)
      for (let i = j; i < size; i++) state[i]! += root[i * size + j]! * draw
    }
    for (let h = 0; h < pending + horizon; h++) {
      const shock = spread * normalAt(seed, path, h)
      const last = state[0]!
      for (let i = 0; i < size; i++) {
        const weight = i === 0 ? 1 : (ma[i - 1] ?? 0)
        state[i] = (ar[i] ?? 0) * last + (state[i + 1] ?? 0) + weight * shock
      }
      values[depth + h] = carried(operator, values, depth + h) + scale * (state[0]! + mean)
      if (h >= pending) {
        out[path * horizon + h - pending] = values[depth + h]! + taken[h - pending]!
      }
    }
  }
  return out
}

/** The lower triangular root of a covariance, row-major, of which a direction may be certain. */
function triangularRoot(covariance: Float64Array, size: number): Float64Array {
  const root = new Float64Array(covariance.length)
  for (let j = 0; j * size < covariance.length; j++) {
    let left = covariance[j * size + j]!
    for (let k = 0; k < j; k++) left -= root[j * size + k]! * root[j * size + k]!
    if (!(left > 0)) continue
    const pivot = Math.sqrt(left)
    for (let i = j; i < size; i++) {
      let sum = covariance[i * size + j]!
      for (let k = 0; k < j; k++) sum -= root[i * size + k]! * root[j * size + k]!
      root[i * size + j] = sum / pivot
    }
  }
  return root
}
