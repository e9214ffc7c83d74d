import { type Budget, makeBudget } from '../numeric/budget.ts'
import { makeScored } from './information.ts'
import type { Likelihood, Sample } from './likelihood.ts'
import {
  logLikelihoodOf,
  makeSample,
  ones,
  profileLikelihood,
  profileSquares,
} from './likelihood.ts'
import { arLags, maLags, type Orders, shapeCount } from './orders.ts'
import type { Arma } from './parameters.ts'
import { minimiseScored, type ScoringMinimum } from './scoring.ts'
import { armaOf, fillShape, makeShape, type Shape } from './shape.ts'
import { makeStart, startCount } from './starts.ts'

/**
 * A differenced series and the columns that explain it, differenced in the same way; NaN where a
 * value of `w` is missing, the columns are complete. Scaled to order one by the caller.
 */
export type OrdersSample = {
  readonly w: Float64Array
  /** Without the column of ones: that is `orders.constant`. */
  readonly columns: readonly Float64Array[]
}

/** How hard to search. */
export type Effort = {
  /** Starts beside the warm one, at least 1 in all. */
  readonly starts: number
  /** Relative gain of a step in the log-likelihood per value below which a search has converged. */
  readonly tolerance: number
  readonly iterationsMax: number
  /** `x` of an estimate, carried over to these orders by `carryShape`. */
  readonly warm?: Float64Array
  /** Moves the starts; absent, they are where they are. */
  readonly seed?: number
  readonly onProgress?: (fraction: number) => void
}

/** The exact maximum of the Gaussian likelihood of some orders, as far as it was searched. */
export type OrdersEstimate = {
  readonly arma: Arma
  /** Coefficients at their best: the constant first when there is one, then each column. */
  readonly beta: Float64Array
  /** Σ e²/v, the e being one-step errors. */
  readonly squares: number
  /** The variance of the shocks at its maximum, `squares / observed`. */
  readonly sigma2: number
  readonly logLikelihood: number
  readonly observed: number
  /** Coefficients, constant, regressors and the variance: k of every criterion. */
  readonly parameters: number
  /** Infinite when there are too few values for it; to be compared only for one difference. */
  readonly aicc: number
  readonly converged: boolean
  readonly iterations: number
  readonly evaluations: number
  /** The search's vector (see `Shape`), for warm starts. */
  readonly x: Float64Array
}

/** As many starts as differ, to an optimum that no start misses by more than rounding. */
export function thorough(orders: Orders): Effort {
  return { starts: startCount(orders), tolerance: 1e-10, iterationsMax: 300 }
}

/**
 * Maximises the exact likelihood of (p, q)(P, Q)s over all starts, profiled over the coefficients
 * of the columns: a coarse search from each, then a fine one from the best, and from the second
 * best where that is another optimum. When the budget ends it is the best so far, not converged.
 */
export function estimateOrders(
  { w, columns }: OrdersSample,
  orders: Orders,
  effort: Effort,
  budget: Budget,
): OrdersEstimate {
  const design = orders.constant ? [ones(w.length), ...columns] : columns
  const sample = makeSample(w, arLags(orders), maLags(orders), design)
  const search = makeSearch(sample, orders, budget)
  const total = (effort.warm === undefined ? 0 : 1) + effort.starts
  let done = 0
  const tell = () => effort.onProgress?.(++done / (total + 1))
  const coarse = {
    ...effort,
    tolerance: total === 1 ? effort.tolerance : Math.max(effort.tolerance, coarseTolerance),
  }
  if (effort.warm !== undefined) {
    search.from(effort.warm, coarse)
    tell()
  }
  for (let at = 0; at < effort.starts && budget.ended() === undefined; at++) {
    const start = makeStart(sample.basis.series[0]!, orders, at, budget, effort.seed)
    if (start !== undefined) search.from(start, coarse)
    tell()
  }
  if (total > 1 && budget.ended() === undefined) search.refine(effort)
  return settle(sample, orders, search, budget)
}

