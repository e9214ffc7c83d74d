import type { Run } from '../family.ts'
import { limits } from '../limits.ts'
import { type Budget, makeBudget } from '../numeric/budget.ts'
import { type Minimum, minimise } from '../numeric/minimise.ts'
import { assert } from '../outcome.ts'
import { type Likelihood, makeSample, profileLikelihood, type Sample } from './likelihood.ts'
import { type Orders, shapeCount } from './orders.ts'
import { type Arma, armaFromPartials } from './parameters.ts'
import { partialFromReal, realFromPartial } from './partials.ts'
import { makeStart, startCount } from './starts.ts'

/** The best parameters found for a sample, and how the search went. */
export type Estimate = {
  readonly arma: Arma
  readonly likelihood: Likelihood
  readonly converged: boolean
  readonly iterations: number
  readonly evaluations: number
  /** Why the search ended early; undefined when it did not. */
  readonly ended: 'asked' | 'budget' | undefined
}

/**
 * A differenced series and the columns that explain it, differenced in the same way; NaN where a
 * value of `w` is missing, the columns are complete. Scaled and centred by the caller.
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
  /** Varies the random ones among the starts. */
  readonly seed?: number
}

/** The exact maximum of the Gaussian likelihood of some orders, as far as it was searched. */
export type OrdersEstimate = {
  readonly arma: Arma
  /** Coefficients at their best: the constant first when there is one, then each column. */
  readonly beta: Float64Array
  /** Σ e²/v, the e being one-step errors; over `observed` it is the variance at its maximum. */
  readonly squares: number
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
  /** The search's vector (see `shapeCount`), for warm starts. */
  readonly x: Float64Array
}

/**
 * Maximises the exact likelihood of (p, q)(P, Q)s over all starts, profiled over the coefficients
 * of the columns. Undefined when nothing could be evaluated (the budget has ended; no variation).
 */
export function estimateOrders(
  { w, columns }: OrdersSample,
  orders: Orders,
  _effort: Effort,
  budget: Budget,
): OrdersEstimate | undefined {
  assert(columns.length === 0 && orders.P + orders.Q === 0, 'only plain orders for now')
  const sample = makeSample(w, orders.p, orders.q, orders.constant)
  const workMax = Number.POSITIVE_INFINITY
  const shouldStop = () => !budget.spend(limits.pollPoints)
  const found = estimate(sample, orders.p, orders.q, { seed: 0, workMax, shouldStop })
  const { logLikelihood, mean, squares } = found.likelihood
  const { observed } = sample
  const parameters = shapeCount(orders) + (orders.constant ? 1 : 0) + 1
  const freedom = observed - parameters - 1
  return {
    arma: found.arma,
    beta: orders.constant ? Float64Array.of(mean) : new Float64Array(0),
    squares,
    sigma2: squares / observed,
    logLikelihood,
    observed,
    parameters,
    aicc:
      freedom > 0
        ? 2 * parameters - 2 * logLikelihood + (2 * parameters * (parameters + 1)) / freedom
        : Number.POSITIVE_INFINITY,
    converged: found.converged,
    iterations: found.iterations,
    evaluations: found.evaluations,
    x: Float64Array.from([...found.arma.arPartials, ...found.arma.maPartials], realFromPartial),
  }
}

/** Maximises the likelihood from every start; the first of equal optima wins. */
export function estimate(sample: Sample, p: number, q: number, run: Run): Estimate {
  const budget = makeBudget(run)
  const starts = startCount(q)
  let evaluations = 0
  const objective = (x: Float64Array) => {
    evaluations++
    const likelihood = profileLikelihood(sample, armaAt(x, p), budget)
    if (likelihood !== undefined) return -likelihood.logLikelihood / sample.observed
    return budget.ended() === undefined ? Number.POSITIVE_INFINITY : Number.NaN
  }
  let best: Minimum | undefined
  let iterations = 0
  for (let at = 0; at < starts; at++) {
    const start = makeStart(sample.w, p, q, at, budget)
    if (start === undefined) break
    const minimum = minimise(objective, start, {
      iterationsMax: limits.iterationsMax,
      tolerance: 1e-11,
      onIteration: (iteration) => {
        run.onProgress?.((at + iteration / (iteration + typicalIterations)) / starts)
      },
    })
    iterations += minimum.iterations
    if (best === undefined || minimum.value < best.value) best = minimum
    if (budget.ended() !== undefined) break
    run.onProgress?.((at + 1) / starts)
  }
  const ended = budget.ended()
  const { arma, likelihood, converged } = settle(sample, p, q, best)
  return {
    arma,
    likelihood,
    converged: converged && ended === undefined,
    iterations,
    evaluations,
    ended,
  }
}

/** Iterations after which half of a start's work is reported as done. */
const typicalIterations = 15

function armaAt(x: Float64Array, p: number): Arma {
  const partials = x.map(partialFromReal)
  return armaFromPartials(partials.slice(0, p), partials.slice(p))
}

/** The likelihood at the best point; without one (stopped at once) that of no dependence at all. */
function settle(sample: Sample, p: number, q: number, best: Minimum | undefined) {
  const unbounded: Budget = makeBudget({ workMax: Number.POSITIVE_INFINITY })
  if (best !== undefined && Number.isFinite(best.value)) {
    const arma = armaAt(best.x, p)
    const likelihood = profileLikelihood(sample, arma, unbounded)
    if (likelihood !== undefined) return { arma, likelihood, converged: best.converged }
  }
  const arma = armaFromPartials(new Float64Array(p), new Float64Array(q))
  const likelihood = profileLikelihood(sample, arma, unbounded)
  if (likelihood === undefined)
    throw new Error('white noise has a likelihood for any finite sample')
  return { arma, likelihood, converged: false }
}
