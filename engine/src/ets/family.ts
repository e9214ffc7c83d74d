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
import { firstMoments, normalForecast } from '../normal-forecast.ts'
import { areFinite } from '../numeric/finite.ts'
import { done, refused } from '../outcome.ts'
import { checkEtsSeries, checkForm, checkNewer, observationsMin } from './check.ts'
import { explainEts } from './explain.ts'
import { fitEts } from './fit.ts'
import { normalMoments } from './forecast.ts'
import { continueSeries, type EtsModel, filterSeries, isSound } from './model.ts'
import { simulateEts } from './simulate.ts'
import { type EtsSpec, parseEtsSpec } from './spec.ts'
import { decodeEts, encodeEts, etsBytes, etsFormat } from './storage.ts'

/** Exponential smoothing by maximum likelihood; values may be missing. */
export const ets: Family<EtsSpec, EtsModel> = {
  name: 'ets',
  format: etsFormat,
  can: { regressors: false, observationsMin, zeros: true },
  parse: parseEtsSpec,
  check: checkEtsSeries,
  fit(series: Series, spec: EtsSpec, run: Run): Outcome<EtsModel> {
    const refusal = checkEtsSeries(series, spec)
    return refusal === undefined ? fitEts(series, spec, run) : refused(refusal)
  },
  filter(model: EtsModel, series: Series): Outcome<EtsModel> {
    const refusal = checkNewer(series.y, model.form, 0) ?? checkForm(series.y, model.form)
    return refusal === undefined ? sound(filterSeries(model, series)) : refused(refusal)
  },
  update(model: EtsModel, newer: Series): Outcome<EtsModel> {
    const refusal = checkNewer(newer.y, model.form, model.pending)
    return refusal === undefined ? sound(continueSeries(model, newer.y)) : refused(refusal)
  },
  forecast(model: EtsModel, ask: Ask): Outcome<Forecast> {
    return prepareEts(model, ask).at(ask.quantiles)
  },
  prepare: prepareEts,
  simulate(model: EtsModel, ask: Ask, paths: number, run: Run): Outcome<Float64Array> {
    const values = simulateEts(model, ask, paths, run.seed)
    return areFinite(values) ? done(values) : outOfRange('simulation')
  },
  explain(model: EtsModel, what: Explained): Outcome<Components> {
    return explainEts(model, what)
  },
  encode: encodeEts,
  decode: decodeEts,
  sizeBytes: etsBytes,
}

function prepareEts(model: EtsModel, plan: Plan): Prepared {
  const moments = normalMoments(model, plan.horizon)
  const at = (quantiles: Float64Array, horizon = plan.horizon) => {
    const forecast = normalForecast(firstMoments(moments, horizon), quantiles)
    const finite = areFinite(forecast.point, forecast.quantiles)
    return finite ? done(forecast) : outOfRange('forecast')
  }
  return { at, sizeBytes: 16 * plan.horizon }
}

function sound(model: EtsModel): Outcome<EtsModel> {
  const { observations, missing } = model
  return isSound(model) ? done(model, { observations, missing }) : outOfRange('state')
}

function outOfRange(what: string): Outcome<never> {
  return refused({
    code: 'not-finite',
    detail: `The ${what} leaves the range of numbers.`,
    remedy: 'Fit the model again, or ask for a shorter horizon.',
  })
}
