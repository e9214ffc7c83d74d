import type { Ask, Components, Explained, Family, Outcome, Plan, Run, Series } from '../family.ts'
import { refused } from '../outcome.ts'
import { checkValues } from '../series/check.ts'
import { explainMstl } from './explain.ts'
import { checkMstlSeries, fitMstl } from './fit.ts'
import { prepareMstl, simulateMstl } from './forecast.ts'
import { continueMstl, filterMstl, logFault, type MstlModel } from './model.ts'
import { type MstlSpec, parseMstlSpec } from './spec.ts'
import { decodeMstl, encodeMstl, mstlBytes, mstlFormat } from './storage.ts'

/** Several seasons by MSTL, and any family that stands alone on the series without them. */
export const mstl: Family<MstlSpec, MstlModel> = {
  name: 'mstl',
  format: mstlFormat,
  can: { regressors: false, observationsMin: 1, zeros: true },
  parse: parseMstlSpec,
  check: checkMstlSeries,
  fit(series: Series, spec: MstlSpec, run: Run): Outcome<MstlModel> {
    const refusal = checkMstlSeries(series, spec)
    return refusal === undefined ? fitMstl(series, spec, run) : refused(refusal)
  },
  filter(model: MstlModel, series: Series): Outcome<MstlModel> {
    const refusal = checkMstlSeries(series, model.spec)
    return refusal === undefined ? filterMstl(model, series) : refused(refusal)
  },
  update(model: MstlModel, newer: Series): Outcome<MstlModel> {
    const refusal = checkValues(newer.y) ?? logFault(newer.y, model.spec)
    return refusal === undefined ? continueMstl(model, newer) : refused(refusal)
  },
  forecast: (model: MstlModel, ask: Ask, run: Run) =>
    prepareMstl(model, ask, run).at(ask.quantiles),
  prepare: (model: MstlModel, plan: Plan, run: Run) => prepareMstl(model, plan, run),
  simulate: (model: MstlModel, ask: Ask, paths: number, run: Run) =>
    simulateMstl(model, ask, paths, run),
  explain(model: MstlModel, what: Explained): Outcome<Components> {
    const refusal = 'series' in what ? checkMstlSeries(what.series, model.spec) : undefined
    return refusal === undefined ? explainMstl(model, what) : refused(refusal)
  },
  encode: encodeMstl,
  decode: decodeMstl,
  sizeBytes: mstlBytes,
}
