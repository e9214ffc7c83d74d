// Quantiles are asked for by probability, levels in percent by `levelQuantiles`. Bounds hold for
// the point and for every quantile.
import { fitModel, forecastModel, levelQuantiles, parseSpec } from '@almanac/engine'
import { resultOf, shown } from './support/outcome.ts'

const sold = Float64Array.from({ length: 60 }, (_, day) => 6 + 5 * Math.sin(day * day) - day / 12)
const spec = resultOf(parseSpec({ family: 'ets' }))
const model = resultOf(fitModel({ y: sold }, spec, { seed: 1, workMax: 1e9 }))

const quantiles = levelQuantiles([80, 95]) // 0.025, 0.1, 0.9, 0.975
const free = resultOf(forecastModel(model, { horizon: 3, quantiles }))
const bounded = resultOf(forecastModel(model, { horizon: 3, quantiles, bounds: { lower: 0 } }))
for (const forecast of [free, bounded]) {
  for (let h = 0; h < 3; h++) {
    // Row-major: one row of quantiles for each step.
    const row = forecast.quantiles.subarray(h * quantiles.length, (h + 1) * quantiles.length)
    console.log(`step ${h + 1}: ${shown([forecast.point[h]!])}, bounds ${shown(row)}`)
  }
}
