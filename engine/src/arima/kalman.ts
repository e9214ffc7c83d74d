import { limits } from '../limits.ts'
import type { Budget } from '../numeric/budget.ts'
import { fillMoments, makeMomentsWorkspace } from './autocovariance.ts'
import type { ErrorSums, OneStep } from './error-sums.ts'
import { reflect } from './fast-recursion.ts'
import type { Polynomials } from './parameters.ts'

/**
 * The Kalman filter of an ARMA process in Harvey's form (Harvey 1989, section 3.4): r = max(p, q +
 * 1) states, the first of which is w; element i of the others is what is already known of w, i
 * steps ahead, but for coming shocks. It takes missing values, one value at a time, and goes on
 * where it stopped: equal states and equal values give equal bits, in however many pieces they
 * come.
 *
 * Up to the first missing value the covariance is that of the fast recursion (`fastRecursion`): r
 * numbers each in `gain` and `wake` stand for r² of them.
 */
export type Filter = {
  readonly size: number
  /** φ and θ padded to the number of states; θ₀ = 1 comes first. */
  readonly ar: Float64Array
  readonly shocks: Float64Array
  /** What is known of the state after the last value. */
  readonly state: Float64Array
  /** Settled: nothing about the past is uncertain any more. A step costs r, but r² when dense. */
  mode: 'fast' | 'dense' | 'settled'
  /** Of the last step, in the fast mode. */
  readonly gain: Float64Array
  readonly wake: Float64Array
  /** Of the state, row-major, of which only the upper triangle is kept up to date; if dense. */
  covariance: Float64Array
  /** Memory of a prediction: the first row of the covariance before it, and a zero. */
  readonly before: Float64Array
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
  const filter = emptyFilter(arma)
  const { size, ar, gain, wake } = filter
  const moments = makeMomentsWorkspace(arma.ar.length, arma.ma.length)
  if (!fillMoments(arma, moments)) moments.first.fill(Number.NaN)
  const { first } = moments
  for (let i = 0; i < size; i++) gain[i] = first[i + 1]! + ar[i]! * first[0]!
  wake.set(gain)
  filter.variance = first[0]!
  // Roots this near to one leave the fast mode too few digits.
  if (!(first[0]! < fastVarianceMax)) becomeDense(filter)
  return filter
}

/** A filter before its first value that keeps its whole covariance from the beginning. */
export function makeDenseFilter(arma: Polynomials): Filter {
  const filter = makeFilter(arma)
  if (filter.mode === 'fast') becomeDense(filter)
  return filter
}

/**
 * Takes one value, NaN when it is missing; sets `expected` and `variance` and returns the error.
 */
export function stepFilter(filter: Filter, value: number): number {
  const missing = Number.isNaN(value)
  if (!missing && filter.mode === 'settled') return stepSettled(filter, value)
  if (!missing && filter.mode === 'fast') return stepFast(filter, value)
  if (filter.mode !== 'dense') becomeDense(filter)
  if (filter.fresh) filter.fresh = false
  else predict(filter)
  const { state, covariance, size } = filter
  filter.expected = state[0]!
  filter.variance = covariance[0]!
  const error = value - filter.expected
  if (!missing) correct(filter, error)
  filter.certain = !missing
  if (!missing && hasSettled(covariance, size)) filter.mode = 'settled'
  return error
}

/**
 * What is stored of the covariance of the state: nothing when nothing of it is uncertain; in the
 * fast mode the variance, `gain` and `wake` of the last step; else both triangles, row-major.
 */
export function filterCovariance(filter: Filter): Float64Array {
  if (filter.mode === 'settled') return new Float64Array(0)
  if (filter.mode === 'fast')
    return Float64Array.of(filter.variance, ...filter.gain, ...filter.wake)
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
  const filter = emptyFilter(arma)
  const { size } = filter
  filter.fresh = false
  filter.state.set(state)
  if (covariance.length === 0) {
    filter.mode = 'settled'
  } else if (covariance.length === fastLength(size)) {
    filter.variance = covariance[0]!
    filter.gain.set(covariance.subarray(1, size + 1))
    filter.wake.set(covariance.subarray(size + 1))
  } else {
    filter.mode = 'dense'
    filter.covariance = covariance.slice()
    filter.certain = covariance.subarray(0, size).every((value) => value === 0)
  }
  return filter
}

/** The length of what `filterCovariance` gives in the fast mode; no square. */
export function fastLength(size: number): number {
  return 2 * size + 1
}