/** Gains per value that tell optima apart, but not where exactly they are. */
const coarseTolerance = 1e-6
type Found = Pick<ScoringMinimum, 'x' | 'value' | 'converged'>
type Search = {
  readonly count: { iterations: number; evaluations: number }
  from(start: Float64Array, effort: Effort): void
  refine(effort: Effort): void
  /** The best point found; undefined when none was. */
  readonly best: () => Found | undefined
}

function makeSearch(sample: Sample, orders: Orders, budget: Budget): Search {
  const shape = makeShape(orders)
  const found: Found[] = []
  const count = { iterations: 0, evaluations: 0 }
  const scored = makeScored(sample, shapeCount(orders), (x) => {
    count.evaluations++
    return objective(sample, shape, x, budget)
  })
  const run = (start: Float64Array, effort: Effort) => {
    const minimum = minimiseScored(scored, start, effort)
    count.iterations += minimum.iterations
    if (Number.isFinite(minimum.value)) found.push(minimum)
  }
  return {
    count,
    from: run,
    refine(effort) {
      const ranked = [...found].sort((a, b) => a.value - b.value)
      const [first, ...others] = ranked
      if (first === undefined) return
      const second = others.find(({ x }) => farApart(x, first.x))
      const close = second !== undefined && second.value - first.value < closeWithin
      run(first.x, effort)
      if (close && budget.ended() === undefined) run(second.x, effort)
    },
    best: () => found.reduce<Found | undefined>(better, undefined),
  }
}

/** Optima this much apart per value may change places when they are searched finely. */
const closeWithin = 1e-3

function better(best: Found | undefined, next: Found): Found {
  return best === undefined || next.value < best.value ? next : best
}

function farApart(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) {
    if (Math.abs(Math.tanh(a[i]!) - Math.tanh(b[i]!)) > 0.05) return true
  }
  return false
}

/**
 * Less the log-likelihood per value; infinite where there is none, NaN once the budget has ended.
 */
function objective(sample: Sample, shape: Shape, x: Float64Array, budget: Budget): number {
  fillShape(shape, x)
  const squares = profileSquares(sample, shape, budget)
  if (Number.isNaN(squares)) {
    return budget.ended() === undefined ? Number.POSITIVE_INFINITY : Number.NaN
  }
  const value = -logLikelihoodOf(sample, squares) / sample.observed
  return Number.isFinite(value) ? value : Number.POSITIVE_INFINITY
}

/** The likelihood at the best point; without one (stopped at once) that of no dependence at all. */
function settle(sample: Sample, orders: Orders, search: Search, budget: Budget): OrdersEstimate {
  const unbounded: Budget = makeBudget({ workMax: Number.POSITIVE_INFINITY })
  const nothing = { x: new Float64Array(shapeCount(orders)), converged: false }
  for (const { x, converged } of [search.best() ?? nothing, nothing]) {
    const arma = armaOf(orders, x)
    const likelihood = profileLikelihood(sample, arma, unbounded)
    if (likelihood === undefined) continue
    return {
      arma,
      x,
      ...figures(sample, orders, likelihood),
      converged: converged && budget.ended() === undefined,
      ...search.count,
    }
  }
  throw new Error('white noise has a likelihood for any finite sample')
}

function figures({ observed, beyond }: Sample, orders: Orders, likelihood: Likelihood) {
  const { logLikelihood, squares, beta } = likelihood
  const parameters = shapeCount(orders) + beyond.length + 1
  const freedom = observed - parameters - 1
  return {
    beta,
    squares,
    sigma2: squares / observed,
    logLikelihood,
    observed,
    parameters,
    aicc:
      freedom > 0
        ? 2 * parameters - 2 * logLikelihood + (2 * parameters * (parameters + 1)) / freedom
        : Number.POSITIVE_INFINITY,
  }
}
