import { limits } from '../limits.ts'
import type { Budget } from '../numeric/budget.ts'
import { fillMoments, makeMomentsWorkspace } from './autocovariance.ts'
import type { ErrorSums, OneStep } from './error-sums.ts'
import type { Polynomials } from './parameters.ts'

/**
 * The Kalman filter of an ARMA process in Harvey's form (Harvey 1989, section 3.4): r = max(p, q +
 * 1) states, the first of which is w; element i of the others is what is already known of w, i
 * steps ahead, but for coming shocks. It takes missing values, one value at a time, and goes on
 * where it stopped: equal states and equal values give equal bits, in however many pieces they
 * come.
 */
export type Filter = {
  readonly size: number
  /** φ and θ padded to the number of states; θ₀ = 1 comes first. */
  readonly ar: Float64Array
  readonly shocks: Float64Array
  /** What is known of the state after the last value. */
  readonly state: Float64Array
  /** Its covariance, row-major, of which only the upper triangle is kept up to date. */
  readonly covariance: Float64Array
  /** Settled: nothing about the past is uncertain any more, a step costs r instead of r². */
  settled: boolean
  /** Before the first value the state has its stationary distribution. */
  fresh: boolean
  /** The last value was observed, so that the first state is known. */
  certain: boolean
  /** What the last step expected of its value, and with which variance. */
  expected: number
  variance: number
}

/** A filter before its first value. */
export function makeFilter(arma: Polynomials): Filter {
  const size = Math.max(arma.ar.length, arma.ma.length + 1)
  const ar = new Float64Array(size)
  ar.set(arma.ar)
  const shocks = new Float64Array(size)
  shocks[0] = 1
  shocks.set(arma.ma, 1)
  return {
    size,
    ar,
    shocks,
    state: new Float64Array(size),
    covariance: stationaryCovariance(arma, ar, shocks),
    settled: false,
    fresh: true,
    certain: false,
    expected: 0,
    variance: 0,
  }
}

/**
 * Takes one value, NaN when it is missing; sets `expected` and `variance` and returns the error.
 */
export function stepFilter(filter: Filter, value: number): number {
  const missing = Number.isNaN(value)
  if (filter.settled && !missing) return stepSettled(filter, value)
  if (filter.fresh) filter.fresh = false
  else predict(filter)
  const { state, covariance, size } = filter
  filter.expected = state[0]!
  filter.variance = covariance[0]!
  const error = value - filter.expected
  if (!missing) correct(filter, error)
  filter.certain = !missing
  filter.settled = !missing && hasSettled(covariance, size)
  if (filter.settled) covariance.fill(0)
  return error
}

/** The covariance of the state, both triangles; empty when nothing of it is uncertain. */
export function filterCovariance(filter: Filter): Float64Array {
  if (filter.settled) return new Float64Array(0)
  const full = filter.covariance.slice()
  mirror(full, filter.size)
  return full
}

/** The filter that has come to a state with a covariance as `filterCovariance` gives it. */
export function resumeFilter(
  arma: Polynomials,
  state: Float64Array,
  covariance: Float64Array,
): Filter {
  const filter = makeFilter(arma)
  filter.fresh = false
  filter.settled = covariance.length === 0
  filter.state.set(state)
  filter.covariance.fill(0)
  filter.covariance.set(covariance)
  filter.certain = filter.covariance.subarray(0, filter.size).every((value) => value === 0)
  return filter
}

/**
 * Fills the errors of `fastRecursion`, and its sums, for a series with missing values; its columns
 * take part where it has a value, elsewhere the errors are 0. False when rounding breaks a variance
 * or the budget ends.
 */
