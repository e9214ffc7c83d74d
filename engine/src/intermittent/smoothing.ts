import type { Budget } from '../numeric/budget.ts'

/** The sum of squared one-step errors of exponential smoothing from a first level on. */
export function smoothingError(values: Float64Array, weight: number, first: number): number {
  let level = first
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    const error = values[i]! - level
    sum += error * error
    level += weight * error
  }
  return sum
}

/**
 * The weight with the least error: the best of a grid, then golden sections between its neighbours.
 * Ended by the budget, the best so far.
 */
export function bestWeight(
  values: Float64Array,
  least: number,
  most: number,
  first: number,
  budget: Budget,
): { readonly weight: number; readonly evaluations: number } {
  let evaluations = 0
  const error = (weight: number) => {
    if (!budget.spend(values.length)) return Number.POSITIVE_INFINITY
    evaluations++
    return smoothingError(values, weight, first)
  }
  let best = Math.max(least, Math.min(most, 0.1))
  let bestError = error(best)
  const width = (most - least) / gridSteps
  for (let i = 0; i <= gridSteps; i++) {
    const weight = least + i * width
    const found = error(weight)
    if (found < bestError) {
      best = weight
      bestError = found
    }
  }
  let low = Math.max(least, best - width)
  let high = Math.min(most, best + width)
  for (let step = 0; step < sections; step++) {
    const left = high - golden * (high - low)
    const right = low + golden * (high - low)
    const [leftError, rightError] = [error(left), error(right)]
    if (Math.min(leftError, rightError) < bestError) {
      best = leftError <= rightError ? left : right
      bestError = Math.min(leftError, rightError)
    }
    if (leftError <= rightError) high = right
    else low = left
  }
  return { weight: best, evaluations }
}

const gridSteps = 10
/** Leaves less than a ten-thousandth of the interval: the error is flat there. */
const sections = 12
const golden = (Math.sqrt(5) - 1) / 2
