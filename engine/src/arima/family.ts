import { futureColumns } from '../check-input.ts'
import type {
  Ask,
  Components,
  Explained,
  Family,
  Forecast,
  Outcome,
  Plan,
  Prepared,
  Run,
  Series,
} from '../family.ts'
import { firstMoments, type Moments, normalForecast } from '../normal-forecast.ts'
import { areFinite } from '../numeric/finite.ts'
import { done, refused } from '../outcome.ts'
import { inverseBoxCox } from '../series/box-cox.ts'
import { checkPending, checkValues } from '../series/check.ts'
import { checkArimaSeries, checkForOrders, checkRegressors } from './check.ts'
import { checkTransform, designed, designedAsk, settledSpec, stepsOf } from './design/design.ts'
import { spreadProbability, undoComponents, undoForecast } from './design/undo.ts'
import { explainArima } from './explain.ts'
import { fitArima } from './fit.ts'
import { momentsArima } from './forecast.ts'
import { type ArimaModel, continueSeries, filterSeries, isSound } from './model.ts'
import { fitSelected } from './select/fit.ts'
import { simulateArima } from './simulate.ts'
import { type ArimaSpec, parseArimaSpec } from './spec.ts'
import { arimaBytes, arimaFormat, decodeArima, encodeArima } from './storage.ts'

/**
 * ARIMA by exact maximum likelihood on the differenced series; values may be missing. Orders may be
 * chosen, the series transformed, and seasons be Fourier terms: those the design makes and undoes,
 * around models that know only a series and its regressors.
 */
export const arima: Family<ArimaSpec, ArimaModel> = {
  name: 'arima',
  format: arimaFormat,
  can: { regressors: true, observationsMin: 3, zeros: true },
  parse: parseArimaSpec,
  check(series: Series, spec: ArimaSpec) {
    const settled = settledSpec(spec, series)
    // What is chosen needs no more than a mean does.
    const least = spec.select ? { ...settled, constant: true } : settled
    return checkTransform(series, settled) ?? checkArimaSeries(designed(series, settled, 0), least)
  },
  fit(series: Series, spec: ArimaSpec, run: Run): Outcome<ArimaModel> {
    const refusal = arima.check(series, spec)
    if (refusal !== undefined) return refused(refusal)
    const settled = settledSpec(spec, series)
    const made = designed(series, settled, 0)
    return spec.select ? fitSelected(made, settled, run) : fitArima(made, settled, run)
  },
  forecast(model: ArimaModel, ask: Ask): Outcome<Forecast> {
    return prepareArima(model, ask).at(ask.quantiles)
  },
  prepare: prepareArima,
  update(model: ArimaModel, newer: Series): Outcome<ArimaModel> {
    const { spec } = model
    const made = designed(newer, spec, stepsOf(model))
    const fault = checkValues(newer.y) ?? checkTransform(newer, spec) ?? checkRegressors(made, spec)
    const refusal = fault ?? checkPending(newer.y, model.pending)
    if (refusal !== undefined) return refused(refusal)
    const next = continueSeries(model, made)
    if (!isSound(next)) return outOfRange('state')
    return done(next, { observations: next.observations, missing: next.missing })
  },
  filter(model: ArimaModel, series: Series): Outcome<ArimaModel> {
    const made = designed(series, model.spec, 0)
    const fault = checkTransform(series, model.spec)
    const refusal = fault ?? checkForOrders(made, model.spec, model.orders)
    if (refusal !== undefined) return refused(refusal)
    const filtered = filterSeries(model, made)
    return isSound(filtered) ? done(filtered) : outOfRange('state')
  },
  simulate(model: ArimaModel, ask: Ask, paths: number, run: Run): Outcome<Float64Array> {
    const found = futureColumns(model.spec.regressors, designedAsk(ask, model))
    if ('refusal' in found) return refused(found.refusal)
    const values = simulateArima(model, ask.horizon, paths, run.seed, found.columns)
    const { boxCox: lambda } = model.spec
    if (typeof lambda !== 'number') return done(values)
    return done(values.map((value) => inverseBoxCox(value, lambda)))
  },
  explain(model: ArimaModel, what: Explained): Outcome<Components> {
    if ('ask' in what) {
      const components = explainArima(model, { ask: designedAsk(what.ask, model) })
      if (components.kind === 'refused') return components
      return done(undoComponents(components.value, model, stepsOf(model)))
    }
    const refusal = checkTransform(what.series, model.spec)
    if (refusal !== undefined) return refused(refusal)
    const components = explainArima(model, { series: designed(what.series, model.spec, 0) })
    if (components.kind === 'refused') return components
    return done(undoComponents(components.value, model, 0))
  },
  encode: encodeArima,
  decode: decodeArima,
  sizeBytes: arimaBytes,
}

function outOfRange(what: string): Outcome<never> {
  return refused({
    code: 'not-finite',
    detail: `The ${what} leaves the range of numbers.`,
    remedy: 'Ask for a shorter horizon, or fit the model again.',
  })
}

function prepareArima(model: ArimaModel, plan: Plan): Prepared {
  const found = futureColumns(
    model.spec.regressors,
    designedAsk({ ...plan, quantiles: new Float64Array(0) }, model),
  )
  if ('refusal' in found) return { at: () => refused(found.refusal), sizeBytes: 0 }
  const moments = momentsArima(model, plan.horizon, found.columns)
  const at = (quantiles: Float64Array, horizon = plan.horizon) => {
    const ask = { ...plan, horizon, quantiles }
    const forecast = backTransformed(model, ask, firstMoments(moments, horizon))
    const finite = areFinite(forecast.point, forecast.quantiles)
    return finite ? done(forecast) : outOfRange('forecast')
  }
  return { at, sizeBytes: 16 * (plan.horizon + model.pending + model.levels.length) }
}

function backTransformed(model: ArimaModel, ask: Ask, moments: Moments): Forecast {
  const forecast = normalForecast(moments, ask.quantiles)
  const { boxCox: lambda } = model.spec
  if (typeof lambda !== 'number') return forecast
  const spread = normalForecast(moments, Float64Array.of(spreadProbability)).quantiles
  return undoForecast(forecast, spread, lambda, ask)
}
