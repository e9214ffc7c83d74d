import { type Budget, makeBudget } from '../numeric/budget.ts'
import {
  type ErrorSums,
  type InnovationsWorkspace,
  innovations,
  makeInnovationsWorkspace,
} from './innovations.ts'
import { filterSums } from './kalman.ts'
import type { Arma } from './parameters.ts'

/** A differenced, scaled series made ready for many likelihoods. */
export type Sample = {
  /** NaN where missing. */
  readonly w: Float64Array
  readonly observed: number
  readonly hasMean: boolean
  readonly workspace: InnovationsWorkspace | undefined
}

/** The exact Gaussian likelihood with mean and variance at their best for the other parameters. */
export type Likelihood = {
  readonly logLikelihood: number
  readonly mean: number
  /** Σ e²/v with that mean. */
  readonly squares: number
}

/** Makes a sample of `w` for orders up to p and q. */
export function makeSample(w: Float64Array, p: number, q: number, hasMean: boolean): Sample {
  let observed = 0
  for (const value of w) if (!Number.isNaN(value)) observed++
  const complete = observed === w.length
  const workspace = complete ? makeInnovationsWorkspace(w.length, p, q, hasMean) : undefined
  return { w, observed, hasMean, workspace }
}

/**
 * The likelihood at some parameters: innovations when the sample is complete, else the Kalman
 * filter. Without a `fixedMean` the mean is at its best. Undefined when rounding breaks a variance
 * (roots next to one) or the budget has ended.
 */
export function profileLikelihood(
  sample: Sample,
  arma: Arma,
  budget: Budget = unbounded(),
  fixedMean?: number,
): Likelihood | undefined {
  const sums =
    sample.workspace === undefined
      ? filterSums(sample.w, arma, sample.hasMean, budget)
      : innovations(sample.w, arma, sample.workspace, budget)
  return sums === undefined ? undefined : concentrate(sums, sample, fixedMean)
}

/** Squares below this per observation are rounding: the sample is scaled to order one. */
const squaresMin = 1e-30

function concentrate(
  sums: ErrorSums,
  { observed, hasMean }: Sample,
  fixedMean: number | undefined,
): Likelihood | undefined {
  const best = hasMean && sums.ones > squaresMin ? sums.cross / sums.ones : 0
  const mean = fixedMean ?? best
  const atMean = sums.squares - 2 * mean * sums.cross + mean * mean * sums.ones
  const squares = Math.max(atMean, squaresMin * observed)
  const spread = Math.log((2 * Math.PI * squares) / observed)
  const logLikelihood = -0.5 * (observed * (spread + 1) + sums.logVariances)
  return Number.isFinite(logLikelihood) ? { logLikelihood, mean, squares } : undefined
}

function unbounded(): Budget {
  return makeBudget({ workMax: Number.POSITIVE_INFINITY })
}
