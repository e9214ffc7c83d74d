import { limits } from '../limits.ts'
import type { Budget } from '../numeric/budget.ts'
import { fillMoments, type MomentsWorkspace, makeMomentsWorkspace } from './autocovariance.ts'
import type { ErrorSums, OneStep } from './error-sums.ts'
import type { Polynomials } from './parameters.ts'

/** Memory of the recursion, made once for all likelihoods of one sample and one pair of orders. */
export type FastWorkspace = {
  readonly moments: MomentsWorkspace
  /** φ padded to the number of states. */
  readonly ar: Float64Array
  readonly gain: Float64Array
  readonly wake: Float64Array
  /** One state for each series. */
  readonly states: readonly Float64Array[]
  readonly arSupport: Int32Array
  readonly maSupport: Int32Array
}

/** A workspace for `count` series and polynomials with p and q lags. */
export function makeFastWorkspace(count: number, p: number, q: number): FastWorkspace {
  const size = Math.max(p, q + 1)
  const vectors = (width: number) => Array.from({ length: count }, () => new Float64Array(width))
  return {
    moments: makeMomentsWorkspace(p, q),
    ar: new Float64Array(size),
    gain: new Float64Array(size),
    wake: new Float64Array(size),
    states: vectors(size + 1),
    arSupport: new Int32Array(p),
    maSupport: new Int32Array(q),
  }
}

/**
 * The one-step errors of complete series of one process by the fast (Chandrasekhar) recursion of
 * Morf, Sidhu and Kailath (1974) for a stationary start: instead of the covariance of the state it
 * carries its first column K and its change W, r numbers each. The change has rank one, and its
 * weight stays -1/F, so that a step is a reflection with the partial autocorrelation ρ = W₀/F: F
 * shrinks by 1 - ρ², K by ρ T W, and W becomes T W - ρ K. Once the reflections have died out the
 * recursion is that of the infinite past. False when rounding breaks a variance or the budget ends.
 */
export function fastRecursion(
  series: readonly Float64Array[],
  arma: Polynomials,
  work: FastWorkspace,
  { errors, variances }: OneStep,
  sums: ErrorSums,
  budget: Budget,
): boolean {
  const { moments, ar, gain, wake, states } = work
  if (!fillMoments(arma, moments)) return false
  const size = ar.length
  ar.fill(0)
  ar.set(arma.ar)
  let variance = moments.first[0]!
  for (let i = 0; i < size; i++) gain[i] = moments.first[i + 1]! + ar[i]! * variance
  wake.set(gain)
  for (const state of states) state.fill(0)
  const n = series[0]!.length
  let still = 0
  let product = 1
  let at = 0
  for (; at < n && still < size; at++) {
    if (at % limits.pollPoints === 0) {
      if (!budget.spend(Math.min(limits.pollPoints, n - at))) return false
    }
    for (let c = 0; c < series.length; c++) {
      errors[c]![at] = stepState(states[c]!, ar, gain, series[c]![at]!, variance)
    }
    variances[at] = variance
    sums.add(errors, at, variance)
    product *= variance
    if (product > 1e200) {
      sums.logVariances += Math.log(product)
      product = 1
    }
    const reflection = wake[0]! / variance
    if (!(Math.abs(reflection) < 1)) return false
    still = Math.abs(reflection) < stillWithin ? still + 1 : 0
    reflect(ar, gain, wake, reflection)
    variance *= (1 - reflection) * (1 + reflection)
  }
  sums.logVariances += Math.log(product)
  if (at === n) return true
  variances.fill(variance, at)
  return goOn(series, arma, work, errors, sums, at, variance, budget)
}

/** Reflections below this change a variance by less than rounding. */
const stillWithin = 2e-8

function stepState(
  state: Float64Array,
  ar: Float64Array,
  gain: Float64Array,
  value: number,
  variance: number,
): number {
  const last = state[0]!
  const error = value - last
  const share = error / variance
  const size = ar.length
  for (let i = 0; i < size; i++) state[i] = state[i + 1]! + ar[i]! * last + gain[i]! * share
  return error
}

/** One step of gain and wake, in place. */
export function reflect(
  ar: Float64Array,
  gain: Float64Array,
  wake: Float64Array,
  reflection: number,
): void {
  const first = wake[0]!
  const end = ar.length - 1
  for (let i = 0; i < end; i++) {
    const moved = wake[i + 1]! + ar[i]! * first
    const held = gain[i]!
    gain[i] = held - reflection * moved
    wake[i] = moved - reflection * held
  }
  const moved = ar[end]! * first
  const held = gain[end]!
  gain[end] = held - reflection * moved
  wake[end] = moved - reflection * held
}

/** The errors from `start` on, with a gain that no longer changes. */
function goOn(
  series: readonly Float64Array[],
  arma: Polynomials,
  work: FastWorkspace,
  errors: readonly Float64Array[],
  sums: ErrorSums,
  start: number,
  variance: number,
  budget: Budget,
): boolean {
  const { ar, gain, states, arSupport, maSupport } = work
  const n = series[0]!.length
  const invertible = Math.abs(variance - 1) < settledWithin && start >= ar.length
  const arCount = supportOf(arma.ar, arSupport)
  const maCount = supportOf(arma.ma, maSupport)
  for (let from = start; from < n; from += limits.pollPoints) {
    const to = Math.min(n, from + limits.pollPoints)
    if (!budget.spend(to - from)) return false
    for (let c = 0; c < series.length; c++) {
      const values = series[c]!
      const out = errors[c]!
      if (invertible) {
        filterBetween(values, out, arma, arSupport, arCount, maSupport, maCount, from, to)
        continue
      }
      const state = states[c]!
      for (let t = from; t < to; t++) out[t] = stepState(state, ar, gain, values[t]!, variance)
    }
    sums.addBetween(errors, from, to, variance)
  }
  sums.logVariances += (n - start) * Math.log(variance)
  return true
}

/** A variance this near to its limit is there. */
const settledWithin = 1e-12

/** Lag by lag for the autoregression, which has no feedback, then step by step for the rest. */
function filterBetween(
  values: Float64Array,
  out: Float64Array,
  { ar, ma }: Polynomials,
  arSupport: Int32Array,
  arCount: number,
  maSupport: Int32Array,
  maCount: number,
  from: number,
  to: number,
): void {
  for (let t = from; t < to; t++) out[t] = values[t]!
  let i = 0
  for (; i + 1 < arCount; i += 2) {
    const near = arSupport[i]!
    const far = arSupport[i + 1]!
    const first = ar[near - 1]!
    const second = ar[far - 1]!
    for (let t = from; t < to; t++) out[t]! -= first * values[t - near]! + second * values[t - far]!
  }
  if (i < arCount) {
    const lag = arSupport[i]!
    const weight = ar[lag - 1]!
    for (let t = from; t < to; t++) out[t]! -= weight * values[t - lag]!
  }
  if (maCount === 1) {
    const lag = maSupport[0]!
    const weight = ma[lag - 1]!
    for (let t = from; t < to; t++) out[t]! -= weight * out[t - lag]!
    return
  }
  for (let t = from; maCount > 0 && t < to; t++) {
    let error = out[t]!
    for (let j = 0; j < maCount; j++) {
      const lag = maSupport[j]!
      error -= ma[lag - 1]! * out[t - lag]!
    }
    out[t] = error
  }
}

function supportOf(coefficients: Float64Array, support: Int32Array): number {
  let count = 0
  for (let i = 0; i < coefficients.length; i++) if (coefficients[i] !== 0) support[count++] = i + 1
  return count
}
