import { limits } from '../limits.ts'
import type { Budget } from '../numeric/budget.ts'
import { autocovariances, maProducts } from './autocovariance.ts'
import { type Arma, shockWeights } from './parameters.ts'

/** Sums over one-step errors e with variances v: enough for any Gaussian likelihood with a mean. */
export type ErrorSums = {
  /** Σ e²/v. */
  squares: number
  /** Σ e u/v, with u the errors of a series of ones; 0 unless a mean is wanted. */
  cross: number
  /** Σ u²/v. */
  ones: number
  /** Σ log v. */
  logVariances: number
}

/** Memory of the innovations algorithm, made once for all likelihoods of one fit. */
export type InnovationsWorkspace = {
  readonly errors: Float64Array
  readonly onesErrors: Float64Array
  readonly gains: Float64Array
  readonly variances: Float64Array
}

/** A workspace for series of `length` and orders p and q. */
export function makeInnovationsWorkspace(
  length: number,
  p: number,
  q: number,
  mean: boolean,
): InnovationsWorkspace {
  const block = Math.max(p, q)
  const rows = block + q + 1
  return {
    errors: new Float64Array(length),
    onesErrors: new Float64Array(mean ? length : 0),
    gains: new Float64Array(rows * (block + 1)),
    variances: new Float64Array(rows),
  }
}

/**
 * The one-step errors of a complete series by the innovations algorithm on Ansley's transformed
 * series (Brockwell and Davis 1991, section 5.3; Ansley 1979): the first max(p, q) values as they
 * are, then φ(B) w, whose covariance has a band of width q. Once the variance has settled the
 * recursion is that of the infinite past. Undefined when rounding breaks a variance or the budget
 * ends.
 */
export function innovations(
  w: Float64Array,
  arma: Arma,
  workspace: InnovationsWorkspace,
  budget: Budget,
): ErrorSums | undefined {
  const { ar, ma } = arma
  const sums: ErrorSums = { squares: 0, cross: 0, ones: 0, logVariances: 0 }
  const settled = transient(w, arma, workspace, sums, budget)
  if (settled === undefined) return undefined
  const { errors, onesErrors } = workspace
  if (!steady(w, ar, ma, errors, settled, budget)) return undefined
  let squares = 0
  for (let t = settled; t < w.length; t++) squares += errors[t]! * errors[t]!
  sums.squares += squares
  if (onesErrors.length > 0) {
    steadyOnes(ar, ma, onesErrors, settled)
    for (let t = settled; t < w.length; t++) {
      sums.cross += errors[t]! * onesErrors[t]!
      sums.ones += onesErrors[t]! * onesErrors[t]!
    }
  }
  return sums
}

/** A variance this near to its limit stays there. */
const settledWithin = 1e-13

/** Runs until the variance has settled, or to the end; says where. */
function transient(
  w: Float64Array,
  arma: Arma,
  workspace: InnovationsWorkspace,
  sums: ErrorSums,
  budget: Budget,
): number | undefined {
  const { ar, ma } = arma
  const p = ar.length
  const q = ma.length
  const block = Math.max(p, q)
  const width = block + 1
  const { errors, onesErrors, gains, variances } = workspace
  const covariance = covarianceOf(arma)
  const row = (t: number) => (t < block ? t : block + ((t - block) % (q + 1)))
  let paid = 0
  for (let t = 0; t < w.length; t++) {
    if (t - paid >= limits.pollPoints) {
      paid = t
      if (!budget.spend(limits.pollPoints)) return undefined
    }
    const first = t < block ? 0 : Math.max(0, t - q)
    const own = row(t) * width
    let variance = covariance(t, t)
    for (let k = first; k < t; k++) {
      const other = row(k) * width
      let sum = covariance(t, k)
      for (let j = k < block ? first : Math.max(first, k - q); j < k; j++) {
        sum -= gains[other + k - j]! * gains[own + t - j]! * variances[row(j)]!
      }
      const gain = sum / variances[row(k)]!
      gains[own + t - k] = gain
      variance -= gain * gain * variances[row(k)]!
    }
    if (!(variance > 0)) return undefined
    variances[row(t)] = variance
    let predicted = 0
    for (let k = first; k < t; k++) predicted += gains[own + t - k]! * errors[k]!
    if (t >= block) for (let i = 1; i <= p; i++) predicted += ar[i - 1]! * w[t - i]!
    const error = w[t]! - predicted
    errors[t] = error
    sums.squares += (error * error) / variance
    sums.logVariances += Math.log(variance)
    if (onesErrors.length > 0) {
      let ones = 1
      for (let k = first; k < t; k++) ones -= gains[own + t - k]! * onesErrors[k]!
      if (t >= block) for (let i = 1; i <= p; i++) ones -= ar[i - 1]!
      onesErrors[t] = ones
      sums.cross += (error * ones) / variance
      sums.ones += (ones * ones) / variance
    }
    if (t >= block + q && Math.abs(variance - 1) < settledWithin) {
      return budget.spend(t + 1 - paid) ? t + 1 : undefined
    }
  }
  return budget.spend(w.length - paid) ? w.length : undefined
}

/** The covariances of the transformed series, by two indices of which the first is not smaller. */
function covarianceOf(arma: Arma): (i: number, j: number) => number {
  const { ma } = arma
  const q = ma.length
  const block = Math.max(arma.ar.length, q)
  const plain = autocovariances(arma, Math.max(1, block))
  const products = maProducts(ma)
  const weights = shockWeights(arma, q + 1)
  /** Of θ(B) ε with the w of k steps before. */
  const mixed = products.map((_, k) => {
    let sum = k === 0 ? 1 : ma[k - 1]!
    for (let i = k + 1; i <= q; i++) sum += ma[i - 1]! * weights[i - k]!
    return sum
  })
  return (i, j) => {
    const lag = i - j
    if (i < block) return plain[lag]!
    if (lag > q) return 0
    return j < block ? mixed[lag]! : products[lag]!
  }
}

/** The errors from `start` on, by the recursion of the infinite past. */
function steady(
  w: Float64Array,
  ar: Float64Array,
  ma: Float64Array,
  errors: Float64Array,
  start: number,
  budget: Budget,
): boolean {
  const p = ar.length
  const q = ma.length
  for (let from = start; from < w.length; from += limits.pollPoints) {
    const to = Math.min(w.length, from + limits.pollPoints)
    for (let t = from; t < to; t++) {
      let error = w[t]!
      for (let i = 0; i < p; i++) error -= ar[i]! * w[t - 1 - i]!
      for (let j = 0; j < q; j++) error -= ma[j]! * errors[t - 1 - j]!
      errors[t] = error
    }
    if (!budget.spend(to - from)) return false
  }
  return true
}

function steadyOnes(ar: Float64Array, ma: Float64Array, errors: Float64Array, start: number): void {
  let level = 1
  for (const coefficient of ar) level -= coefficient
  for (let t = start; t < errors.length; t++) {
    let error = level
    for (let j = 0; j < ma.length; j++) error -= ma[j]! * errors[t - 1 - j]!
    errors[t] = error
  }
}
