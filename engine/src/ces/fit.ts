import type { Candidate, Outcome, Refusal, Run, Series } from '../family.ts'
import { makeBfgs } from '../numeric/bfgs.ts'
import { type Budget, makeBudget } from '../numeric/budget.ts'
import { largest, powerOfTwoBelow } from '../numeric/magnitude.ts'
import { criteria, spreadOf } from '../numeric/spread.ts'
import { checkObserved, checkPending } from '../series/check.ts'
import { makeKernel } from './kernel.ts'
import { absorbAll, type CesModel, type CesState, startState } from './model.ts'
import { barrier, growthOf, makeStability } from './region.ts'
import { type CesSeason, type CesSpec, cesSeasonLengthMax, cesSeasons, seasonOf } from './spec.ts'
import { roughStart } from './start.ts'
import { type Structure, structureOf } from './structure.ts'

/** The parameters and a variance, and two more for the corrected criterion. */
export const cesObservationsMin = 5

/** Why a series cannot be fitted; undefined when it can. */
export function checkCesSeries(
  series: Series,
  spec: CesSpec,
  seasonLength = seasonOf(spec, series),
): Refusal | undefined {
  const { y } = series
  const fault = checkObserved(y, cesObservationsMin) ?? checkPending(y, 0)
  if (fault !== undefined || spec.season === null || spec.season === 'none') return fault
  if (seasonLength < 2 || seasonLength > cesSeasonLengthMax) {
    const detail = `A season takes from 2 to ${cesSeasonLengthMax} steps; here it has ${seasonLength}.`
    const remedy = 'Set seasonLength, or the season to none.'
    return { code: 'out-of-range', detail, field: '/seasonLength', remedy }
  }
  if (spansSeasons(y, seasonLength)) return undefined
  return {
    code: 'too-short',
    detail: `The season of ${seasonLength} steps is not seen twice, or one of its steps never.`,
    field: '/y',
    remedy: 'Send two whole seasons, or set the season to none.',
  }
}

/** Fits a series that passes `checkCesSeries`. Stopped, it returns the best so far. */
export function fitCes(series: Series, spec: CesSpec, run: Run): Outcome<CesModel> {
  const budget = makeBudget(run)
  const seasonLength = seasonOf(spec, series)
  const unit = powerOfTwoBelow(largest(series.y))
  const y = series.y.map((value) => value / unit)
  const observed = y.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0)
  const tried: Estimate[] = []
  for (const season of candidatesOf(series.y, spec, seasonLength)) {
    if (tried.length > 0 && budget.ended() === 'asked') break
    tried.push(estimate(y, structureOf(season, seasonLength), observed, budget))
  }
  const best = tried.reduce((least, next) => (next.aicc < least.aicc ? next : least))
  const { season } = best.structure
  const begun = startState({
    family: 'ces',
    spec,
    season,
    seasonLength,
    parameters: best.parameters,
    deviation: 0,
    start: best.start.map((value) => unit * value),
    state: best.start,
    observations: 0,
    missing: 0,
    pending: 0,
  })
  const errors = new Float64Array(y.length)
  absorbAll(begun, series.y, errors)
  const seen = errors.filter((error) => !Number.isNaN(error))
  const count = best.structure.parameters
  const { deviation, logLikelihood } = spreadOf(seen, Math.min(count, seen.length - 1))
  const exact = deviation <= rounding * unit
  const model: CesModel = { ...begun, deviation: exact ? 0 : deviation }
  const ended = budget.ended()
  run.onProgress?.(1)
  return {
    kind: ended === undefined ? 'done' : 'stopped',
    value: model,
    report: {
      ...describe(model),
      ...(logLikelihood === undefined ? {} : criteria(logLikelihood, count + 1, observed)),
      ...(spec.season === null ? { candidates: tried.map(candidateOf) } : {}),
      iterations: tried.reduce((sum, { iterations }) => sum + iterations, 0),
      evaluations: tried.reduce((sum, { evaluations }) => sum + evaluations, 0),
      converged: ended === undefined && best.converged ? 'yes' : 'no',
    },
  }
}

/** The model with the same parameters and start at the end of a series. */
export function filterCes(model: CesModel, y: Float64Array): CesModel {
  const state: CesState = startState(model)
  absorbAll(state, y)
  return state
}

/** Errors of this much of the largest value are those of its rounding. */
const rounding = 8 * Number.EPSILON

type Estimate = {
  readonly structure: Structure
  readonly parameters: Float64Array
  readonly start: Float64Array
  readonly aicc: number
  readonly iterations: number
  readonly evaluations: number
  readonly converged: boolean
}

