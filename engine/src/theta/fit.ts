import type { Candidate, Outcome, Refusal, Run, Series } from '../family.ts'
import { makeBudget } from '../numeric/budget.ts'
import { largest, powerOfTwoBelow } from '../numeric/magnitude.ts'
import { criteria, spreadOf } from '../numeric/spread.ts'
import { checkObserved, checkPending } from '../series/check.ts'
import { estimate, type Sample } from './estimate.ts'
import { absorb, moveLine, startState, type ThetaModel, type ThetaState } from './model.ts'
import { decompose, isSeasonal, noSeason, type Seasonal, withoutSeason } from './seasonal.ts'
import { seasonOf, type ThetaMethod, type ThetaSpec } from './spec.ts'

/** With fewer the level and α are not estimated, but repeated from the values. */
export const thetaObservationsMin = 3

/** Why a series cannot be fitted; undefined when it can. */
export function checkThetaSeries(series: Series, spec: ThetaSpec): Refusal | undefined {
  const { y } = series
  const fault = checkObserved(y, thetaObservationsMin) ?? checkPending(y, 0)
  if (fault !== undefined || spec.decomposition !== 'multiplicative') return fault
  const at = y.findIndex((value) => value <= 0)
  if (at < 0) return undefined
  return {
    code: 'not-positive',
    detail: `Observation ${at} is not positive: no factor of a season can be taken from it.`,
    field: `/y/${at}`,
    remedy: 'Set the decomposition to additive, or leave it to the series.',
  }
}

/** Fits a series that passes `checkThetaSeries`. Stopped, it returns the best so far. */
export function fitTheta(series: Series, spec: ThetaSpec, run: Run): Outcome<ThetaModel> {
  const budget = makeBudget(run)
  const seasonLength = seasonOf(spec, series)
  const seasonal = chooseSeasonal(series.y, seasonLength, spec)
  const { origin, unit, y } = adjust(series.y, seasonal)
  const dynamicLines = linesOf(y)
  const line = dynamicLines.subarray(2 * y.length)
  const staticLines = repeated(line, y.length)
  const observed = series.y.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0)
  const young = Math.min(youngMax, Math.max(0, observed - thetaObservationsMin - 1))
  const methods = spec.method === null ? candidatesOf(observed - young) : [spec.method]
  const tried = methods.map((method) => {
    const lines = isDynamic(method) ? dynamicLines : staticLines
    const sample: Sample = { y, lines, young, share: isStandard(method) ? 0.5 : undefined }
    return { method, found: estimate(sample, budget) }
  })
  const best = tried.reduce((least, next) =>
    next.found.squares < (1 - gainMin) * least.found.squares ? next : least,
  )
  const start = startState({
    family: 'theta',
    spec,
    seasonLength,
    seasonal,
    dynamic: isDynamic(best.method),
    alpha: best.found.alpha,
    share: best.found.share,
    deviation: 0,
    origin,
    levelStart: unit * best.found.levelStart,
    line: isDynamic(best.method) ? new Float64Array(2) : line.map((value) => unit * value),
  })
  const errors = series.y
    .map((value) => absorb(start, value))
    .filter((error) => !Number.isNaN(error))
    .subarray(young)
  const parameters = isStandard(best.method) ? 2 : 3
  const { deviation, logLikelihood } = spreadOf(errors, Math.min(parameters, errors.length - 1))
  const model: ThetaModel = { ...start, deviation }
  const ended = budget.ended()
  run.onProgress?.(1)
  const evaluations = tried.reduce((sum, { found }) => sum + found.evaluations, 0)
  const candidates = tried.map(({ method, found }): Candidate => {
    const score = Math.sqrt(found.squares / Math.max(1, observed - young))
    return { name: `${method}: error ${(unit * score).toPrecision(6)}` }
  })
  const report = {
    ...describe(model, best.method, errors.length),
    ...(logLikelihood === undefined ? {} : criteria(logLikelihood, parameters + 1, errors.length)),
    ...(spec.method === null ? { candidates } : {}),
    iterations: evaluations,
    evaluations,
    converged: ended === undefined ? ('yes' as const) : ('no' as const),
  }
  return { kind: ended === undefined ? 'done' : 'stopped', value: model, report }
}

