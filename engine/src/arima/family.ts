import type { Ask, Family, Forecast, Outcome, Run, Series } from '../family.ts'
import { done, refused } from '../outcome.ts'
import { checkArimaSeries, checkPending, checkValues } from './check.ts'
import { fitArima } from './fit.ts'
import { forecastArima } from './forecast.ts'
import { type ArimaModel, continueSeries } from './model.ts'
import { type ArimaSpec, parseArimaSpec } from './spec.ts'
import { arimaBytes, arimaFormat, decodeArima, encodeArima } from './storage.ts'

/** ARIMA by exact maximum likelihood on the differenced series; values may be missing. */
export const arima: Family<ArimaSpec, ArimaModel> = {
  name: 'arima',
  format: arimaFormat,
  parse: parseArimaSpec,
  check: checkArimaSeries,
  fit(series: Series, spec: ArimaSpec, run: Run): Outcome<ArimaModel> {
    const refusal = checkArimaSeries(series, spec)
    return refusal === undefined ? fitArima(series, spec, run) : refused(refusal)
  },
  forecast(model: ArimaModel, ask: Ask): Outcome<Forecast> {
    const forecast = forecastArima(model, ask)
    if (forecast.point.every(Number.isFinite) && forecast.quantiles.every(Number.isFinite)) {
      return done(forecast)
    }
    return refused({
      code: 'not-finite',
      detail: 'The forecast leaves the range of numbers.',
      remedy: 'Ask for a shorter horizon, or fit the model again.',
    })
  },
  update(model: ArimaModel, newer: Series): Outcome<ArimaModel> {
    const refusal = checkValues(newer.y) ?? checkPending(newer.y, model.pending)
    if (refusal !== undefined) return refused(refusal)
    const next = continueSeries(model, newer.y)
    return done(next, { observations: next.observations, missing: next.missing })
  },
  encode: encodeArima,
  decode: decodeArima,
  sizeBytes: arimaBytes,
}
