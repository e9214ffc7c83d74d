import type { Components, Explained } from '../family.ts'
import type { Moments } from '../normal-forecast.ts'
import { normalAt } from '../numeric/random.ts'
import { absorb, copyState, lineTerm, startState, type ThetaModel } from './model.ts'

/**
 * Point and deviation of each step. The forecast of a step is taken as its value for the next, as
 * in the paper. The variance is that of the linear recursion, exact: σ² (1 + (h - 1) α²) for a line
 * that is the same for all, and by the covariance of level and line where it moves. To it comes the
 * drift's, which no formula of the paper has: σ² h² α² / n, which for α = 1 is that of a random
 * walk with drift.
 */
export function thetaMoments(model: ThetaModel, horizon: number): Moments {
  const { level, line, season, factor } = stepsOf(model, horizon)
  const widths = widthsOf(model, horizon)
  return {
    point: level.map((value, h) => value + line[h]! + season[h]!),
    deviations: factor.map((times, h) => model.deviation * widths[h]! * times),
  }
}

/** Sample paths, paths × horizon: each value is taken as an observation for the next. */
export function simulateTheta(
  model: ThetaModel,
  horizon: number,
  paths: number,
  seed: number,
): Float64Array {
  const out = new Float64Array(paths * horizon)
  const { pending, deviation, alpha } = model
  for (let path = 0; path < paths; path++) {
    const state = copyState(model)
    const drift = deviation * driftSpread(model) * normalAt(seed, path, -1)
    for (let step = 0; step < pending; step++) {
      state.state[0]! += alpha * deviation * normalAt(seed, path, step)
    }
    for (let h = 0; h < horizon; h++) {
      const t = state.observations + state.missing
      const shock = deviation * normalAt(seed, path, pending + h)
      const y = state.origin + state.state[0]! + lineTerm(state) + shock
      absorb(state, withSeason(state, y, t))
      out[path * horizon + h] = withSeason(state, y + drift * (pending + h + 1), t)
    }
  }
  return out
}

/** Level, line and season: of the one-step fits of a series, or of the point forecast. */
export function explainTheta(model: ThetaModel, what: Explained): Components {
  const parts = 'ask' in what ? stepsOf(model, what.ask.horizon) : fitsOf(model, what.series.y)
  const { level, line, season } = parts
  const total = level.map((value, t) => value + line[t]! + season[t]!)
  return { total, parts: { level, line, season } }
}

/** The parts of each step of the forecast, and what a deviation is multiplied by there. */
function stepsOf(model: ThetaModel, horizon: number) {
  const parts = emptyParts(horizon)
  const state = copyState(model)
  for (let h = 0; h < horizon; h++) {
    const t = state.observations + state.missing
    takeParts(state, parts, h)
    absorb(state, withSeason(state, parts.level[h]! + parts.line[h]!, t))
  }
  return parts
}

function fitsOf(model: ThetaModel, y: Float64Array) {
  const parts = emptyParts(y.length)
  const state = startState(model)
  for (let t = 0; t < y.length; t++) {
    takeParts(state, parts, t)
    absorb(state, y[t]!)
  }
  return parts
}

function emptyParts(length: number) {
  const make = () => new Float64Array(length)
  return { level: make(), line: make(), season: make(), factor: make() }
}

function takeParts(model: ThetaModel, parts: ReturnType<typeof emptyParts>, at: number): void {
  const { kind, effects } = model.seasonal
  const level = model.origin + model.state[0]!
  const line = lineTerm(model)
  const effect =
    kind === 'none' ? 0 : effects[(model.observations + model.missing) % effects.length]!
  parts.level[at] = level
  parts.line[at] = line
  parts.season[at] = kind === 'multiplicative' ? (level + line) * (effect - 1) : effect
  parts.factor[at] = kind === 'multiplicative' ? effect : 1
}

function withSeason({ seasonal: { kind, effects } }: ThetaModel, y: number, t: number): number {
  if (kind === 'none') return y
  const effect = effects[t % effects.length]!
  return kind === 'additive' ? y + effect : y * effect
}

/** Deviations of the errors of each step in units of σ: what the coming shocks leave. */
function widthsOf(model: ThetaModel, horizon: number): Float64Array {
  const { alpha, pending, dynamic } = model
  const drift = driftSpread(model)
  const variances = dynamic
    ? dynamicVariances(model, horizon)
    : Float64Array.from({ length: horizon }, (_, h) => 1 + (pending + h) * alpha * alpha)
  return variances.map((variance, h) => Math.sqrt(variance + (drift * (pending + h + 1)) ** 2))
}

/** The deviation of the drift of the level, in units of σ. */
function driftSpread({ alpha, observations }: ThetaModel): number {
  return alpha / Math.sqrt(observations)
}

/**
 * Level, mean and centred sum of the line are linear in the shocks, so their covariance moves by
 * P ← F P F' + g g' (3 × 3, row-major); the error of a step has the variance w' P w + 1.
 */
function dynamicVariances(model: ThetaModel, horizon: number): Float64Array {
  const { alpha, share } = model
  const variances = new Float64Array(horizon)
  let covariance = new Float64Array(9)
  covariance[0] = model.pending * alpha * alpha
  let [power, meanT, spreadT] = [model.state[1]!, model.state[2]!, model.state[4]!]
  let count = model.observations
  let t = model.observations + model.missing
  for (let h = 0; h < horizon; h++) {
    const tilt = (1 - power * (1 - alpha)) / alpha
    const slope = spreadT > 0 ? (share * (tilt - power * meanT)) / spreadT : 0
    const seen = [1, share * power, slope]
    variances[h] = 1 + quadratic(covariance, seen)
    t++
    count++
    const apart = t - meanT
    meanT += apart / count
    spreadT += apart * (t - meanT)
    power *= 1 - alpha
    // What y adds to each, and each keeps of itself; y is seen · state and a shock.
    const gain = [alpha, 1 / count, t - meanT]
    const moved = new Float64Array(9)
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const own = i === j ? (i === 0 ? 1 - alpha : i === 1 ? 1 - 1 / count : 1) : 0
        moved[3 * i + j] = own + gain[i]! * seen[j]! - (i === 2 && j === 1 ? gain[2]! : 0)
      }
    }
    covariance = sandwich(moved, covariance, gain)
  }
  return variances
}

function quadratic(covariance: Float64Array, row: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) sum += row[i]! * covariance[3 * i + j]! * row[j]!
  }
  return Math.max(0, sum)
}

function sandwich(
  moved: Float64Array,
  covariance: Float64Array,
  gain: readonly number[],
): Float64Array<ArrayBuffer> {
  const half = new Float64Array(9)
  const next = new Float64Array(9)
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      for (let k = 0; k < 3; k++) half[3 * i + j]! += moved[3 * i + k]! * covariance[3 * k + j]!
    }
  }
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      let sum = gain[i]! * gain[j]!
      for (let k = 0; k < 3; k++) sum += half[3 * i + k]! * moved[3 * j + k]!
      next[3 * i + j] = sum
    }
  }
  return next
}