/** The model of a series at given parameters, without a search; the first level as the paper's. */
export function thetaAt(
  series: Series,
  spec: ThetaSpec & { readonly method: ThetaMethod },
  given: { readonly alpha: number; readonly theta: number; readonly levelStart: number },
): { readonly model: ThetaModel; readonly squares: number } {
  const seasonLength = seasonOf(spec, series)
  const seasonal = chooseSeasonal(series.y, seasonLength, spec)
  const { origin, unit, y } = adjust(series.y, seasonal)
  const dynamic = isDynamic(spec.method)
  const share = 1 - 1 / given.theta
  const state = startState({
    family: 'theta',
    spec,
    seasonLength,
    seasonal,
    dynamic,
    alpha: given.alpha,
    share,
    deviation: 0,
    origin,
    // The line, too, is less the origin here, and so much less is its share in the level.
    levelStart: given.levelStart - origin * (1 - share),
    line: dynamic
      ? new Float64Array(2)
      : linesOf(y)
          .slice(2 * y.length)
          .map((value) => unit * value),
  })
  const errors = series.y
    .map((value) => absorb(state, value))
    .filter((error) => !Number.isNaN(error))
    .subarray(youngMax)
  return { model: state, squares: errors.reduce((sum, error) => sum + error * error, 0) }
}

/** The model with the same parameters at the end of a series. */
export function filterTheta(model: ThetaModel, y: Float64Array): ThetaModel {
  const state: ThetaState = startState(model)
  for (let t = 0; t < y.length; t++) absorb(state, y[t]!)
  return state
}

function chooseSeasonal(y: Float64Array, seasonLength: number, spec: ThetaSpec): Seasonal {
  const { decomposition } = spec
  if (decomposition === 'none' || seasonLength < 2 || y.length < 2 * seasonLength) return noSeason
  if (decomposition === null && !isSeasonal(y, seasonLength)) return noSeason
  const positive = y.every((value) => !(value <= 0))
  const factors = decomposition !== 'additive' && positive
  return (
    (factors ? decompose(y, seasonLength, 'multiplicative') : undefined) ??
    decompose(y, seasonLength, 'additive') ??
    noSeason
  )
}

/** The series without its season and its first value, in units of a power of two. */
function adjust(values: Float64Array, seasonal: Seasonal) {
  const y = values.map((value, t) => withoutSeason(seasonal, value, t))
  const origin = y.find((value) => !Number.isNaN(value)) ?? 0
  for (let t = 0; t < y.length; t++) y[t] = y[t]! - origin
  const unit = powerOfTwoBelow(largest(y))
  for (let t = 0; t < y.length; t++) y[t] = y[t]! / unit
  return { y, origin, unit }
}

/** A and B of the line through what came before each step, and through all: two numbers a step. */
function linesOf(y: Float64Array): Float64Array {
  const lines = new Float64Array(2 * y.length + 2)
  const state = new Float64Array(6)
  let count = 0
  for (let t = 0; t < y.length; t++) {
    if (!Number.isNaN(y[t]!)) moveLine(state, y[t]!, t + 1, count++)
    const slope = state[4]! > 0 ? state[5]! / state[4]! : 0
    lines[2 * t + 2] = state[3]! - slope * state[2]!
    lines[2 * t + 3] = slope
  }
  return lines
}

function repeated(line: Float64Array, steps: number): Float64Array {
  const lines = new Float64Array(2 * steps)
  for (let t = 0; t < steps; t++) lines.set(line, 2 * t)
  return lines
}

/** The optimised methods need more errors than they have parameters with the variance. */
function candidatesOf(errors: number): readonly ThetaMethod[] {
  const standard: readonly ThetaMethod[] = ['standard', 'dynamic-standard']
  return errors < 5 ? standard : [...standard, 'optimised', 'dynamic']
}

/** Errors that the authors' code leaves out of the sum of squares. */
const youngMax = 3
/** A gain in the squares that is rounding is no reason to take another method. */
const gainMin = 1e-9

function describe(model: ThetaModel, method: ThetaMethod, errors: number) {
  const { seasonal, seasonLength, alpha, share, deviation } = model
  const season = {
    none: 'no season',
    additive: `an additive season of ${seasonLength} steps`,
    multiplicative: `a multiplicative season of ${seasonLength} steps`,
  }[seasonal.kind]
  return {
    summary: `Theta, ${method}, with ${season}.`,
    method,
    sigma2: deviation * deviation,
    observations: model.observations,
    missing: model.missing,
    errors,
    alpha,
    // A share of 1 is an infinite θ, which no report can carry.
    theta: Math.min(thetaMax, 1 / (1 - share)),
    levelStart: model.origin + model.levelStart,
  }
}

const thetaMax = 1e10

function isDynamic(method: ThetaMethod): boolean {
  return method === 'dynamic' || method === 'dynamic-standard'
}

function isStandard(method: ThetaMethod): boolean {
  return method === 'standard' || method === 'dynamic-standard'
}
