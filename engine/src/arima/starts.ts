import { limits } from '../limits.ts'
import type { Budget } from '../numeric/budget.ts'
import { maFromPartials, realFromPartial } from './partials.ts'

/**
 * How many starts a search needs. ARMA likelihoods have several optima, some with a positive and
 * some with a negative θ₁, so that each start fixes a first partial of the moving average.
 */
export function startCount(q: number): number {
  return q === 0 ? 1 : firstPartials.length
}

/**
 * One start of the search, as partials through the inverse of the transform: p for the
 * autoregressive part, then q for the moving average. It undoes its moving average and takes the
 * autoregression that the rest calls for. Undefined when the budget ends.
 */
export function makeStart(
  w: Float64Array,
  p: number,
  q: number,
  index: number,
  budget: Budget,
): Float64Array | undefined {
  const maPartials = new Float64Array(q)
  if (q > 0) maPartials[0] = firstPartials[index]!
  const gamma = whitenedAutocovariances(w, maFromPartials(maPartials), p, budget)
  if (gamma === undefined) return undefined
  return Float64Array.from([...samplePartials(gamma), ...maPartials], realFromPartial)
}

/** From strongly negative to strongly positive θ₁ (a partial is the negative of θ₁ when q = 1). */
const firstPartials: readonly number[] = [0, 0.4, -0.4, 0.8, -0.8]

/** Of u = θ(B)⁻¹ w; missing values count as the mean, which is zero. */
function whitenedAutocovariances(
  w: Float64Array,
  ma: Float64Array,
  p: number,
  budget: Budget,
): Float64Array | undefined {
  const u = new Float64Array(w.length)
  const gamma = new Float64Array(p + 1)
  for (let from = 0; from < w.length; from += limits.pollPoints) {
    const to = Math.min(w.length, from + limits.pollPoints)
    if (!budget.spend(to - from)) return undefined
    for (let t = from; t < to; t++) {
      let value = Number.isNaN(w[t]!) ? 0 : w[t]!
      const terms = Math.min(t, ma.length)
      for (let j = 1; j <= terms; j++) value -= ma[j - 1]! * u[t - j]!
      u[t] = value
      const lags = Math.min(t, p)
      for (let k = 0; k <= lags; k++) gamma[k]! += value * u[t - k]!
    }
  }
  return gamma
}

/** Partial autocorrelations by Durbin and Levinson; biased autocovariances keep them below 1. */
function samplePartials(gamma: Float64Array): Float64Array {
  const p = gamma.length - 1
  const partials = new Float64Array(p)
  let row = new Float64Array(0)
  let rest = gamma[0]!
  for (let k = 0; k < p && rest > 1e-9 * gamma[0]!; k++) {
    let sum = gamma[k + 1]!
    for (let i = 0; i < k; i++) sum -= row[i]! * gamma[k - i]!
    const partial = sum / rest
    const next = new Float64Array(k + 1)
    for (let i = 0; i < k; i++) next[i] = row[i]! - partial * row[k - 1 - i]!
    next[k] = partial
    row = next
    partials[k] = partial
    rest *= 1 - partial * partial
  }
  return partials
}
