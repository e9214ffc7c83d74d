import type { BaselineSpec } from './spec.ts'

/**
 * A fitted baseline. Its one parameter is the deviation of a one-step error; all else is state, so
 * that newer observations move a mean or a drift as they would in a new fit.
 */
export type BaselineModel = {
  readonly family: 'baseline'
  readonly spec: BaselineSpec
  readonly seasonLength: number
  /** Standard deviation of a one-step error, in units of the data. */
  readonly deviation: number
  /**
   * By method. Naive and seasonal naive: the last value of each season, at index time mod length.
   * Drift: the last value and the first. Mean: the mean. Window: the last values, at index
   * observations mod window.
   */
  readonly levels: Float64Array
  /** Cycles that each season has been missing at the end; one season but for seasonal naive. */
  readonly ages: Int32Array
  /** Drift: steps between the first and the last value. */
  readonly span: number
  readonly observations: number
  readonly missing: number
}

/** A model that is still moving: the same fields, to be written to. */
export type BaselineState = {
  -readonly [K in keyof BaselineModel]: BaselineModel[K]
}

/** The state before any observation. */
export function emptyState(
  spec: BaselineSpec,
  seasonLength: number,
  deviation: number,
): BaselineState {
  const size = levelCount(spec, seasonLength)
  return {
    family: 'baseline',
    spec,
    seasonLength,
    deviation,
    levels: new Float64Array(size),
    ages: new Int32Array(seasonLength),
    span: 0,
    observations: 0,
    missing: 0,
  }
}

/** A copy that can move on without a change to the model. */
export function copyState(model: BaselineModel): BaselineState {
  return { ...model, levels: model.levels.slice(), ages: model.ages.slice() }
}

/** Numbers that a model keeps as its levels. */
export function levelCount({ method, window }: BaselineSpec, seasonLength: number): number {
  if (method === 'drift') return 2
  if (method === 'window') return window
  return seasonLength
}

/** Takes one value; a missing one only ages the state. */
export function absorb(state: BaselineState, value: number): void {
  const { levels, ages } = state
  const at = (state.observations + state.missing) % state.seasonLength
  if (Number.isNaN(value)) {
    ages[at]! += 1
    state.missing++
    return
  }
  switch (state.spec.method) {
    case 'mean':
      levels[0]! += (value - levels[0]!) / (state.observations + 1)
      break
    case 'window':
      levels[state.observations % levels.length] = value
      break
    case 'drift':
      if (state.observations === 0) levels[1] = value
      else state.span += ages[0]! + 1
      levels[0] = value
      break
    default:
      levels[at] = value
  }
  ages[at] = 0
  state.observations++
}

/** The level that the next value of a season, at index `at`, is expected to repeat. */
export function levelAt(state: BaselineModel, at: number): number {
  return state.spec.method === 'window' ? windowMean(state) : state.levels[at]!
}

/** The slope of the line through the first and the last value; 0 for other methods. */
export function slopeOf({ spec, levels, span }: BaselineModel): number {
  return spec.method === 'drift' && span > 0 ? (levels[0]! - levels[1]!) / span : 0
}

/** Around one of the values, so that the mean of a constant is exact. */
function windowMean({ levels, observations }: BaselineModel): number {
  const count = Math.min(observations, levels.length)
  if (count === 0) return 0
  const pivot = levels[0]!
  let sum = 0
  for (let i = 1; i < count; i++) sum += levels[i]! - pivot
  return pivot + sum / count
}
