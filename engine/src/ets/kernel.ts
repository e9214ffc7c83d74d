import { limits } from '../limits.ts'
import type { Budget } from '../numeric/budget.ts'
import type { Form } from './form.ts'

/**
 * The arrays of one filter over a series, and what its passes leave behind. `y` is in units of the
 * fit, NaN where missing. The season that step t sees is `season[t]`; the step writes the one after
 * it to `season[t + m]`, so that nothing is ever rotated.
 */
export type Trace = {
  readonly y: Float64Array
  readonly observed: number
  readonly level: Float64Array
  readonly trend: Float64Array
  readonly season: Float64Array
  /** The derivative of the objective with respect to each entry of `season`. */
  readonly adjoint: Float64Array
  /** Sums of the forward pass: squares of the errors, logarithms of the fits. */
  readonly sums: Float64Array
  /** Slopes of the objective: alpha, beta, gamma, phi, first level, first trend. */
  readonly slopes: Float64Array
}

/** Smoothing parameters in the order of the slopes: alpha, beta, gamma, phi. */
export type Smoothing = Float64Array

export function makeTrace(y: Float64Array, observed: number, seasonLengthMax: number): Trace {
  return {
    y,
    observed,
    level: new Float64Array(y.length + 1),
    trend: new Float64Array(y.length + 1),
    season: new Float64Array(y.length + seasonLengthMax),
    adjoint: new Float64Array(y.length + seasonLengthMax),
    sums: new Float64Array(2),
    slopes: new Float64Array(6),
  }
}

/**
 * Half of n log Σ r² (+ 2 Σ log f for a multiplicative error): the negative logarithm of the
 * likelihood without its constants, as R has it (HKOS 2008, equation 5.3), the variance at its
 * best. The first states stand in the trace. Infinity where a multiplicative form has a fit, level
 * or season that is not positive; NaN when the budget is spent.
 */
export function evaluate(trace: Trace, form: Form, smoothing: Smoothing, budget: Budget): number {
  const { y, sums } = trace
  sums.fill(0)
  const forward = form.season === 'M' ? forwardMultiplied : forwardAdded
  for (let from = 0; from < y.length; from += limits.pollPoints) {
    const to = Math.min(y.length, from + limits.pollPoints)
    if (!budget.spend(to - from)) return Number.NaN
    if (!forward(trace, form, smoothing, from, to)) return Number.POSITIVE_INFINITY
  }
  sums[0]! += squaresFloor * trace.observed
  const value = 0.5 * trace.observed * Math.log(sums[0]!) + sums[1]!
  return Number.isFinite(value) ? value : Number.POSITIVE_INFINITY
}

/** The slopes of the objective after `evaluate` gave a number; false when the budget is spent. */
export function differentiate(
  trace: Trace,
  form: Form,
  smoothing: Smoothing,
  budget: Budget,
): boolean {
  const { y, slopes, adjoint } = trace
  slopes.fill(0)
  adjoint.fill(0, y.length, y.length + form.seasonLength)
  const backward = form.season === 'M' ? backwardMultiplied : backwardAdded
  for (let to = y.length; to > 0; to -= limits.pollPoints) {
    const from = Math.max(0, to - limits.pollPoints)
    if (!budget.spend(to - from)) return false
    backward(trace, form, smoothing, from, to)
  }
  return true
}

/** Squares of errors below rounding count as this, so that a perfect fit has a likelihood. */
const squaresFloor = 1e-31

/** Fits below this, in units of the fit, are not positive. */
export const positiveMin = 1e-60

/** Between these a product of fits is carried on before its logarithm is taken. */
const productMin = 1e-80
const productMax = 1e80

/** No season is an additive one that stays at zero. */
function forwardAdded(
  { y, level, trend, season, sums }: Trace,
  form: Form,
  smoothing: Smoothing,
  from: number,
  to: number,
): boolean {
  const relative = form.error === 'M'
  const m = form.seasonLength
  const alpha = smoothing[0]!
  const beta = smoothing[1]!
  const gamma = smoothing[2]!
  const phi = smoothing[3]!
  let l = level[from]!
  let b = trend[from]!
  let squares = sums[0]!
  let product = 1
  let logs = 0
  for (let t = from; t < to; t++) {
    const d = phi * b
    const q = l + d
    const s = season[t]!
    const v = y[t]!
    if (!Number.isNaN(v)) {
      const f = q + s
      const e = v - f
      if (relative) {
        if (!(f > positiveMin)) return false
        const r = e / f
        squares += r * r
        product *= f
        if (product > productMax || product < productMin) {
          logs += Math.log(product)
          product = 1
        }
      } else {
        squares += e * e
      }
      l = q + alpha * e
      b = d + beta * e
      season[t + m] = s + gamma * e
    } else {
      l = q
      b = d
      season[t + m] = s
    }
    level[t + 1] = l
    trend[t + 1] = b
  }
  sums[0] = squares
  sums[1]! += logs + Math.log(product)
  return true
}

