import {
  decodeModel,
  encodeModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
} from '@almanac/engine'

/** Fits a series by days, stores the model as bytes, and forecasts a week with 80% bounds. */
export function forecastWeek(temperatures: readonly (number | null)[]) {
  const y = Float64Array.from(temperatures, (value) => value ?? Number.NaN)
  const spec = parseSpec({ family: 'automatic' })
  if (spec.kind === 'refused') return spec.reason

  const fit = fitModel({ y, seasons: [7, 365] }, spec.value, { seed: 1, workMax: 1e9 })
  if (fit.kind === 'refused') return fit.reason
  const bytes = encodeModel(fit.value)

  const model = decodeModel(bytes)
  if (model.kind === 'refused') return model.reason
  const forecast = forecastModel(model.value, { horizon: 7, quantiles: levelQuantiles([80]) })
  return forecast.kind === 'refused' ? forecast.reason : forecast.value
}
