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
import { done, refused } from '../outcome.ts'
import { checkPending, checkValues } from '../series/check.ts'
import { checkThetaSeries, filterTheta, fitTheta, thetaObservationsMin } from './fit.ts'
import { explainTheta, simulateTheta, thetaMoments } from './forecast.ts'
import { absorb, copyState, isSound, type ThetaModel } from './model.ts'
import { parseThetaSpec, type ThetaSpec } from './spec.ts'
import { decodeTheta, encodeTheta, thetaBytes, thetaFormat } from './storage.ts'

/** Theta models, standard, optimised and dynamic, by exact least squares; values may be missing. */
export const theta: Family<ThetaSpec, ThetaModel> = {
  name: 'theta',
  format: thetaFormat,
  can: { regressors: false, observationsMin: thetaObservationsMin, zeros: true },
  parse: parseThetaSpec,
  check: checkThetaSeries,
  fit(series: Series, spec: ThetaSpec, run: Run): Outcome<ThetaModel> {
    const refusal = checkThetaSeries(series, spec)
    return refusal === undefined ? fitTheta(series, spec, run) : refused(refusal)
  },
  filter(model: ThetaModel, series: Series): Outcome<ThetaModel> {
    const refusal = checkThetaSeries(series, model.spec)
    return refusal === undefined ? done(filterTheta(model, series.y)) : refused(refusal)
  },
  update(model: ThetaModel, { y }: Series): Outcome<ThetaModel> {
    const refusal = checkValues(y) ?? checkPending(y, model.pending)
    if (refusal !== undefined) return refused(refusal)
    const state = copyState(model)
    for (let t = 0; t < y.length; t++) absorb(state, y[t]!)
    if (!isSound(state)) {
      return refused({ code: 'not-finite', detail: 'The state leaves the range of numbers.' })
    }
    return done(state, { observations: state.observations, missing: state.missing })
  },
  forecast(model: ThetaModel, ask: Ask): Outcome<Forecast> {
    return prepareTheta(model, ask).at(ask.quantiles)
  },
  prepare: prepareTheta,
  simulate(model: ThetaModel, ask: Ask, paths: number, run: Run): Outcome<Float64Array> {
    return done(simulateTheta(model, ask.horizon, paths, run.seed))
  },
  explain(model: ThetaModel, what: Explained): Outcome<Components> {
    return done(explainTheta(model, what))
  },
  encode: encodeTheta,
  decode: decodeTheta,
  sizeBytes: thetaBytes,
}

function prepareTheta(model: ThetaModel, plan: Plan): Prepared {
  const moments = thetaMoments(model, plan.horizon)
  const at = (quantiles: Float64Array, horizon = plan.horizon) =>
    done(normalForecast(firstMoments(moments, horizon), quantiles))
  return { at, sizeBytes: 16 * plan.horizon }
}
