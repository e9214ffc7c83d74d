import type { Run } from '../family.ts'
import { limits } from '../limits.ts'
import { type Budget, makeBudget } from '../numeric/budget.ts'
import { type Minimum, minimise } from '../numeric/minimise.ts'
import { type Likelihood, profileLikelihood, type Sample } from './likelihood.ts'
import { type Arma, armaFromPartials } from './parameters.ts'
import { partialFromReal } from './partials.ts'
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
