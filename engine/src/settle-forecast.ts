import { keptWithin } from './bounds.ts'
import type { Ask, Forecast, Outcome } from './family.ts'

/**
 * Point and quantiles within the bounds that were asked for, and quantiles that never cross: the
 * distribution is censored at a bound, so its quantiles are those that were, clamped. Who settles
 * many forecasts of one model says how a point is kept within the bounds (`keeperWithin`).
 */
export function settleForecast(
  outcome: Exclude<Outcome<Forecast>, { kind: 'refused' }>,
  { quantiles: asked, bounds }: Ask,
  keepPoint?: (point: Float64Array) => Float64Array,
): Outcome<Forecast> {
  const { point, quantiles, notes } = outcome.value
  if (bounds === undefined) {
    if (ascends(quantiles, asked.length)) return outcome
    return { ...outcome, value: { point, quantiles: raised(quantiles, asked.length), notes } }
  }
  const within = keepPoint?.(point) ?? keptWithin(point, bounds)
  const settled = raised(keptWithin(quantiles, bounds), asked.length)
  return { ...outcome, value: { point: within, quantiles: settled, notes } }
}

function ascends(rows: Float64Array, width: number): boolean {
  for (let from = 0; from < rows.length; from += width) {
    for (let at = from + 1; at < from + width; at++) if (rows[at]! < rows[at - 1]!) return false
  }
  return true
}

function raised(rows: Float64Array, width: number): Float64Array {
  const settled = rows.slice()
  for (let from = 0; from < rows.length; from += width) {
    for (let at = from + 1; at < from + width; at++) {
      if (settled[at]! < settled[at - 1]!) settled[at] = settled[at - 1]!
    }
  }
  return settled
}