/** Both triangles of the covariance of a state, row-major; empty when it is certain. */
export function wholeCovariance(
  arma: Polynomials,
  state: Float64Array,
  covariance: Float64Array,
): Float64Array {
  if (covariance.length !== fastLength(state.length)) return covariance
  const filter = resumeFilter(arma, state, covariance)
  becomeDense(filter)
  return filterCovariance(filter)
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
  const filter = makeDenseFilter(arma)
  const states = series.map((_, c) => (c === 0 ? filter.state : new Float64Array(filter.size)))
  const others = states.slice(1).map((state) => ({ ...filter, state }))
  const gain = new Float64Array(filter.size)
  const w = series[0]!
  for (let t = 0; t < w.length; t++) {
    if (t % limits.pollPoints === 0) {
      if (!budget.spend(Math.min(limits.pollPoints, w.length - t))) return false
    }
    const missing = Number.isNaN(w[t]!)
    if (filter.mode === 'settled' && !missing) {
      errors[0]![t] = stepSettled(filter, w[t]!)
      for (let c = 1; c < series.length; c++) {
        errors[c]![t] = stepSettled(others[c - 1]!, series[c]![t]!)
      }
      variances[t] = 1
      sums.add(errors, t, 1)
      continue
    }
    if (filter.mode === 'settled') becomeDense(filter)
    if (filter.fresh) {
      filter.fresh = false
    } else {
      predict(filter)
      for (let c = 1; c < series.length; c++) moveState(others[c - 1]!)
    }
    filter.certain = !missing
    if (missing) {
      for (let c = 0; c < series.length; c++) errors[c]![t] = 0
      continue
    }
    const variance = filter.covariance[0]!
    if (!(variance > 0)) return false
    filter.variance = variance
    for (let i = 0; i < filter.size; i++) gain[i] = filter.covariance[i]! / variance
    for (let c = 0; c < series.length; c++) {
      const state = states[c]!
      const error = series[c]![t]! - state[0]!
      errors[c]![t] = error
      // The main state is corrected with the covariance.
      for (let i = 0; c > 0 && i < filter.size; i++) state[i]! += gain[i]! * error
    }
    correct(filter, errors[0]![t]!)
    variances[t] = variance
    sums.add(errors, t, variance)
    if (variance !== 1) sums.logVariances += Math.log(variance)
    if (hasSettled(filter.covariance, filter.size)) filter.mode = 'settled'
  }
  return true
}

/** A covariance below this (shocks have variance 1) is rounding. */
const settledWithin = 1e-13

const fastVarianceMax = 1e6
/** Reflections of a wake below this change nothing any more. */
const stillBelow = 1e-8
/** A reflection nearer to one would be rounding: no variance shrinks to nothing. */
const reflectionMax = 1 - 1e-12

function emptyFilter(arma: Polynomials): Filter {
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
    mode: 'fast',
    gain: new Float64Array(size),
    wake: new Float64Array(size),
    covariance: new Float64Array(0),
    before: new Float64Array(size + 1),
    fresh: true,
    certain: false,
    expected: 0,
    variance: 0,
  }
}

function stepFast(filter: Filter, value: number): number {
  const { state, ar, gain, wake, size } = filter
  if (filter.fresh) {
    filter.fresh = false
  } else {
    const share = wake[0]! / filter.variance
    const reflection = Math.max(-reflectionMax, Math.min(reflectionMax, share))
    reflect(ar, gain, wake, reflection)
    // All of the past leaves a variance of 1; below that there is rounding.
    filter.variance = Math.max(1, filter.variance * (1 - reflection) * (1 + reflection))
    moveState(filter)
  }
  const { variance } = filter
  filter.expected = state[0]!
  const error = value - filter.expected
  const share = error / variance
  for (let i = 0; i + 1 < size; i++) state[i + 1]! += gain[i]! * share - ar[i]! * error
  state[0] = value
  let still = Math.abs(variance - 1) < settledWithin
  for (let i = 0; still && i < size; i++) still = Math.abs(wake[i]!) < stillBelow
  if (still) filter.mode = 'settled'
  return error
}

/** From the fast or the settled mode to a whole covariance, after the last value. */
function becomeDense(filter: Filter): void {
  const { size } = filter
  const wasFast = filter.mode === 'fast'
  filter.mode = 'dense'
  filter.certain = !filter.fresh
  if (!wasFast) {
    filter.covariance = new Float64Array(size * size)
    return
  }
  const covariance = expectedCovariance(filter)
  filter.covariance = covariance
  if (filter.fresh) return
  const { variance } = filter
  for (let i = 1; i < size; i++) {
    const share = covariance[i]! / variance
    for (let j = i; j < size; j++) covariance[i * size + j]! -= share * covariance[j]!
  }
  covariance.fill(0, 0, size)
}

/**
 * The covariance with which the last step of the fast mode expected its state: the first row is in
 * the gain K, and the others follow, as what K and W say of its change is P = T P T' + R R' - (K K'
 * - W W')/F.
 */
function expectedCovariance({ size, ar, shocks, gain, wake, variance }: Filter): Float64Array {
  const covariance = new Float64Array(size * size)
  const first = new Float64Array(size + 1)
  first[0] = variance
  for (let i = 0; i + 1 < size; i++) first[i + 1] = gain[i]! - ar[i]! * variance
  covariance.set(first.subarray(0, size))
  for (let i = size - 1; i >= 1; i--) {
    for (let j = size - 1; j >= i; j--) {
      const beyond = j + 1 < size ? covariance[(i + 1) * size + j + 1]! : 0
      covariance[i * size + j] =
        ar[i]! * (ar[j]! * first[0]! + first[j + 1]!) +
        ar[j]! * first[i + 1]! +
        beyond +
        shocks[i]! * shocks[j]! -
        (gain[i]! * gain[j]! - wake[i]! * wake[j]!) / variance
    }
  }
  return covariance
}

/** T times the state. */
function moveState({ state, ar, size }: Filter): void {
  const last = state[0]!
  for (let i = 0; i + 1 < size; i++) state[i] = ar[i]! * last + state[i + 1]!
  state[size - 1] = ar[size - 1]! * last
}

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
  const { covariance, ar, shocks, size } = filter
  moveState(filter)
  if (filter.certain) {
    shift(covariance, shocks, size)
    return
  }
  const first = filter.before
  for (let i = 0; i < size; i++) first[i] = covariance[i]!
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
