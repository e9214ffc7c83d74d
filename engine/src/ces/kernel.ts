import { limits } from '../limits.ts'
import { type Structure, stateSize } from './structure.ts'

/**
 * The recursions of complex exponential smoothing and their derivatives with respect to the
 * parameters. Svetunkov, Kourentzes and Ord (2022), equation (7), ℓ the level, c its potential:
 *
 *     y = ℓ + s + e
 *     ℓ' = ℓ - (1 - α₁) c + (α₀ - α₁) e
 *     c' = ℓ + (1 - α₀) c + (α₀ + α₁) e
 *
 * A full season has the same pair with β at the lag of the season; a partial one s' = s + β e. A
 * state lies at its time mod its lag, and each number is followed by its derivatives.
 */
export type Kernel = {
  /**
   * The sum of squared errors; its gradient into `gradient`. NaN once `look`, which is told of some
   * steps before they are taken, says that the fit has to end.
   */
  evaluate(
    parameters: Float64Array,
    gradient: Float64Array,
    look?: (steps: number) => boolean,
  ): number
  /** The state before the first value at the parameters of the last evaluation, into `state`. */
  copyStart(state: Float64Array): void
}

/**
 * A kernel for one series, with workspaces of its own. The start is found by backcasting: over the
 * series forward from a rough start, then backward, and the errors count on the way forward again.
 */
export function makeKernel(y: Float64Array, structure: Structure, rough: Float64Array): Kernel {
  const { levelLag, seasonLag, seasonWidth, parameters: count } = structure
  const width = count + 1
  const state = new Float64Array(stateSize(structure) * width)
  const start = new Float64Array(stateSize(structure))
  const seasonBase = 2 * levelLag * width
  const dError = new Float64Array(count)
  const sum = new Float64Array(count)

  /** One step at time t; adds to the sums when `counts`. Returns the squared error. */
  function step(t: number, p: Float64Array, counts: boolean): number {
    const at = (t % levelLag) * 2 * width
    const under = at + width
    const seasonAt = seasonWidth === 0 ? 0 : seasonBase + (t % seasonLag) * seasonWidth * width
    const level = state[at]!
    const potential = state[under]!
    const value = y[t]!
    const known = !Number.isNaN(value)
    const error = known ? value - level - (seasonWidth === 0 ? 0 : state[seasonAt]!) : 0
    const a0 = p[0]!
    const a1 = p[1]!
    const gain = a0 - a1
    const underGain = a0 + a1
    for (let k = 1; k <= count; k++) {
      const dLevel = state[at + k]!
      const dUnder = state[under + k]!
      const season = seasonWidth === 0 ? 0 : state[seasonAt + k]!
      const d = known ? -dLevel - season : 0
      dError[k - 1] = d
      state[at + k] = dLevel - (1 - a1) * dUnder + gain * d
      state[under + k] = dLevel + (1 - a0) * dUnder + underGain * d
    }
    state[at + 1]! += error
    state[at + 2]! += potential - error
    state[under + 1]! += error - potential
    state[under + 2]! += error
    state[at] = level - (1 - a1) * potential + gain * error
    state[under] = level + (1 - a0) * potential + underGain * error
    if (seasonWidth === 1) {
      const b = p[2]!
      for (let k = 1; k <= count; k++) state[seasonAt + k]! += b * dError[k - 1]!
      state[seasonAt + 3]! += error
      state[seasonAt]! += b * error
    } else if (seasonWidth === 2) {
      stepSeason(seasonAt, error, p[2]!, p[3]!)
    }
    if (counts) for (let k = 0; k < count; k++) sum[k]! += error * dError[k]!
    return error * error
  }

  function stepSeason(at: number, error: number, b0: number, b1: number): void {
    const under = at + width
    const term = state[at]!
    const potential = state[under]!
    for (let k = 1; k <= count; k++) {
      const dTerm = state[at + k]!
      const dUnder = state[under + k]!
      const d = dError[k - 1]!
      state[at + k] = dTerm - (1 - b1) * dUnder + (b0 - b1) * d
      state[under + k] = dTerm + (1 - b0) * dUnder + (b0 + b1) * d
    }
    state[at + 3]! += error
    state[at + 4]! += potential - error
    state[under + 3]! += error - potential
    state[under + 4]! += error
    state[at] = term - (1 - b1) * potential + (b0 - b1) * error
    state[under] = term + (1 - b0) * potential + (b0 + b1) * error
  }

  return {
    evaluate(parameters, gradient, look) {
      state.fill(0)
      for (let i = 0; i < rough.length; i++) state[i * width] = rough[i]!
      for (let from = 0; from < y.length; from += lookSteps) {
        const to = Math.min(from + lookSteps, y.length)
        if (look?.(to - from) === false) return Number.NaN
        for (let t = from; t < to; t++) step(t, parameters, false)
      }
      for (let to = y.length; to > 0; to -= lookSteps) {
        const from = Math.max(to - lookSteps, 0)
        if (look?.(to - from) === false) return Number.NaN
        for (let t = to - 1; t >= from; t--) step(t, parameters, false)
      }
      for (let i = 0; i < start.length; i++) start[i] = state[i * width]!
      sum.fill(0)
      let squares = 0
      for (let from = 0; from < y.length; from += lookSteps) {
        const to = Math.min(from + lookSteps, y.length)
        if (look?.(to - from) === false) return Number.NaN
        for (let t = from; t < to; t++) squares += step(t, parameters, true)
      }
      for (let k = 0; k < count; k++) gradient[k] = 2 * sum[k]!
      return squares
    },
    copyStart(into) {
      into.set(start)
    },
  }
}

/** Steps between two looks at whether the fit has to end: they take well below 10 ms. */
const lookSteps = 16 * limits.pollPoints
