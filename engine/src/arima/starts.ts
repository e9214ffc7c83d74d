import { limits } from '../limits.ts'
import type { Budget } from '../numeric/budget.ts'
import { normalAt } from '../numeric/random.ts'
import { maLags, type Orders, shapeCount } from './orders.ts'
import { multiply } from './parameters.ts'
import { maFromPartials, raiseOrder, realFromPartial } from './partials.ts'

/**
 * How many starts differ for some orders. ARMA likelihoods have several optima, some with a
 * positive and some with a negative θ₁, so that each start fixes the first partials of both moving
 * averages.
 */
export function startCount({ q, Q }: Orders): number {
  return q === 0 && Q === 0 ? 1 : firstPartials.length
}

/**
 * One start of the search, in the order of its vector. It undoes its moving average and takes the
 * autoregressions that the rest calls for. Undefined when the budget ends. A seed moves it a
 * little, and starts beyond `startCount` are moved far.
 */
export function makeStart(
  w: Float64Array,
  orders: Orders,
  index: number,
  budget: Budget,
  seed?: number,
): Float64Array | undefined {
  const { p, q, P, Q, seasonLength } = orders
  const distinct = startCount(orders)
  const [plain, seasonal] = firstPartials[index % distinct]!
  const maPartials = new Float64Array(q)
  const seasonalMa = new Float64Array(Q)
  if (q > 0) maPartials[0] = plain
  if (Q > 0) seasonalMa[0] = q > 0 ? seasonal : Math.abs(plain) > 0 ? plain : seasonal
  const ma = new Float64Array(maLags(orders))
  multiply(maFromPartials(maPartials), maFromPartials(seasonalMa), seasonLength, 1, ma)
  const u = whitened(w, ma, budget)
  if (u === undefined) return undefined
  const x = Float64Array.from(
    [
      ...samplePartials(u, p, 1),
      ...maPartials,
      ...samplePartials(u, P, seasonLength),
      ...seasonalMa,
    ],
    realFromPartial,
  )
  const spread = index < distinct ? (seed === undefined ? 0 : 0.1) : 0.7
  if (spread === 0) return x
  for (let i = 0; i < shapeCount(orders); i++) x[i]! += spread * normalAt(seed ?? 0, index, i)
  return x
}

/**
 * Of both moving averages, from strongly negative to strongly positive θ₁ (a partial is the
 * negative of θ₁ when q = 1). Seasonal differences mostly leave a negative Θ₁. The last one nearly
 * undoes a difference: an optimum with a slow root of its own lies there when the series has a long
 * memory.
 */
const firstPartials: readonly (readonly [number, number])[] = [
  [0, 0.5],
  [0.4, 0.5],
  [-0.4, 0.5],
  [0.8, 0.8],
  [-0.8, -0.2],
  [0.95, 0.9],
]

/** u = θ(B)⁻¹ w; missing values count as the mean, which is zero. */
function whitened(w: Float64Array, ma: Float64Array, budget: Budget): Float64Array | undefined {
  const u = new Float64Array(w.length)
  for (let from = 0; from < w.length; from += limits.pollPoints) {
    const to = Math.min(w.length, from + limits.pollPoints)
    if (!budget.spend(to - from)) return undefined
    for (let t = from; t < to; t++) {
      let value = Number.isNaN(w[t]!) ? 0 : w[t]!
      const terms = Math.min(t, ma.length)
      for (let j = 1; j <= terms; j++) value -= ma[j - 1]! * u[t - j]!
      u[t] = value
    }
  }
  return u
}

/**
 * Partial autocorrelations at multiples of a lag by Durbin and Levinson; biased autocovariances
 * keep them below 1.
 */
function samplePartials(u: Float64Array, count: number, lag: number): Float64Array {
  const gamma = new Float64Array(count + 1)
  for (let k = 0; k <= count; k++) {
    for (let t = k * lag; t < u.length; t++) gamma[k]! += u[t]! * u[t - k * lag]!
  }
  const partials = new Float64Array(count)
  const row = new Float64Array(count)
  let rest = gamma[0]!
  for (let k = 0; k < count && rest > 1e-9 * gamma[0]!; k++) {
    let sum = gamma[k + 1]!
    for (let i = 0; i < k; i++) sum -= row[i]! * gamma[k - i]!
    row[k] = sum / rest
    partials[k] = row[k]!
    raiseOrder(row, k)
    rest *= (1 - partials[k]!) * (1 + partials[k]!)
  }
  return partials
}
