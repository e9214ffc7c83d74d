import { type Budget, makeBudget } from '../numeric/budget.ts'
import {
  basisCoefficients,
  type ColumnBasis,
  columnCoefficients,
  makeColumnBasis,
} from './columns.ts'
import { type ErrorSums, makeErrorSums, makeOneStep, type OneStep } from './error-sums.ts'
import { type FastWorkspace, fastRecursion, makeFastWorkspace } from './fast-recursion.ts'
import { filterSums } from './kalman.ts'
import type { Polynomials } from './parameters.ts'

/** A differenced, scaled series and its columns, made ready for many likelihoods. */
export type Sample = {
  readonly basis: ColumnBasis
  readonly observed: number
  readonly sums: ErrorSums
  /** Of the last likelihood. */
  readonly oneStep: OneStep
  /** Coefficients of the basis where the last likelihood was highest. */
  readonly beyond: Float64Array
  /** Undefined when values are missing. */
  readonly workspace: FastWorkspace | undefined
}

/**
 * The exact Gaussian likelihood, variance and coefficients at their best for the other parameters.
 */
export type Likelihood = {
  readonly logLikelihood: number
  /** Of the columns, in their order. */
  readonly beta: Float64Array
  /** Σ e²/v with those coefficients. */
  readonly squares: number
}

/** A sample of `w` for polynomials with p and q lags; the columns are as long as `w`. */
export function makeSample(
  w: Float64Array,
  p: number,
  q: number,
  columns: readonly Float64Array[] = [],
): Sample {
  const basis = makeColumnBasis(w, columns)
  const { observed, series } = basis
  const complete = observed === w.length
  return {
    basis,
    observed,
    sums: makeErrorSums(series.length),
    oneStep: makeOneStep(w.length, series.length),
    beyond: new Float64Array(columns.length),
    workspace: complete ? makeFastWorkspace(series.length, p, q) : undefined,
  }
}

/** A column of ones: the mean of the differenced series. */
export function ones(length: number): Float64Array {
  return new Float64Array(length).fill(1)
}

/**
 * The squares Σ e²/v at some parameters, with the sums of the sample filled: the fast recursion
 * when it is complete, else the Kalman filter. NaN when rounding breaks a variance (roots next to
 * one) or the budget has ended.
 */
export function profileSquares(sample: Sample, arma: Polynomials, budget: Budget): number {
  const { sums, oneStep, basis, workspace } = sample
  sums.clear()
  const complete =
    workspace === undefined
      ? filterSums(basis.series, arma, oneStep, sums, budget)
      : fastRecursion(basis.series, arma, workspace, oneStep, sums, budget)
  if (!complete) return Number.NaN
  return Math.max(leastSquares(sums, sample.beyond), squaresMin * sample.observed)
}

/** The log-likelihood of the last `profileSquares`. */
export function logLikelihoodOf(sample: Sample, squares: number): number {
  const { observed, sums } = sample
  const spread = Math.log((2 * Math.PI * squares) / observed)
  return -0.5 * (observed * (spread + 1) + sums.logVariances)
}

/**
 * The likelihood at some parameters. Without a `fixedBeta` the coefficients are at their best.
 * Undefined when rounding breaks a variance or the budget has ended.
 */
export function profileLikelihood(
  sample: Sample,
  arma: Polynomials,
  budget: Budget = unbounded(),
  fixedBeta?: Float64Array,
): Likelihood | undefined {
  const best = profileSquares(sample, arma, budget)
  if (Number.isNaN(best)) return undefined
  const { basis, sums, beyond } = sample
  const fixed = fixedBeta && basisCoefficients(basis, fixedBeta)
  const squares = fixed === undefined ? best : squaresAt(sums, fixed)
  const logLikelihood = logLikelihoodOf(sample, squares)
  if (!Number.isFinite(logLikelihood)) return undefined
  return { logLikelihood, beta: columnCoefficients(basis, fixed ?? beyond), squares }
}

/** Squares below this per observation are rounding: the sample is scaled to order one. */
const squaresMin = 1e-30
/** A pivot that Cholesky has shrunk by more than this holds nothing but rounding. */
const pivotMin = 1e-12

/**
 * The least squares over the coefficients, by Cholesky of the columns' products; fills `beyond`.
 */
function leastSquares({ products, width }: ErrorSums, beyond: Float64Array): number {
  const count = width - 1
  let squares = products[0]!
  // The factor overwrites the products of columns, and `beyond` holds the right side solved.
  for (let i = 1; i < width; i++) {
    const row = i * width
    const whole = products[row + i]!
    for (let j = 1; j <= i; j++) {
      let sum = products[row + j]!
      for (let k = 1; k < j; k++) sum -= products[row + k]! * products[j * width + k]!
      const pivot = products[j * width + j]!
      if (i === j) products[row + i] = sum > pivotMin * whole ? Math.sqrt(sum) : 0
      else products[row + j] = pivot > 0 ? sum / pivot : 0
    }
    let right = products[row]!
    for (let k = 1; k < i; k++) right -= products[row + k]! * beyond[k - 1]!
    const pivot = products[row + i]!
    beyond[i - 1] = pivot > 0 ? right / pivot : 0
    squares -= beyond[i - 1]! * beyond[i - 1]!
  }
  for (let i = count; i >= 1; i--) {
    let sum = beyond[i - 1]!
    for (let k = i + 1; k < width; k++) sum -= products[k * width + i]! * beyond[k - 1]!
    const pivot = products[i * width + i]!
    beyond[i - 1] = pivot > 0 ? sum / pivot : 0
  }
  return squares
}

/** The squares at given coefficients, from the factor that `leastSquares` left behind. */
function squaresAt({ products, width }: ErrorSums, coefficients: Float64Array): number {
  let squares = products[0]!
  for (let j = 1; j < width; j++) {
    let image = 0
    for (let i = j; i < width; i++) image += products[i * width + j]! * coefficients[i - 1]!
    squares += image * image - 2 * products[j * width]! * coefficients[j - 1]!
  }
  return squares
}

function unbounded(): Budget {
  return makeBudget({ workMax: Number.POSITIVE_INFINITY })
}
