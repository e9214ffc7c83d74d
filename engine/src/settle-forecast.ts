import type { Ask, Forecast, Outcome } from './family.ts'

/**
 * Point and quantiles within the bounds that were asked for, and quantiles that never cross: the
 * distribution is censored at a bound, so its quantiles are those that were, clamped.
 */
export function settleForecast(
  outcome: Exclude<Outcome<Forecast>, { kind: 'refused' }>,
  { horizon, quantiles: asked, bounds }: Ask,
): Outcome<Forecast> {
  const { point, quantiles, notes } = outcome.value
  const lower = bounds?.lower ?? Number.NEGATIVE_INFINITY
  const upper = bounds?.upper ?? Number.POSITIVE_INFINITY
  const clamp = (value: number) => Math.min(upper, Math.max(lower, value))
  const width = asked.length
  const settled = quantiles.map(clamp)
  for (let h = 0; h < horizon; h++) {
    for (let k = 1; k < width; k++) {
      const at = h * width + k
      if (settled[at]! < settled[at - 1]!) settled[at] = settled[at - 1]!
    }
  }
  return { ...outcome, value: { point: point.map(clamp), quantiles: settled, notes } }
}
