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
import { limits } from '../limits.ts'
import { firstMoments, normalForecast } from '../normal-forecast.ts'
import { areFinite } from '../numeric/finite.ts'
import { done, refused } from '../outcome.ts'
import { checkPending, checkValues } from '../series/check.ts'
import { cesObservationsMin, checkCesSeries, filterCes, fitCes } from './fit.ts'
import { cesMoments, explainCes, simulateCes } from './forecast.ts'
import { absorbAll, type CesModel, copyState } from './model.ts'
import { type CesSpec, parseCesSpec } from './spec.ts'
import { cesBytes, cesFormat, decodeCes, encodeCes } from './storage.ts'

/** Complex exponential smoothing with four kinds of season; values may be missing. */
export const ces: Family<CesSpec, CesModel> = {
  name: 'ces',
  format: cesFormat,
  can: { regressors: false, observationsMin: cesObservationsMin, zeros: true },
  parse: parseCesSpec,
  check: (series, spec) => checkCesSeries(series, spec),
  fit(series: Series, spec: CesSpec, run: Run): Outcome<CesModel> {
    const refusal = checkCesSeries(series, spec)
    return refusal === undefined ? fitCes(series, spec, run) : refused(refusal)
  },
  filter(model: CesModel, series: Series): Outcome<CesModel> {
    const { spec, seasonLength } = model
    const refusal = checkCesSeries(series, spec, seasonLength)
    return refusal === undefined ? inRange(filterCes(model, series.y)) : refused(refusal)
  },
  update(model: CesModel, { y }: Series): Outcome<CesModel> {
    const refusal = checkValues(y) ?? checkPending(y, model.pending)
    if (refusal !== undefined) return refused(refusal)
    const state = copyState(model)
    absorbAll(state, y)
    return inRange(state)
  },
  forecast(model: CesModel, ask: Ask): Outcome<Forecast> {
    return prepareCes(model, ask).at(ask.quantiles)
  },
  prepare: prepareCes,
  simulate(model: CesModel, ask: Ask, paths: number, run: Run): Outcome<Float64Array> {
    const values = simulateCes(model, ask.horizon, paths, run.seed)
    return areFinite(values) ? done(values) : refused(outOfRange)
  },
  explain(model: CesModel, what: Explained): Outcome<Components> {
    return done(explainCes(model, what))
  },
  encode: encodeCes,
  decode: decodeCes,
  sizeBytes: cesBytes,
}

function prepareCes(model: CesModel, plan: Plan): Prepared {
  const moments = cesMoments(model, plan.horizon)
  const at = (quantiles: Float64Array, horizon = plan.horizon) => {
    const forecast = normalForecast(firstMoments(moments, horizon), quantiles)
    const finite = areFinite(forecast.point, forecast.quantiles)
    return finite ? done(forecast) : refused(outOfRange)
  }
  return { at, sizeBytes: 16 * plan.horizon }
}

const outOfRange = {
  code: 'not-finite',
  detail: 'The forecast leaves the range of numbers.',
  remedy: 'Ask for a shorter horizon, or fit the model again.',
} as const

/** The level of a growing series may leave the numbers over a long gap. */
function inRange(model: CesModel): Outcome<CesModel> {
  const inside = model.state.every((value) => Math.abs(value) <= limits.stateMagnitudeMax)
  if (!inside) return refused(outOfRange)
  return done(model, { observations: model.observations, missing: model.missing })
}
