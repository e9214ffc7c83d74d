import { describe, expect, test } from 'vitest'
import { arimaAt } from '../../src/arima/fit.ts'
import { makeFilter, stepFilter } from '../../src/arima/kalman.ts'
import type { ArimaModel } from '../../src/arima/model.ts'
import { operatorOf } from '../../src/arima/orders.ts'
import { armaFromCoefficients } from '../../src/arima/parameters.ts'
import { ordersOf } from '../../src/arima/spec.ts'
import { explainModel, fitModel, forecastModel, levelQuantiles } from '../../src/index.ts'
import { difference } from '../../src/series/difference.ts'
import { doneValue } from '../expect-done.ts'
import { denseLogLikelihood } from './dense.ts'
import { specOf } from './models.ts'
import {
  type SeasonalReference,
  seasonalReferences,
  seasonalSeries,
} from './seasonal-references.ts'
import { vagueLogLikelihood } from './vague.ts'

const run = { seed: 1, workMax: 1e9 }

describe.each(seasonalReferences)('$name', (reference) => {
  const { mean, low95, fitted } = reference
  const { series, spec, arma } = partsOf(reference)
  const at = () => arimaAt(series, spec, arma, reference.given)

  test('the likelihood at its parameters agrees within 1e-6, under its own start', () => {
    const operator = operatorOf(ordersOf(spec, {}))
    const theirs =
      reference.start === 'exact'
        ? at().logLikelihood
        : vagueLogLikelihood(series.y, arma, operator)
    expect(Math.abs(theirs / reference.logLikelihood - 1)).toBeLessThan(1e-6)
  })

  test('the likelihood at its parameters is that of the dense covariance', () => {
    const { logLikelihood, model } = at()
    const rest = series.y.map((value, t) => value - (model.beta[0] ?? 0) * series.x.trend[t]!)
    const w = difference(operatorOf(model.orders), rest)
    const dense = denseLogLikelihood(w, arma, model.scale * model.mean)
    expect(Math.abs(logLikelihood / dense - 1)).toBeLessThan(1e-9)
  })

  test('our optimum is not lower, from any of 20 seeds', () => {
    const theirs = at().logLikelihood
    for (let seed = 1; seed <= 20; seed++) {
      const fit = fitModel(series, spec, { ...run, seed })
      if (fit.kind !== 'done') throw new Error(fit.kind)
      expect(fit.report.logLikelihood, `seed ${seed}`).toBeGreaterThan(theirs - 1e-6)
      expect(fit.report.converged).toBe('yes')
    }
  })

  test('one-step fits and forecasts at its parameters agree within 1e-6', () => {
    const { model } = at()
    const { total } = doneValue(explainModel(model, { series }))
    const variances = oneStepVariances(series.y, model)
    fitted?.forEach((value, i) => {
      const t = total.length - fitted.length + i
      // What R calls a residual is divided by its own deviation, and its fit is what that leaves.
      const residual = (series.y[t]! - total[t]!) / Math.sqrt(variances[t]!)
      expect(Math.abs((series.y[t]! - residual) / value - 1)).toBeLessThan(1e-6)
    })
    const horizon = 12
    const trend = Float64Array.from({ length: horizon }, (_, h) => series.y.length + 1 + h)
    const ask = { horizon, quantiles: levelQuantiles([95]), future: { trend } }
    const forecast = doneValue(forecastModel(model, ask))
    mean.forEach((value, h) => {
      expect(Math.abs(forecast.point[h]! / value - 1), `step ${h}`).toBeLessThan(1e-6)
    })
    low95?.forEach((low, h) => {
      const width = forecast.point[h]! - forecast.quantiles[2 * h]!
      const apart = Math.abs(width / (mean[h]! - low) - 1)
      expect(apart, `width at step ${h}`).toBeLessThan(reference.boundsWithin ?? 0)
    })
  })
})

test("the airline model of log AirPassengers reaches 244.6995 on R's scale from 20 seeds", () => {
  const { series, spec } = partsOf(seasonalReferences[0]!)
  const operator = operatorOf(ordersOf(spec, {}))
  for (let seed = 0; seed < 20; seed++) {
    const fit = fitModel(series, spec, { ...run, seed })
    if (fit.kind !== 'done' || !('arma' in fit.value)) throw new Error(fit.kind)
    expect(fit.report.logLikelihood).toBeGreaterThan(244.696_486)
    const vague = vagueLogLikelihood(series.y, fit.value.arma, operator)
    expect(vague, `seed ${seed}`).toBeGreaterThanOrEqual(244.6995)
  }
})

/** In units of the shocks' variance; the values have no gaps. */
function oneStepVariances(y: Float64Array, { arma, orders }: ArimaModel): Float64Array {
  const filter = makeFilter(arma)
  const { depth } = operatorOf(orders)
  return y.map((_, t) => {
    if (t >= depth) stepFilter(filter, 0)
    return filter.variance
  })
}

function partsOf(reference: SeasonalReference) {
  const { ar, ma, seasonalAr, seasonalMa } = reference
  const spec = specOf({ ...reference.spec })
  const arma = armaFromCoefficients(Float64Array.from(ar), Float64Array.from(ma), {
    ar: Float64Array.from(seasonalAr),
    ma: Float64Array.from(seasonalMa),
    seasonLength: spec.seasonLength ?? 1,
  })
  if (arma === undefined) throw new Error('the reference is not stationary and invertible')
  const y = Float64Array.from(seasonalSeries[reference.series])
  const trend = y.map((_, t) => t + 1)
  return { spec, arma, series: { y, x: { trend } } }
}
