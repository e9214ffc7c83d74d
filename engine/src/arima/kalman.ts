import { limits } from '../limits.ts'
import type { Budget } from '../numeric/budget.ts'
import { autocovariances } from './autocovariance.ts'
import type { ErrorSums } from './innovations.ts'
import { type Arma, shockWeights } from './parameters.ts'

/**
 * The Kalman filter of an ARMA process in Harvey's form (Harvey 1989, section 3.4): r = max(p, q + 1)
 * states, the first of which is w; element i of the others is what is already known of w, i steps
 * ahead, but for coming shocks. It takes missing values, one value at a time, and goes on where it
 * stopped: equal states and equal values give equal bits, in however many pieces they come.
 */
export type Filter = {
  readonly size: number
  /** φ and θ padded to the number of states; θ₀ = 1 comes first. */
  readonly ar: Float64Array
  readonly shocks: Float64Array
  /** What is known of the state after the last value. */
  readonly state: Float64Array
  /** Its covariance, row-major; all zero once the filter has settled. */
  readonly covariance: Float64Array
  /** Settled: nothing about the past is uncertain any more, a step costs r instead of r². */
  settled: boolean
  /** Before the first value the state has its stationary distribution. */
  fresh: boolean
  /** What the last step expected of its value, and with which variance. */
  expected: number
  variance: number
}

/** A filter before its first value. */
export function makeFilter(arma: Arma): Filter {
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
    expected: 0,
    variance: 0,
  }
}

/** Takes one value, NaN when it is missing; sets `expected` and `variance` and returns the error. */
export function stepFilter(filter: Filter, value: number): number {
  if (filter.settled && !Number.isNaN(value)) return stepSettled(filter, value)
  if (filter.fresh) filter.fresh = false
  else predict(filter)
  const { state, covariance, size } = filter
  filter.expected = state[0]!
  filter.variance = covariance[0]!
  const error = value - filter.expected
  if (Number.isNaN(value)) filter.settled = false
  else correct(state, covariance, size, error)
  filter.settled = !Number.isNaN(value) && hasSettled(covariance, size)
  if (filter.settled) covariance.fill(0)
  return error
}

/**
 * The sums of `innovations` for a series with missing values. Undefined when rounding breaks a
 * variance or the budget ends.
 */
export function filterSums(
  w: Float64Array,
  arma: Arma,
  mean: boolean,
  budget: Budget,
): ErrorSums | undefined {
  const filter = makeFilter(arma)
  const onesFilter = mean ? makeFilter(arma) : undefined
  const sums: ErrorSums = { squares: 0, cross: 0, ones: 0, logVariances: 0 }
  for (let t = 0; t < w.length; t++) {
    if (t % limits.pollPoints === 0) {
      if (!budget.spend(Math.min(limits.pollPoints, w.length - t))) return undefined
    }
    const value = w[t]!
    const missing = Number.isNaN(value)
    const error = stepFilter(filter, value)
    const ones = onesFilter === undefined ? 0 : stepFilter(onesFilter, missing ? Number.NaN : 1)
    if (missing) continue
    const { variance } = filter
    if (!(variance > 0)) return undefined
    sums.squares += (error * error) / variance
    if (variance !== 1) sums.logVariances += Math.log(variance)
    sums.cross += (error * ones) / variance
    sums.ones += (ones * ones) / variance
  }
  return sums
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
  for (let i = 0; i < size; i++) state[i] = ar[i]! * last + (i + 1 < size ? state[i + 1]! : 0)
  const at = (i: number, j: number) => (i < size && j < size ? covariance[i * size + j]! : 0)
  const first = covariance.slice(0, size)
  const corner = first[0]!
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      const sum =
        ar[i]! * ar[j]! * corner +
        ar[i]! * (j + 1 < size ? first[j + 1]! : 0) +
        ar[j]! * (i + 1 < size ? first[i + 1]! : 0) +
        at(i + 1, j + 1) +
        shocks[i]! * shocks[j]!
      covariance[i * size + j] = sum
    }
  }
  mirror(covariance, size)
}

function correct(state: Float64Array, covariance: Float64Array, size: number, error: number): void {
  const variance = covariance[0]!
  const gains = new Float64Array(size)
  for (let i = 0; i < size; i++) gains[i] = covariance[i * size]! / variance
  for (let i = 1; i < size; i++) state[i]! += gains[i]! * error
  state[0]! += error
  for (let i = 1; i < size; i++) {
    for (let j = i; j < size; j++) covariance[i * size + j]! -= gains[i]! * gains[j]! * variance
  }
  for (let i = 0; i < size; i++) covariance[i] = 0
  mirror(covariance, size)
}

function mirror(covariance: Float64Array, size: number): void {
  for (let i = 1; i < size; i++) {
    for (let j = 0; j < i; j++) covariance[i * size + j] = covariance[j * size + i]!
  }
}

function hasSettled(covariance: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    if (Math.abs(covariance[i * size + i]!) >= settledWithin) return false
  }
  return true
}

/** The first row from autocovariances and ψ weights; the others follow from P = T P T' + R R'. */
function stationaryCovariance(arma: Arma, ar: Float64Array, shocks: Float64Array): Float64Array {
  const size = ar.length
  const gamma = autocovariances(arma, size + 1)
  const psi = shockWeights(arma, size)
  const covariance = new Float64Array(size * size)
  covariance[0] = gamma[0]!
  for (let k = 1; k < size; k++) {
    let sum = 0
    for (let j = k + 1; j <= size; j++) {
      sum += ar[j - 1]! * gamma[j - k]!
    }
    for (let j = k; j < size; j++) sum += shocks[j]! * psi[j - k]!
    covariance[k] = sum
  }
  for (let i = size - 1; i >= 1; i--) {
    for (let j = size - 1; j >= i; j--) {
      const beyond = (a: number, b: number) =>
        a < size && b < size ? covariance[a * size + b]! : 0
      covariance[i * size + j] =
        ar[i]! * ar[j]! * gamma[0]! +
        ar[i]! * beyond(0, j + 1) +
        ar[j]! * beyond(0, i + 1) +
        beyond(i + 1, j + 1) +
        shocks[i]! * shocks[j]!
    }
  }
  mirror(covariance, size)
  return covariance
}
