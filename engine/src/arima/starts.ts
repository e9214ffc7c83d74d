import { maFromPartials, realFromPartial } from './partials.ts'

/**
 * Where the search for the optimum starts, as partials through the inverse of the transform: p for
 * the autoregressive part, then q for the moving average. ARMA likelihoods have several optima, some
 * with a positive and some with a negative θ₁, so that each start fixes a first partial of the moving
 * average, undoes it, and takes the autoregression that the rest calls for.
 */
export function makeStarts(w: Float64Array, p: number, q: number): Float64Array[] {
  const leads = q === 0 ? [0] : firstPartials
  return leads.map((lead) => {
    const maPartials = new Float64Array(q)
    if (q > 0) maPartials[0] = lead
    const whitened = undoMovingAverage(w, maFromPartials(maPartials))
    const arPartials = samplePartials(whitened, p)
    return Float64Array.from([...arPartials, ...maPartials], realFromPartial)
  })
}

/** From strongly negative to strongly positive θ₁ (a partial is the negative of θ₁ when q = 1). */
const firstPartials: readonly number[] = [0, 0.4, -0.4, 0.8, -0.8]

/** u = θ(B)⁻¹ w; missing values count as the mean, which is zero. */
function undoMovingAverage(w: Float64Array, ma: Float64Array): Float64Array {
  const u = new Float64Array(w.length)
  for (let t = 0; t < w.length; t++) {
    let value = Number.isNaN(w[t]!) ? 0 : w[t]!
    const terms = Math.min(t, ma.length)
    for (let j = 1; j <= terms; j++) value -= ma[j - 1]! * u[t - j]!
    u[t] = value
  }
  return u
}

/** Sample partial autocorrelations by Durbin and Levinson; biased autocovariances keep them below 1. */
function samplePartials(w: Float64Array, p: number): Float64Array {
  const gamma = new Float64Array(p + 1)
  for (let k = 0; k <= p; k++) {
    for (let t = k; t < w.length; t++) gamma[k]! += w[t]! * w[t - k]!
  }
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