/**
 * BFGS on the logarithm of the squares, with a faint barrier at the border of stability. The first
 * start is inside for every structure.
 */
function estimate(
  y: Float64Array,
  structure: Structure,
  observed: number,
  budget: Budget,
): Estimate {
  const { parameters: count, seasonWidth } = structure
  const rough = roughStart(y, structure)
  const kernel = makeKernel(y, structure, rough)
  const isStable = makeStability(structure)
  const floor = observed * rounding * rounding
  const objective = (p: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0)
    if (growthOf(p[0]!, p[1]!) > growthMax) return Number.POSITIVE_INFINITY
    if (seasonWidth === 2 && growthOf(p[2]!, p[3]!) > growthMax) return Number.POSITIVE_INFINITY
    if (seasonWidth > 0 && !isStable(p)) return Number.POSITIVE_INFINITY
    if (!budget.spend(3 * y.length)) return Number.NaN
    const squares = kernel.evaluate(p, gradient, budget.look) + floor
    if (Number.isNaN(squares) && budget.ended() !== undefined) return Number.NaN
    for (let k = 0; k < count; k++) gradient[k] = gradient[k]! / squares
    let value = Math.log(squares) + barrier(p, 0, barrierWeight, gradient)
    if (seasonWidth === 2) value += barrier(p, 2, barrierWeight, gradient)
    if (seasonWidth === 1) value += bounded(p, gradient)
    return value
  }
  const bfgs = makeBfgs(count)
  const found = bfgs.minimise(objective, startOf(structure), {
    iterationsMax: 100,
    tolerance: 1e-8,
    stepMax: 0.3,
  })
  const parameters = bfgs.x.slice()
  const start = new Float64Array(rough.length)
  const squares = kernel.evaluate(parameters, new Float64Array(count)) + floor
  kernel.copyStart(start)
  const k = count + 1
  const freedom = observed - k - 1
  const penalty = freedom > 0 ? (2 * k * observed) / freedom : Number.POSITIVE_INFINITY
  const aicc = observed * Math.log(squares / observed) + penalty
  const { iterations, evaluations, converged } = found
  return { structure, parameters, start, aicc, iterations, evaluations, converged }
}

/** By how much a forecast may grow in each of its lags. */
const growthMax = 1.2
/** So faint that it moves no optimum inside by what a report shows. */
const barrierWeight = 1e-6

function startOf({ seasonWidth }: Structure): readonly number[] {
  if (seasonWidth === 0) return [1.3, 1]
  return seasonWidth === 1 ? [1.3, 1, 0.1] : [1.3, 1, 1.3, 1]
}

/** The barrier of the gain of a partial season, between 0 and 2. */
function bounded(p: Float64Array, gradient: Float64Array): number {
  const b = p[2]!
  if (!(b > 0 && b < 2)) return Number.POSITIVE_INFINITY
  gradient[2]! += barrierWeight * (1 / (2 - b) - 1 / b)
  return -barrierWeight * (Math.log(b) + Math.log(2 - b))
}

function candidatesOf(
  y: Float64Array,
  { season }: CesSpec,
  seasonLength: number,
): readonly CesSeason[] {
  if (season !== null) return [season]
  const seasonal = seasonLength > 1 && seasonLength <= cesSeasonLengthMax
  return seasonal && spansSeasons(y, seasonLength) ? cesSeasons : ['none']
}

/** Two whole seasons, every step of which was seen. */
function spansSeasons(y: Float64Array, seasonLength: number): boolean {
  if (y.length < 2 * seasonLength) return false
  const seen = new Uint8Array(seasonLength)
  for (let t = 0; t < y.length; t++) if (!Number.isNaN(y[t]!)) seen[t % seasonLength] = 1
  return !seen.includes(0)
}

function candidateOf({ structure, aicc }: Estimate): Candidate {
  const name = `season ${structure.season}`
  return Number.isFinite(aicc) ? { name, aicc } : { name, refused: 'too few observations' }
}

function describe(model: CesModel) {
  const { season, seasonLength, parameters, deviation, observations, missing } = model
  const what = season === 'none' ? 'no season' : `a ${season} season of ${seasonLength} steps`
  const [a0 = 0, a1 = 0, b0, b1] = parameters
  return {
    summary: `Complex exponential smoothing with ${what}.`,
    season,
    sigma2: deviation * deviation,
    observations,
    missing,
    alpha0: a0,
    alpha1: a1,
    ...(b0 === undefined ? {} : { beta0: b0 }),
    ...(b1 === undefined ? {} : { beta1: b1 }),
  }
}
