import { limits } from '../limits.ts'
import type { Seasonal } from './seasonal.ts'
import { withoutSeason } from './seasonal.ts'
import type { ThetaSpec } from './spec.ts'

/**
 * A theta model. Symbols as in Fiorucci et al. (2016): ℓ the level, A + B t the line. The paper's
 * 1 - 1/θ is here the `share` of the line. All levels are less `origin`, the first value without
 * its season, so that a shift of the data changes nothing else.
 */
export type ThetaModel = {
  readonly family: 'theta'
  readonly spec: ThetaSpec
  readonly seasonLength: number
  readonly seasonal: Seasonal
  /** Whether the line is of the observations so far (DSTM, DOTM), or one for all (STM, OTM). */
  readonly dynamic: boolean
  readonly alpha: number
  /** 1 - 1/θ in [0, 1]. */
  readonly share: number
  /** Standard deviation of a one-step error without season. */
  readonly deviation: number
  readonly origin: number
  /** The level before the first value. */
  readonly levelStart: number
  /** A and B of the line for all; of a dynamic model as it is before any value. */
  readonly line: Float64Array
  /** State: ℓ, (1 - α)^t, and mean of t, mean of y, and their centred sums of the dynamic line. */
  readonly state: Float64Array
  readonly observations: number
  readonly missing: number
  /** Missing values at the end. */
  readonly pending: number
}

export type ThetaState = { -readonly [K in keyof ThetaModel]: ThetaModel[K] }

/** What a model is before any observation. */
export function startState(model: Omit<ThetaModel, 'state' | Counts>): ThetaState {
  const state = Float64Array.of(model.levelStart, 1, 0, 0, 0, 0)
  return { ...model, state, observations: 0, missing: 0, pending: 0 }
}
type Counts = 'observations' | 'missing' | 'pending'

export function copyState(model: ThetaModel): ThetaState {
  return { ...model, state: model.state.slice() }
}

/** Whether the state can be stored. */
export function isSound({ state }: ThetaModel): boolean {
  return state.every((value) => Math.abs(value) <= limits.stateMagnitudeMax)
}

/** What the line adds to the level for the next value. */
export function lineTerm({ state, line, dynamic, alpha, share }: ThetaModel): number {
  const power = state[1]!
  const slope = dynamic ? (state[4]! > 0 ? state[5]! / state[4]! : 0) : line[1]!
  const intercept = dynamic ? state[3]! - slope * state[2]! : line[0]!
  return share * (power * intercept + ((1 - power * (1 - alpha)) / alpha) * slope)
}

/** Takes a value of the data, perhaps missing; returns the error without season, NaN of none. */
export function absorb(model: ThetaState, value: number): number {
  const { state, alpha } = model
  const t = model.observations + model.missing
  const term = lineTerm(model)
  const expected = state[0]! + term
  state[1]! *= 1 - alpha
  if (Number.isNaN(value)) {
    state[0]! += alpha * term
    model.missing++
    model.pending++
    return value
  }
  const y = withoutSeason(model.seasonal, value, t) - model.origin
  state[0]! += alpha * (y - state[0]!)
  if (model.dynamic) moveLine(state, y, t + 1, model.observations)
  model.observations++
  model.pending = 0
  return y - expected
}

/** Least squares of y on t, one pair more (Welford 1962). */
export function moveLine(state: Float64Array, y: number, t: number, count: number): void {
  const apart = t - state[2]!
  const above = y - state[3]!
  state[2]! += apart / (count + 1)
  state[3]! += above / (count + 1)
  state[4]! += apart * (t - state[2]!)
  state[5]! += (t - state[2]!) * above
}
