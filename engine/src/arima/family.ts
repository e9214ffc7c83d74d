import { futureColumns } from '../check-input.ts'
import type {
  Ask,
  Components,
  Explained,
  Family,
  Forecast,
  Outcome,
  Run,
  Series,
} from '../family.ts'
import { done, refused } from '../outcome.ts'
import { checkValues } from '../series/check.ts'
import { checkArimaSeries, checkForOrders, checkPending, checkRegressors } from './check.ts'
import { explainArima } from './explain.ts'
import { fitArima } from './fit.ts'
import { forecastArima } from './forecast.ts'
import { type ArimaModel, continueSeries, filterSeries } from './model.ts'
import { simulateArima } from './simulate.ts'
import { type ArimaSpec, parseArimaSpec } from './spec.ts'
import { arimaBytes, arimaFormat, decodeArima, encodeArima } from './storage.ts'

/** ARIMA by exact maximum likelihood on the differenced series; values may be missing. */
export const arima: Family<ArimaSpec, ArimaModel> = {
  name: 'arima',
  format: arimaFormat,
  can: { regressors: true, observationsMin: 3, zeros: true },
  parse: parseArimaSpec,
  check: checkArimaSeries,
  fit(series: Series, spec: ArimaSpec, run: Run): Outcome<ArimaModel> {
    const refusal = checkArimaSeries(series, spec)
    return refusal === undefined ? fitArima(series, spec, run) : refused(refusal)
  },
  forecast(model: ArimaModel, ask: Ask): Outcome<Forecast> {
    const found = futureColumns(model.spec.regressors, ask)
    if ('refusal' in found) return refused(found.refusal)
    const forecast = forecastArima(model, ask, found.columns)
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
    const fault = checkValues(newer.y) ?? checkRegressors(newer, model.spec)
    const refusal = fault ?? checkPending(newer.y, model.pending)
    if (refusal !== undefined) return refused(refusal)
    const next = continueSeries(model, newer)
    return done(next, { observations: next.observations, missing: next.missing })
  },
  filter(model: ArimaModel, series: Series): Outcome<ArimaModel> {
    const refusal = checkForOrders(series, model.spec, model.orders)
    return refusal === undefined ? done(filterSeries(model, series)) : refused(refusal)
  },
  simulate(model: ArimaModel, ask: Ask, paths: number, run: Run): Outcome<Float64Array> {
    const found = futureColumns(model.spec.regressors, ask)
    if ('refusal' in found) return refused(found.refusal)
    return done(simulateArima(model, ask.horizon, paths, run.seed, found.columns))
  },
  explain(model: ArimaModel, what: Explained): Outcome<Components> {
    return explainArima(model, what)
  },
  encode: encodeArima,
  decode: decodeArima,
  sizeBytes: arimaBytes,
}
