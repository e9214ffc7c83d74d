import type { Outcome, Refusal, Report, Run, Series } from '../family.ts'
import { type Budget, makeBudget } from '../numeric/budget.ts'
import { checkObserved } from '../series/check.ts'
import { counted } from '../words.ts'
import {
  begin,
  type DemandModel,
  type DemandParameters,
  follow,
  probabilityOf,
  rateOf,
} from './model.ts'
import { bestWeight, smoothingError } from './smoothing.ts'
import type { DemandSpec } from './spec.ts'

/** Why a series cannot be fitted; undefined when it can. */
export function checkDemands({ y }: Series): Refusal | undefined {
  return checkObserved(y, 1) ?? checkNotNegative(y)
}

export function checkNotNegative(y: Float64Array): Refusal | undefined {
  const at = y.findIndex((value) => value < 0)
  if (at < 0) return undefined
  return {
    code: 'negative',
    detail: `Observation ${at} is ${y[at]}; demands are not negative.`,
    field: `/y/${at}`,
    remedy: 'Choose another family.',
  }
}

/** Fits a series that passes `checkDemands`. Stopped, it has the usual smoothing of 0.1. */
export function fitDemands<Spec extends DemandSpec>(
  { y }: Series,
  spec: Spec,
  run: Run,
): Outcome<DemandModel<Spec>> {
  const budget = makeBudget(run)
  const demands = demandsOf(y)
  const weights = chooseWeights(demands, spec, budget)
  const { sizes, scale, flags } = demands
  const tsb = spec.family === 'tsb'
  const firstSize = tsb ? scale * meanOf(sizes) : 0
  const firstProbability = tsb ? meanOf(flags) : 0
  const parameters: DemandParameters<Spec> = {
    family: spec.family,
    spec,
    sizeSmoothing: weights.size,
    timeSmoothing: weights.time,
    firstSize,
    firstProbability,
    variation: variationOf(sizes, weights.size, tsb ? firstSize / scale : undefined),
    counts: y.every((value) => Number.isNaN(value) || Number.isInteger(value)),
  }
  const model = follow(begin(parameters), y)
  return {
    kind: budget.ended() === undefined ? 'done' : 'stopped',
    value: model,
    report: reportOf(model, sizes.length, y, weights.evaluations),
  }
}

type Demands = {
  /** Of the demands, in units of `scale`. */
  readonly sizes: Float64Array
  readonly scale: number
  /** Steps from demand to demand, the first from the beginning. */
  readonly intervals: Float64Array
  /** 1 for each observed step with a demand, else 0. */
  readonly flags: Float64Array
}

function demandsOf(y: Float64Array): Demands {
  const observed = y.filter((value) => !Number.isNaN(value))
  const flags = observed.map((value) => (value > 0 ? 1 : 0))
  const sizes = observed.filter((value) => value > 0)
  const scale = sizes.reduce((most, value) => Math.max(most, value), 0) || 1
  const intervals = new Float64Array(sizes.length)
  let at = 0
  let since = 0
  for (let t = 0; t < flags.length; t++) {
    since++
    if (flags[t] === 0) continue
    intervals[at++] = since
    since = 0
  }
  return { sizes: sizes.map((value) => value / scale), scale, intervals, flags }
}

/** Sizes and times are smoothed apart, so each weight is found by itself. */
function chooseWeights({ sizes, intervals, flags }: Demands, spec: DemandSpec, budget: Budget) {
  let evaluations = 0
  const choose = (values: Float64Array, least: number, most: number, first?: number) => {
    const found = bestWeight(values, least, most, first ?? values[0] ?? 0, budget)
    evaluations += found.evaluations
    return found.weight
  }
  if (spec.family === 'tsb') {
    const [least, most] = tsbWeights
    const size = spec.demandSmoothing ?? choose(sizes, least, most, meanOf(sizes))
    const time = spec.probabilitySmoothing ?? choose(flags, least, most, meanOf(flags))
    return { size, time, evaluations }
  }
  if (spec.method !== 'optimised') {
    const weight = spec.smoothing ?? usualWeight
    return { size: weight, time: weight, evaluations }
  }
  const [least, most] = crostonWeights
  return { size: choose(sizes, least, most), time: choose(intervals, least, most), evaluations }
}

/** Syntetos and Boylan (2005) find 0.05 to 0.2 realistic; statsforecast, too, has 0.1. */
const usualWeight = 0.1
const crostonWeights = [0.1, 0.3] as const
const tsbWeights = [0.01, 0.5] as const

/** The mean squared error of a size relative to the squared mean size. */
function variationOf(sizes: Float64Array, weight: number, first: number | undefined): number {
  if (sizes.length < 2) return 0
  const mean = meanOf(sizes)
  const error = smoothingError(sizes, weight, first ?? sizes[0]!)
  return Math.min(
    variationMax,
    error / (sizes.length - (first === undefined ? 1 : 0)) / (mean * mean),
  )
}

/** Keeps a logarithmic size within the numbers. */
export const variationMax = 1e6

function meanOf(values: Float64Array): number {
  if (values.length === 0) return 0
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}

function reportOf<Spec extends DemandSpec>(
  model: DemandModel<Spec>,
  demands: number,
  y: Float64Array,
  evaluations: number,
): Report {
  const tsb = model.family === 'tsb'
  const probability = probabilityOf(model)
  const share = `demand in ${demands} of ${counted(model.observations, 'step')}`
  const rate = `the rate is ${shown(rateOf(model))} a step`
  return {
    summary: `Intermittent demand by ${nameOf(model.spec)}: ${share}; ${rate}.`,
    observations: model.observations,
    missing: model.missing,
    demands,
    sigma2: squaredError(model, y),
    demandSmoothing: model.sizeSmoothing,
    [tsb ? 'probabilitySmoothing' : 'intervalSmoothing']: model.timeSmoothing,
    meanDemand: model.size,
    probability,
    iterations: 0,
    evaluations,
    converged: 'yes',
  }
}

/** The mean squared one-step error, from the first demand on. */
function squaredError<Spec extends DemandSpec>(model: DemandModel<Spec>, y: Float64Array): number {
  let state: DemandModel<Spec> = begin(model)
  let sum = 0
  let count = 0
  const one = new Float64Array(1)
  for (let t = 0; t < y.length; t++) {
    if (!Number.isNaN(y[t]!) && state.size > 0) {
      const error = y[t]! - rateOf(state)
      count++
      sum += (error * error - sum) / count
    }
    one[0] = y[t]!
    state = follow(state, one)
  }
  return sum
}

function nameOf(spec: DemandSpec): string {
  if (spec.family === 'tsb') return 'the method of Teunter, Syntetos and Babai'
  const names = {
    classic: "Croston's method",
    sba: "Croston's method with the correction of Syntetos and Boylan",
    sbj: "Croston's method with the correction of Shale, Boylan and Johnston",
    optimised: "Croston's method with chosen smoothing",
  }
  return names[spec.method]
}

function shown(value: number): string {
  return String(Number(value.toPrecision(4)))
}
