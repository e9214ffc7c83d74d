import { describe, expect, test } from 'vitest'
import { etsAt } from '../../src/ets/fit.ts'
import { criteriaOf } from '../../src/ets/select.ts'
import {
  explainModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
} from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { moreReferences } from './chosen.ts'
import { etsSpecOf, formOf } from './forms.ts'
import { type Reference, references } from './references.ts'
import { referenceSeries } from './series.ts'

/**
 * The conventions of the others, next to ours. R: the same recursion, likelihood, count of
 * parameters and variance (Σ r² over n less the parameters, the variance not among them);
 * smoothing parameters stay off their bounds by 1e-4, ours reach them. Statsforecast: as R.
 * Statsmodels: constants in the likelihood; first seasons whose sum is free, which changes no fit.
 * Excluded: forecasts of damped trends with multiplicative seasons by R, which take the first step
 * undamped (l + b where the model has l + φ b), and bounds of additive seasons without a trend by
 * R, which count the season's own weight γ at step m instead of m + 1; our variances there are
 * held against simulation instead.
 */
const all = [...references, ...moreReferences]
const run = { seed: 1, workMax: 1e9 }

describe.each(all)('$name', (reference) => {
  const series = seriesOf(reference)
  const { bounds = 'both' } = reference
  const spec = etsSpecOf(reference.form, { bounds })

  test('our optimum is not lower', () => {
    const fit = fitModel(series, spec, run)
    if (fit.kind !== 'done') throw new Error(fit.kind)
    const theirs = reference.states === undefined ? reference.logLikelihood : at(reference)
    expect(fit.report.logLikelihood).toBeGreaterThan(theirs - 1e-3)
    expect(fit.report.converged).toBe('yes')
  })
})

function at(reference: Reference): number {
  return modelAt(reference).logLikelihood
}

const placed = all.filter(({ states }) => states !== undefined)

describe.each(placed)('$name, at its parameters', (reference) => {
  test('has the same likelihood within 1e-6', () => {
    expect(Math.abs(at(reference) / reference.logLikelihood - 1)).toBeLessThan(1e-6)
  })

  const { mean, low95, forecastDiffers } = reference
  if (mean === undefined || forecastDiffers?.includes('damped')) return
  test('has the same forecasts and bounds within 1e-6', () => {
    const { model } = modelAt(reference)
    const ask = { horizon: mean.length, quantiles: levelQuantiles([95]) }
    const forecast = doneValue(forecastModel(model, ask))
    for (let h = 0; h < mean.length; h++) {
      expect(Math.abs(forecast.point[h]! / mean[h]! - 1), `step ${h}`).toBeLessThan(1e-6)
      if (low95 === undefined) continue
      if (forecastDiffers !== undefined && h + 1 >= reference.season) continue
      const width = forecast.point[h]! - forecast.quantiles[2 * h]!
      expect(Math.abs(width / (mean[h]! - low95[h]!) - 1), `width ${h}`).toBeLessThan(1e-6)
    }
  })
})

/** The likelihood is a function of the one-step fits alone; these are those of the explanation. */
test.each(placed)('$name: one-step fits give the likelihood of the reference', (reference) => {
  const { model } = modelAt(reference)
  const series = seriesOf(reference)
  const fits = doneValue(explainModel(model, { series })).total
  let squares = 0
  let logs = 0
  series.y.forEach((value, t) => {
    const relative = model.form.error === 'M'
    squares += ((value - fits[t]!) / (relative ? fits[t]! : 1)) ** 2
    if (relative) logs += Math.log(Math.abs(fits[t]!))
  })
  const logLikelihood = -0.5 * series.y.length * Math.log(squares) - logs
  expect(Math.abs(logLikelihood / reference.logLikelihood - 1)).toBeLessThan(1e-6)
})

const chosen = all.filter(({ automaticAicc }) => automaticAicc !== undefined)

test.each(chosen)('$name: the form that we choose has no higher AICc', (reference) => {
  const spec = doneValue(parseSpec({ family: 'ets', bounds: reference.bounds ?? 'both' }))
  const fit = fitModel(seriesOf(reference), spec, run)
  if (fit.kind !== 'done') throw new Error(fit.kind)
  expect(fit.report.aicc).toBeLessThan(reference.automaticAicc! + 2e-3)
})

const placedAndChosen = chosen.filter(({ states }) => states !== undefined)

test.each(placedAndChosen)('$name: parameters are counted as there', (reference) => {
  const { model, logLikelihood } = modelAt(reference)
  const { aicc } = criteriaOf(logLikelihood, model.form, model.observations)
  expect(Math.abs(aicc / reference.automaticAicc! - 1)).toBeLessThan(1e-6)
})

test.each(references)('$name: a fit reports the likelihood of its model', (reference) => {
  const series = seriesOf(reference)
  const spec = etsSpecOf(reference.form)
  const fit = fitModel(series, spec, run)
  if (fit.kind !== 'done' || fit.value.family !== 'ets') throw new Error(fit.kind)
  const { form, smoothing, initial, scale } = fit.value
  const states = initial.map((value, i) => (form.season === 'M' && i > 1 ? value : value * scale))
  const placed = etsAt(series, spec, form, smoothing, states)
  expect(fit.report.logLikelihood).toBeCloseTo(placed.logLikelihood, 8)
  expect(fit.report.aicc).toBeCloseTo(
    criteriaOf(placed.logLikelihood, form, series.y.length).aicc,
    8,
  )
})

test('ETS(M,A,M) of AirPassengers reaches -675.99 from each of 20 seeds', () => {
  const y = Float64Array.from(referenceSeries.AirPassengers!)
  for (let seed = 0; seed < 20; seed++) {
    const fit = fitModel({ y, seasons: [12] }, etsSpecOf('MAM'), { ...run, seed })
    if (fit.kind !== 'done') throw new Error(fit.kind)
    expect(fit.report.logLikelihood, `seed ${seed}`).toBeGreaterThanOrEqual(-675.99)
  }
})

function modelAt(reference: Reference) {
  const spec = etsSpecOf(reference.form)
  const form = formOf(reference.form, reference.season)
  const smoothing = Float64Array.from(reference.smoothing!)
  const states = Float64Array.from(reference.states!)
  return etsAt(seriesOf(reference), spec, form, smoothing, states)
}

function seriesOf({ series, season }: Reference) {
  const y = Float64Array.from(referenceSeries[series]!)
  return { y, seasons: season > 1 ? [season] : [] }
}
