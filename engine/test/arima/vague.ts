import { makeDenseFilter } from '../../src/arima/kalman.ts'
import type { Arma } from '../../src/arima/parameters.ts'
import type { Differencing } from '../../src/series/difference.ts'

/**
 * The log-likelihood as R's stats::arima has it: levels begin with a variance of 10⁶ (in units of
 * the shocks' variance), and a value whose own variance is above 10⁴ takes no part.
 */
export function vagueLogLikelihood(y: Float64Array, arma: Arma, operator: Differencing): number {
  const own = makeDenseFilter(arma)
  const { size, ar, shocks } = own
  const all = size + operator.depth
  const at = (i: number, j: number) => i * all + j
  const observe = new Float64Array(all)
  observe[0] = 1
  operator.lags.forEach((lag, k) => {
    observe[size + lag - 1] = operator.weights[k]!
  })
  const move = new Float64Array(all * all)
  for (let i = 0; i < size; i++) {
    move[at(i, 0)] = ar[i]!
    if (i + 1 < size) move[at(i, i + 1)] = 1
  }
  if (operator.depth > 0) move.set(observe, at(size, 0))
  for (let i = size + 1; i < all; i++) move[at(i, i - 1)] = 1
  let covariance: Float64Array = new Float64Array(all * all)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      covariance[at(i, j)] = own.covariance[Math.min(i, j) * size + Math.max(i, j)]!
    }
  }
  for (let i = size; i < all; i++) covariance[at(i, i)] = 1e6
  let state: Float64Array = new Float64Array(all)
  let [used, squares, logs] = [0, 0, 0]
  for (const value of y) {
    const gain = times(covariance, observe, all)
    let [variance, expected] = [0, 0]
    for (let i = 0; i < all; i++) {
      variance += observe[i]! * gain[i]!
      expected += observe[i]! * state[i]!
    }
    if (!Number.isNaN(value)) {
      const error = value - expected
      if (variance < 1e4) {
        used++
        squares += (error * error) / variance
        logs += Math.log(variance)
      }
      for (let i = 0; i < all; i++) {
        state[i]! += (gain[i]! * error) / variance
        for (let j = 0; j < all; j++) covariance[at(i, j)]! -= (gain[i]! * gain[j]!) / variance
      }
    }
    state = times(move, state, all)
    covariance = moved(move, covariance, all)
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) covariance[at(i, j)]! += shocks[i]! * shocks[j]!
    }
  }
  return -0.5 * (used * (Math.log((2 * Math.PI * squares) / used) + 1) + logs)
}

function times(matrix: Float64Array, vector: Float64Array, size: number): Float64Array {
  return vector.map((_, i) => {
    let sum = 0
    for (let j = 0; j < size; j++) sum += matrix[i * size + j]! * vector[j]!
    return sum
  })
}

/** T P T'. */
function moved(move: Float64Array, covariance: Float64Array, size: number): Float64Array {
  const product = (a: Float64Array, b: Float64Array, transposed: boolean) => {
    const out = new Float64Array(size * size)
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < size; k++) {
        const weight = a[i * size + k]!
        if (weight === 0) continue
        for (let j = 0; j < size; j++) {
          out[i * size + j]! += weight * b[transposed ? j * size + k : k * size + j]!
        }
      }
    }
    return out
  }
  const half = product(move, covariance, false)
  return product(half, move, true)
}