export function filterSums(
  series: readonly Float64Array[],
  arma: Polynomials,
  { errors, variances }: OneStep,
  sums: ErrorSums,
  budget: Budget,
): boolean {
  const filters = series.map(() => makeFilter(arma))
  const w = series[0]!
  for (let t = 0; t < w.length; t++) {
    if (t % limits.pollPoints === 0) {
      if (!budget.spend(Math.min(limits.pollPoints, w.length - t))) return false
    }
    const missing = Number.isNaN(w[t]!)
    for (let c = 0; c < series.length; c++) {
      const error = stepFilter(filters[c]!, missing ? Number.NaN : series[c]![t]!)
      errors[c]![t] = missing ? 0 : error
    }
    if (missing) continue
    const { variance } = filters[0]!
    if (!(variance > 0)) return false
    variances[t] = variance
    sums.add(errors, t, variance)
    if (variance !== 1) sums.logVariances += Math.log(variance)
  }
  return true
}

/** A covariance below this (shocks have variance 1) is rounding. */
const settledWithin = 1e-13

function stepSettled(filter: Filter, value: number): number {
  const { state, ar, shocks, size } = filter
  const last = state[0]!
  const expected = ar[0]! * last + (size > 1 ? state[1]! : 0)
  const error = value - expected
  for (let i = 1; i < size - 1; i++) state[i] = ar[i]! * last + state[i + 1]! + shocks[i]! * error
  if (size > 1) state[size - 1] = ar[size - 1]! * last + shocks[size - 1]! * error
  state[0] = value
  filter.expected = expected
  filter.variance = 1
  return error
}

function predict(filter: Filter): void {
  const { state, covariance, ar, shocks, size } = filter
  const last = state[0]!
  for (let i = 0; i + 1 < size; i++) state[i] = ar[i]! * last + state[i + 1]!
  state[size - 1] = ar[size - 1]! * last
  if (filter.certain) {
    shift(covariance, shocks, size)
    return
  }
  const first = new Float64Array(size + 1)
  first.set(covariance.subarray(0, size))
  shift(covariance, shocks, size)
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      covariance[i * size + j]! +=
        ar[i]! * (ar[j]! * first[0]! + first[j + 1]!) + ar[j]! * first[i + 1]!
    }
  }
}

/** T P T' + R R' for what does not go through the first state. */
function shift(covariance: Float64Array, shocks: Float64Array, size: number): void {
  const end = size - 1
  for (let i = 0; i < end; i++) {
    const row = i * size
    const shock = shocks[i]!
    for (let j = i; j < end; j++) {
      covariance[row + j] = covariance[row + size + j + 1]! + shock * shocks[j]!
    }
    covariance[row + end] = shock * shocks[end]!
  }
  covariance[end * size + end] = shocks[end]! * shocks[end]!
}

/** After an observed value the first state is known: its row is zero. */
function correct(filter: Filter, error: number): void {
  const { state, covariance, size, variance } = filter
  for (let i = 1; i < size; i++) {
    const gain = covariance[i]! / variance
    state[i]! += gain * error
    for (let j = i; j < size; j++) covariance[i * size + j]! -= gain * covariance[j]!
  }
  state[0]! += error
  covariance.fill(0, 0, size)
}

function hasSettled(covariance: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    if (Math.abs(covariance[i * size + i]!) >= settledWithin) return false
  }
  return true
}

function mirror(covariance: Float64Array, size: number): void {
  for (let i = 1; i < size; i++) {
    for (let j = 0; j < i; j++) covariance[i * size + j] = covariance[j * size + i]!
  }
}

/**
 * The first row from autocovariances and shock weights; the others follow from P = T P T' + R R'.
 */
function stationaryCovariance(
  arma: Polynomials,
  ar: Float64Array,
  shocks: Float64Array,
): Float64Array {
  const size = ar.length
  const moments = makeMomentsWorkspace(arma.ar.length, arma.ma.length)
  const covariance = new Float64Array(size * size)
  if (!fillMoments(arma, moments)) return covariance.fill(Number.NaN)
  const { first } = moments
  covariance.set(first.subarray(0, size))
  for (let i = size - 1; i >= 1; i--) {
    for (let j = size - 1; j >= i; j--) {
      const beyond = j + 1 < size ? covariance[(i + 1) * size + j + 1]! : 0
      covariance[i * size + j] =
        ar[i]! * (ar[j]! * first[0]! + first[j + 1]!) +
        ar[j]! * first[i + 1]! +
        beyond +
        shocks[i]! * shocks[j]!
    }
  }
  return covariance
}
