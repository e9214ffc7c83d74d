import type { DemandSpec } from './spec.ts'

/** What a fit settles, and an update keeps. */
export type DemandParameters<Spec extends DemandSpec> = {
  readonly family: Spec['family']
  readonly spec: Spec
  /** Weight of the newest demand in the mean size. */
  readonly sizeSmoothing: number
  /** Weight of the newest interval (Croston) or step (TSB). */
  readonly timeSmoothing: number
  /** Mean size and probability before the first step; TSB alone begins with them, else 0. */
  readonly firstSize: number
  readonly firstProbability: number
  /** Variance of a size around its expectation, in units of the squared mean size. */
  readonly variation: number
  /** Whether all demands were whole numbers: then so are the forecast's quantiles. */
  readonly counts: boolean
}

/** Models are immutable: an update makes a new one. */
export type DemandModel<Spec extends DemandSpec = DemandSpec> = DemandParameters<Spec> & {
  /** Mean size of a demand; 0 before the first one. */
  readonly size: number
  /** Croston: mean interval in steps, 0 before the first demand. TSB: probability of a demand. */
  readonly time: number
  /** Steps since the last demand; a missing one does not count. */
  readonly since: number
  readonly observations: number
  readonly missing: number
}

export type CrostonModel = DemandModel<Extract<DemandSpec, { family: 'croston' }>>
export type TsbModel = DemandModel<Extract<DemandSpec, { family: 'tsb' }>>

/** A model that is still moving. */
export type DemandState<Spec extends DemandSpec> = {
  -readonly [K in keyof DemandModel<Spec>]: DemandModel<Spec>[K]
}

/** The state before the first step. */
export function begin<Spec extends DemandSpec>(
  parameters: DemandParameters<Spec>,
): DemandState<Spec> {
  const { family, spec, sizeSmoothing, timeSmoothing, firstSize, firstProbability } = parameters
  const { variation, counts } = parameters
  return {
    ...{ family, spec, sizeSmoothing, timeSmoothing, firstSize, firstProbability },
    ...{ variation, counts },
    size: firstSize,
    time: firstProbability,
    since: 0,
    observations: 0,
    missing: 0,
  }
}

/** Takes one value. The clock stands still over a missing one: it says nothing of a demand. */
export function absorb<Spec extends DemandSpec>(state: DemandState<Spec>, value: number): void {
  if (Number.isNaN(value)) {
    state.missing++
    return
  }
  state.observations++
  state.since++
  const demanded = value > 0
  if (state.family === 'tsb') {
    state.time += state.timeSmoothing * ((demanded ? 1 : 0) - state.time)
    if (demanded) state.size = mix(state.size, value, state.sizeSmoothing)
  } else if (demanded) {
    const first = state.time === 0
    state.size = first ? value : mix(state.size, value, state.sizeSmoothing)
    state.time = first ? state.since : state.time + state.timeSmoothing * (state.since - state.time)
  }
  if (demanded) state.since = 0
}

/** The probability of a demand in a step; in [0, 1]. Croston's is corrected for its bias. */
export function probabilityOf<Spec extends DemandSpec>({
  spec,
  time,
  timeSmoothing,
}: Pick<DemandModel<Spec>, 'spec' | 'time' | 'timeSmoothing'>): number {
  if (spec.family === 'tsb') return time
  if (time === 0) return 0
  if (spec.method === 'sba') return (1 - timeSmoothing / 2) / time
  if (spec.method === 'sbj') return (1 - timeSmoothing / (2 - timeSmoothing)) / time
  return 1 / time
}

/** The mean demand per step. */
export function rateOf<Spec extends DemandSpec>(model: DemandModel<Spec>): number {
  return probabilityOf(model) * model.size
}

/** The model after some more values. */
export function follow<Spec extends DemandSpec>(
  from: DemandModel<Spec>,
  y: Float64Array,
): DemandModel<Spec> {
  const state = { ...from }
  for (let t = 0; t < y.length; t++) absorb(state, y[t]!)
  return state
}

/** Exact when both are the same, and free of overflow. */
function mix(before: number, value: number, weight: number): number {
  return before + weight * (value - before)
}