function backwardAdded(
  { y, observed, level, trend, season, adjoint, sums, slopes }: Trace,
  form: Form,
  smoothing: Smoothing,
  from: number,
  to: number,
): void {
  const relative = form.error === 'M'
  const m = form.seasonLength
  const alpha = smoothing[0]!
  const beta = smoothing[1]!
  const gamma = smoothing[2]!
  const phi = smoothing[3]!
  const pull = observed / sums[0]!
  let alphaSlope = slopes[0]!
  let betaSlope = slopes[1]!
  let gammaSlope = slopes[2]!
  let phiSlope = slopes[3]!
  let L = slopes[4]!
  let B = slopes[5]!
  for (let t = to - 1; t >= from; t--) {
    const v = y[t]!
    const b = trend[t]!
    const S = adjoint[t + m]!
    if (!Number.isNaN(v)) {
      const s = season[t]!
      const f = level[t]! + phi * b + s
      const e = v - f
      alphaSlope += L * e
      betaSlope += B * e
      gammaSlope += S * e
      const r = relative ? e / f : e
      const direct = relative ? (1 - pull * r * (1 + r)) / f : -pull * e
      const F = direct - alpha * L - beta * B - gamma * S
      L += F
      adjoint[t] = S + F
    } else {
      adjoint[t] = S
    }
    const D = L + B
    phiSlope += D * b
    B = phi * D
  }
  slopes[0] = alphaSlope
  slopes[1] = betaSlope
  slopes[2] = gammaSlope
  slopes[3] = phiSlope
  slopes[4] = L
  slopes[5] = B
}

function forwardMultiplied(
  { y, level, trend, season, sums }: Trace,
  form: Form,
  smoothing: Smoothing,
  from: number,
  to: number,
): boolean {
  const relative = form.error === 'M'
  const m = form.seasonLength
  const alpha = smoothing[0]!
  const beta = smoothing[1]!
  const gamma = smoothing[2]!
  const phi = smoothing[3]!
  let l = level[from]!
  let b = trend[from]!
  let squares = sums[0]!
  let product = 1
  let logs = 0
  for (let t = from; t < to; t++) {
    const d = phi * b
    const q = l + d
    const s = season[t]!
    const v = y[t]!
    if (!Number.isNaN(v)) {
      if (!(q > positiveMin && s > positiveMin)) return false
      const f = q * s
      const e = v - f
      if (relative) {
        const r = e / f
        squares += r * r
        product *= f
        if (product > productMax || product < productMin) {
          logs += Math.log(product)
          product = 1
        }
      } else {
        squares += e * e
      }
      const u = e / s
      l = q + alpha * u
      b = d + beta * u
      season[t + m] = s + (gamma * e) / q
    } else {
      l = q
      b = d
      season[t + m] = s
    }
    level[t + 1] = l
    trend[t + 1] = b
  }
  sums[0] = squares
  sums[1]! += logs + Math.log(product)
  return true
}

function backwardMultiplied(
  { y, observed, level, trend, season, adjoint, sums, slopes }: Trace,
  form: Form,
  smoothing: Smoothing,
  from: number,
  to: number,
): void {
  const relative = form.error === 'M'
  const m = form.seasonLength
  const alpha = smoothing[0]!
  const beta = smoothing[1]!
  const gamma = smoothing[2]!
  const phi = smoothing[3]!
  const pull = observed / sums[0]!
  let alphaSlope = slopes[0]!
  let betaSlope = slopes[1]!
  let gammaSlope = slopes[2]!
  let phiSlope = slopes[3]!
  let L = slopes[4]!
  let B = slopes[5]!
  for (let t = to - 1; t >= from; t--) {
    const v = y[t]!
    const b = trend[t]!
    const S = adjoint[t + m]!
    if (!Number.isNaN(v)) {
      const s = season[t]!
      const q = level[t]! + phi * b
      const f = q * s
      const e = v - f
      const u = e / s
      const w = e / q
      alphaSlope += L * u
      betaSlope += B * u
      gammaSlope += S * w
      const r = relative ? e / f : e
      const direct = relative ? (1 - pull * r * (1 + r)) / f : -pull * e
      const U = alpha * L + beta * B
      const W = gamma * S
      L += direct * s - U - (W * v) / (q * q)
      adjoint[t] = S + direct * q - W - (U * v) / (s * s)
    } else {
      adjoint[t] = S
    }
    const D = L + B
    phiSlope += D * b
    B = phi * D
  }
  slopes[0] = alphaSlope
  slopes[1] = betaSlope
  slopes[2] = gammaSlope
  slopes[3] = phiSlope
  slopes[4] = L
  slopes[5] = B
}
