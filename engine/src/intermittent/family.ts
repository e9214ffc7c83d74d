import type { Ask, Explained, Family, Outcome, Run, Series } from '../family.ts'
import { done, refused } from '../outcome.ts'
import { checkValues } from '../series/check.ts'
import { checkDemands, checkNotNegative, fitDemands } from './fit.ts'
import { explainDemands, forecastDemands, simulateDemands } from './forecast.ts'
import { begin, type CrostonModel, type DemandModel, follow, type TsbModel } from './model.ts'
import {
  type CrostonSpec,
  type DemandSpec,
  parseCrostonSpec,
  parseTsbSpec,
  type TsbSpec,
} from './spec.ts'
import { decodeDemands, demandBytes, demandFormat, encodeDemands } from './storage.ts'

/** Demands that are zero in many steps, by Croston's method and its corrections. */
export const croston: Family<CrostonSpec, CrostonModel> = makeFamily('croston', parseCrostonSpec)

/** Demands that may cease, by the method of Teunter, Syntetos and Babai. */
export const tsb: Family<TsbSpec, TsbModel> = makeFamily('tsb', parseTsbSpec)

function makeFamily<Spec extends DemandSpec>(
  name: Spec['family'],
  parse: (spec: Readonly<Record<string, unknown>>) => Outcome<Spec>,
): Family<Spec, DemandModel<Spec>> {
  return {
    name,
    format: demandFormat,
    can: { regressors: false, observationsMin: 1, zeros: true },
    parse,
    check: checkDemands,
    fit(series: Series, spec: Spec, run: Run): Outcome<DemandModel<Spec>> {
      const refusal = checkDemands(series)
      return refusal === undefined ? fitDemands(series, spec, run) : refused(refusal)
    },
    filter(model: DemandModel<Spec>, series: Series): Outcome<DemandModel<Spec>> {
      const refusal = checkDemands(series)
      if (refusal !== undefined) return refused(refusal)
      return counted(follow(begin(model), series.y))
    },
    update(model: DemandModel<Spec>, { y }: Series): Outcome<DemandModel<Spec>> {
      const refusal = checkValues(y) ?? checkNotNegative(y)
      return refusal === undefined ? counted(follow(model, y)) : refused(refusal)
    },
    forecast: (model: DemandModel<Spec>, ask: Ask) => done(forecastDemands(model, ask)),
    simulate: (model: DemandModel<Spec>, ask: Ask, paths: number, run: Run) =>
      done(simulateDemands(model, ask.horizon, paths, run.seed)),
    explain: (model: DemandModel<Spec>, what: Explained) => done(explainDemands(model, what)),
    encode: (model: DemandModel<Spec>) => encodeDemands(model),
    decode: (bytes: Uint8Array) => decodeDemands(bytes, name, parse),
    sizeBytes: demandBytes,
  }
}

function counted<Spec extends DemandSpec>(model: DemandModel<Spec>): Outcome<DemandModel<Spec>> {
  return done(model, { observations: model.observations, missing: model.missing })
}
