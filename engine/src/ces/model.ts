import type { CesSeason, CesSpec } from './spec.ts'
import { structureOf } from './structure.ts'

/** A fitted model; the recursion is that of `kernel.ts`, in units of the data. */
export type CesModel = {
  readonly family: 'ces'
  readonly spec: CesSpec
  /** The one that was taken. */
  readonly season: CesSeason
  readonly seasonLength: number
  /** α₀, α₁, then β (partial) or β₀, β₁ (full). */
  readonly parameters: Float64Array
  /** Standard deviation of a one-step error. */
  readonly deviation: number
  /** The state before the first value. */
  readonly start: Float64Array
  /**
   * Level and potential for each step of the level's lag, then the season's, at index time mod lag.
   */
  readonly state: Float64Array
  readonly observations: number
  readonly missing: number
  /** Missing values at the end. */
  readonly pending: number
}

export type CesState = { -readonly [K in keyof CesModel]: CesModel[K] }

export function startState(model: CesModel): CesState {
  return { ...model, state: model.start.slice(), observations: 0, missing: 0, pending: 0 }
}

export function copyState(model: CesModel): CesState {
  return { ...model, state: model.state.slice() }
}

/** A stepper for one model: it moves states of that model, which it never keeps. */
export function makeStepper(model: CesModel) {
  const structure = structureOf(model.season, model.seasonLength)
  const { levelLag, seasonLag, seasonWidth } = structure
  const [a0 = 0, a1 = 0, b0 = 0, b1 = 0] = model.parameters
  const levelAt = (t: number) => 2 * (t % levelLag)
  const seasonAt = (t: number) => 2 * levelLag + seasonWidth * (t % seasonLag)

  /** Moves the state at a time by an error, 0 of a missing value. */
  function step(state: Float64Array, t: number, error: number): void {
    const at = levelAt(t)
    const level = state[at]!
    const potential = state[at + 1]!
    state[at] = level - (1 - a1) * potential + (a0 - a1) * error
    state[at + 1] = level + (1 - a0) * potential + (a0 + a1) * error
    if (seasonWidth === 0) return
    const on = seasonAt(t)
    const term = state[on]!
    if (seasonWidth === 1) {
      state[on] = term + b0 * error
      return
    }
    const under = state[on + 1]!
    state[on] = term - (1 - b1) * under + (b0 - b1) * error
    state[on + 1] = term + (1 - b0) * under + (b0 + b1) * error
  }

  return {
    structure,
    step,
    level: (state: Float64Array, t: number) => state[levelAt(t)]!,
    season: (state: Float64Array, t: number) => (seasonWidth === 0 ? 0 : state[seasonAt(t)]!),
  }
}

/** Moves a state over values, perhaps missing; each error, NaN of none, goes to `errors`. */
export function absorbAll(state: CesState, y: Float64Array, errors?: Float64Array): void {
  const stepper = makeStepper(state)
  for (let i = 0; i < y.length; i++) {
    const t = state.observations + state.missing
    const value = y[i]!
    const error = value - stepper.level(state.state, t) - stepper.season(state.state, t)
    if (errors !== undefined) errors[i] = error
    if (Number.isNaN(value)) {
      stepper.step(state.state, t, 0)
      state.missing++
      state.pending++
    } else {
      stepper.step(state.state, t, error)
      state.observations++
      state.pending = 0
    }
  }
}
