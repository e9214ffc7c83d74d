import type { Ask, Explained, Family, Run, Series } from '../family.ts'
import { refused } from '../outcome.ts'
import { checkAdditiveSeries } from './check.ts'
import { explainAdditive } from './explain.ts'
import { fitAdditive } from './fit.ts'
import { forecastAdditive, prepareAdditive, simulateAdditive } from './forecast.ts'
import type { AdditiveModel } from './model.ts'
import { continueAdditive, endAt, firstStep } from './moves.ts'
import { type AdditiveSpec, parseAdditiveSpec } from './spec.ts'
import { additiveBytes, additiveFormat, decodeAdditive, encodeAdditive } from './storage.ts'

/** Additive regression with a trend that bends, seasons, holidays and regressors. */
export const additive: Family<AdditiveSpec, AdditiveModel> = {
  name: 'additive',
  format: additiveFormat,
  can: { regressors: true, observationsMin: 1, zeros: true },
  parse: parseAdditiveSpec,
  check: checkAdditiveSeries,
  fit(series: Series, spec: AdditiveSpec, run: Run) {
    const refusal = checkAdditiveSeries(series, spec)
    return refusal === undefined ? fitAdditive(series, spec, run) : refused(refusal)
  },
  filter(model: AdditiveModel, series: Series) {
    const refusal = checkAdditiveSeries(series, model.spec)
    if (refusal !== undefined) return refused(refusal)
    const first = firstStep(model, series)
    return first.kind === 'refused' ? first : endAt(model, first.value, series)
  },
  update: continueAdditive,
  forecast: forecastAdditive,
  prepare: prepareAdditive,
  simulate(model: AdditiveModel, ask: Ask, paths: number, run: Run) {
    return simulateAdditive(model, ask, paths, run)
  },
  explain(model: AdditiveModel, what: Explained) {
    return explainAdditive(model, what)
  },
  encode: encodeAdditive,
  decode: decodeAdditive,
  sizeBytes: additiveBytes,
}
