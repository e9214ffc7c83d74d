import type { Ask, Components, Explained, Forecast } from '../family.ts'
import { uniformAt } from '../numeric/random.ts'
import { demandQuantiles } from './distribution.ts'
import { absorb, begin, type DemandModel, rateOf } from './model.ts'
import type { DemandSpec } from './spec.ts'

/**
 * The same for every step. The point is the mean rate unless the median is asked for by name: the
 * median of a series that is mostly zero says nothing.
 */
export function forecastDemands<Spec extends DemandSpec>(
  model: DemandModel<Spec>,
  { horizon, quantiles: asked, point: wanted }: Ask,
): Forecast {
  const quantile = demandQuantiles(model)
  const values = asked.map(quantile)
  const quantiles = new Float64Array(horizon * asked.length)
  for (let h = 0; h < horizon; h++) quantiles.set(values, h * asked.length)
  const point = new Float64Array(horizon).fill(wanted === 'median' ? quantile(0.5) : rateOf(model))
  return { point, quantiles, notes: wanted === undefined ? [meanNote] : [] }
}

/** Demands are independent from step to step: each is the quantile of one uniform number. */
export function simulateDemands<Spec extends DemandSpec>(
  model: DemandModel<Spec>,
  horizon: number,
  paths: number,
  seed: number,
): Float64Array {
  const quantile = demandQuantiles(model)
  const values = new Float64Array(paths * horizon)
  for (let path = 0; path < paths; path++) {
    for (let h = 0; h < horizon; h++) {
      values[path * horizon + h] = quantile(uniformAt(seed, path, h))
    }
  }
  return values
}

/** One part alone: the rate that was expected. There is none before Croston's first demand. */
export function explainDemands<Spec extends DemandSpec>(
  model: DemandModel<Spec>,
  what: Explained,
): Components {
  if ('ask' in what) {
    const { point } = forecastDemands(model, what.ask)
    return { total: point, parts: { rate: point.slice() } }
  }
  const state = begin(model)
  const total = what.series.y.map((value) => {
    const rate = state.size > 0 ? rateOf(state) : Number.NaN
    absorb(state, value)
    return rate
  })
  return { total, parts: { rate: total.slice() } }
}

const meanNote = {
  code: 'point-is-mean',
  detail: 'The point is the mean demand per step; the median of such a series is often zero.',
}
