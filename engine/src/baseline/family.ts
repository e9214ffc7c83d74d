import type { Ask, Components, Explained, Family, Outcome, Run, Series } from '../family.ts'
import { done, refused } from '../outcome.ts'
import { checkPending, checkValues } from '../series/check.ts'
import { explainBaseline } from './explain.ts'
import { checkBaselineSeries, filterBaseline, fitBaseline } from './fit.ts'
import { forecastBaseline, simulateBaseline } from './forecast.ts'
import { absorb, type BaselineModel, copyState } from './model.ts'
import { type BaselineSpec, parseBaselineSpec } from './spec.ts'
import { baselineBytes, baselineFormat, decodeBaseline, encodeBaseline } from './storage.ts'

/** What any other family has to beat: naive, seasonal naive, drift, mean, window. */
export const baseline: Family<BaselineSpec, BaselineModel> = {
  name: 'baseline',
  format: baselineFormat,
  can: { regressors: false, observationsMin: 1, zeros: true },
  parse: parseBaselineSpec,
  check: (series, spec) => checkBaselineSeries(series, spec),
  fit(series: Series, spec: BaselineSpec, run: Run): Outcome<BaselineModel> {
    const refusal = checkBaselineSeries(series, spec)
    return refusal === undefined ? fitBaseline(series, spec, run) : refused(refusal)
  },
  filter(model: BaselineModel, series: Series): Outcome<BaselineModel> {
    const refusal = checkBaselineSeries(series, model.spec, model.seasonLength)
    return refusal === undefined ? done(filterBaseline(model, series.y)) : refused(refusal)
  },
  update(model: BaselineModel, { y }: Series): Outcome<BaselineModel> {
    const refusal = checkValues(y) ?? checkPending(y, trailingOf(model))
    if (refusal !== undefined) return refused(refusal)
    const state = copyState(model)
    for (let t = 0; t < y.length; t++) absorb(state, y[t]!)
    return done(state, { observations: state.observations, missing: state.missing })
  },
  forecast(model: BaselineModel, ask: Ask) {
    return done(forecastBaseline(model, ask))
  },
  simulate(model: BaselineModel, ask: Ask, paths: number, run: Run): Outcome<Float64Array> {
    return done(simulateBaseline(model, ask.horizon, paths, run.seed))
  },
  explain(model: BaselineModel, what: Explained): Outcome<Components> {
    return done(explainBaseline(model, what))
  },
  encode: encodeBaseline,
  decode: decodeBaseline,
  sizeBytes: baselineBytes,
}

/** Steps that are missing at the end. */
function trailingOf({ ages, seasonLength, observations, missing }: BaselineModel): number {
  const end = observations + missing
  let steps = 0
  while (steps < missing && ages[(end - 1 - steps) % seasonLength]! * seasonLength > steps) steps++
  return steps
}
