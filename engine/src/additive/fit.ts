import type { Outcome, Report, Run, Series } from '../family.ts'
import { makeBudget } from '../numeric/budget.ts'
import { counted, joined } from '../words.ts'
import { makeDesign, timesOf } from './design.ts'
import { type Estimate, estimate, type Problem } from './estimate.ts'
import { type AdditiveModel, capacityOf, floorOf } from './model.ts'
import { makePriors } from './posterior.ts'
import { observedSteps, settleChangepoints, settleRegressors, settleSeasons } from './settle.ts'
import type { AdditiveSpec } from './spec.ts'
import type { Parameters } from './sums.ts'
import type { Trend } from './trend.ts'

/** Fits a series that passes `checkAdditiveSeries`. Stopped, it returns the best so far. */
export function fitAdditive(series: Series, spec: AdditiveSpec, run: Run): Outcome<AdditiveModel> {
  const { problem, start, scale, observed } = settle(series, spec)
  const { design, origin, span } = problem
  const budget = makeBudget(run)
  const first = problem.y[observed[0]!]!
  const constant = spec.growth !== 'logistic' && observed.every((t) => problem.y[t] === first)
  const found = constant ? atConstant(start, first) : estimate(problem, start, budget)
  const unfinished = Number.isNaN(found.squares)
  const model: AdditiveModel = {
    ...{ family: 'additive', spec, design, scale, origin, span },
    trend: found.parameters.trend,
    betas: found.parameters.betas,
    sigma: Math.sqrt(unfinished ? spreadOf(problem.y, observed) : found.variance),
    length: series.y.length,
    observations: observed.length,
    missing: series.y.length - observed.length,
  }
  run.onProgress?.(1)
  return {
    kind: budget.ended() === undefined ? 'done' : 'stopped',
    value: model,
    report: describe(model, found),
  }
}

/** Scales, priors, changepoints and columns, as the data and the spec have them. */
function settle(series: Series, spec: AdditiveSpec) {
  const calendar = series.calendar ?? null
  const observed = observedSteps(series.y)
  const floor = floorOf(spec)
  let scale = 0
  for (const t of observed) scale = Math.max(scale, Math.abs(series.y[t]! - floor))
  if (scale === 0) scale = 1
  const y = series.y.map((value) => (value - floor) / scale)
  const origin = timesOf(calendar, observed[0]!, 1)[0]!
  const end = timesOf(calendar, observed.at(-1)!, 1)[0]!
  // A single observation has no span: one step stands for it.
  const span = end > origin ? end - origin : timesOf(calendar, observed[0]! + 1, 1)[0]! - origin
  const seasons = settleSeasons(spec, series, observed)
  const regressors = settleRegressors(spec, series.x, observed)
  const design = makeDesign({ spec, calendar, seasons, regressors })
  const scaledTime = (time: number) => (time - origin) / span
  const changepoints = settleChangepoints(spec, calendar, observed, scaledTime)
  const x = regressors.map(({ name }) => series.x![name]!)
  const freedom = observed.length - 2 - design.columns - changepoints.length
  const varianceMin = freedom > 0 ? 1e-20 : Math.max(1e-20, 1e-3 * spreadOf(y, observed))
  const priors = makePriors(design.priorScales, {
    changeScale: spec.changepointPriorScale,
    varianceMin,
    logistic: spec.growth === 'logistic',
  })
  const problem: Problem = { design, origin, span, y, x, priors }
  const capacity = capacityOf(spec, scale)
  const trend: Trend = {
    growth: spec.growth,
    capacity,
    ...startOf(spec, y, observed, capacity),
    changepoints,
    deltas: new Float64Array(changepoints.length),
  }
  const start: Parameters = { trend, betas: new Float64Array(design.columns) }
  return { problem, start, scale, observed }
}

/** Rate and offset through the first and the last observation; the mean of a flat trend. */
function startOf(spec: AdditiveSpec, y: Float64Array, observed: Int32Array, capacity: number) {
  const first = y[observed[0]!]!
  const last = y[observed.at(-1)!]!
  if (spec.growth === 'linear') return { k: last - first, m: first }
  if (spec.growth === 'flat') return { k: 0, m: meanOf(y, observed) }
  const inside = (value: number) => Math.min(0.99, Math.max(0.01, value / capacity))
  const from = -Math.log(1 / inside(first) - 1)
  const to = -Math.log(1 / inside(last) - 1)
  // A rate of nothing would leave the offset without a meaning.
  const k = Math.abs(to - from) < 0.01 ? 0.05 : to - from
  return { k, m: -from / k }
}

function meanOf(y: Float64Array, observed: Int32Array): number {
  let sum = 0
  for (const t of observed) sum += y[t]!
  return sum / observed.length
}

function spreadOf(y: Float64Array, observed: Int32Array): number {
  const mean = meanOf(y, observed)
  let sum = 0
  for (const t of observed) sum += (y[t]! - mean) * (y[t]! - mean)
  return sum / observed.length
}

function atConstant({ trend, betas }: Parameters, level: number): Estimate {
  const parameters = { trend: { ...trend, k: 0, m: level }, betas }
  return { parameters, variance: 0, squares: 0, loss: 0, passes: 0, rounds: 0, converged: true }
}

function describe(model: AdditiveModel, found: Estimate): Report {
  const { trend, betas, scale, observations, missing, design } = model
  const bends = trend.deltas.reduce((count, delta) => count + (delta === 0 ? 0 : 1), 0)
  const parameters = (trend.growth === 'flat' ? 1 : 2) + bends + betas.length + 1
  const names = design.parts.map(({ name }) => name)
  const bent = trend.growth === 'flat' ? '' : ` that ${bendsWord(bends)}`
  const summary =
    `Additive regression: a ${trend.growth} trend${bent}` +
    `${names.length === 0 ? ', without seasons' : `, with ${joined(names)}`}.`
  const plain = {
    summary,
    converged: found.converged ? 'yes' : 'no',
    ...{ observations, missing, iterations: found.rounds, evaluations: found.passes },
    sigma2: model.sigma * model.sigma * scale * scale,
    rate: trend.k * scale,
    offset: trend.growth === 'logistic' ? trend.m : trend.m * scale,
    changepoints: trend.changepoints.length,
  } as const
  const spread = model.sigma * model.sigma
  if (!(spread > 0) || Number.isNaN(found.squares)) return plain
  const logDensity = Math.log(2 * Math.PI * spread) + 2 * Math.log(scale)
  const logLikelihood = -0.5 * (observations * logDensity + found.squares / spread)
  const aic = 2 * (parameters - logLikelihood)
  const left = observations - parameters - 1
  return {
    ...plain,
    logPosterior: -found.loss,
    logLikelihood,
    aic,
    ...(left > 0 ? { aicc: aic + (2 * parameters * (parameters + 1)) / left } : {}),
    bic: parameters * Math.log(observations) - 2 * logLikelihood,
  }
}

function bendsWord(bends: number): string {
  return bends === 0 ? 'does not bend' : `bends at ${counted(bends, 'changepoint')}`
}
