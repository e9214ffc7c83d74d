import type { Outcome, Report, Run, Series } from '../family.ts'
import { makeBudget } from '../numeric/budget.ts'
import { assert } from '../outcome.ts'
import { estimateOrders, type OrdersEstimate, thorough } from './estimate.ts'
import { makeSample, ones, profileLikelihood } from './likelihood.ts'
import { type ArimaModel, filterSeries } from './model.ts'
import { arLags, maLags, type Orders } from './orders.ts'
import { type Arma, armaFromPartials } from './parameters.ts'
import { inDataUnits, inSampleUnits, onDataScale, type Prepared, prepare } from './prepare.ts'
import { regressorColumns } from './regression.ts'
import { besideOf, nameOf } from './select/name.ts'
import { type ArimaSpec, coefficientCount, ordersOf } from './spec.ts'

/**
 * Fits a series that passes `checkArimaSeries`. Stopped, it returns the best so far. An estimate of
 * just these orders that a search has `given` spares the fit.
 */
export function fitArima(
  series: Series,
  spec: ArimaSpec,
  run: Run,
  given?: OrdersEstimate,
): Outcome<ArimaModel> {
  const prepared = preparedOf(series, spec)
  if (prepared.exact !== undefined) return fitExact(series, spec, prepared, prepared.exact, run)
  const budget = makeBudget(run)
  const { orders } = prepared
  const { onProgress } = run
  const progress = onProgress === undefined ? {} : { onProgress }
  const effort = { ...thorough(orders), seed: run.seed, ...progress }
  const found = given ?? estimateOrders(prepared, orders, effort, budget)
  const model = modelOf(series, spec, prepared, found)
  const ended = budget.ended()
  run.onProgress?.(1)
  return {
    kind: ended === undefined ? 'done' : 'stopped',
    value: model,
    report: {
      summary: `${nameOf(prepared.orders)}${besideOf(spec)}.`,
      ...describe(model, found),
      iterations: found.iterations,
      evaluations: found.evaluations,
      converged: found.converged ? 'yes' : 'no',
      ...(ended === undefined ? {} : { stopped: stops[ended] }),
    },
  }
}

/**
 * The model and the log-likelihood of a series at given parameters, without any search. `given` is
 * the constant, if there is one, and the coefficient of each regressor; without it they are at
 * their best.
 */
export function arimaAt(
  series: Series,
  spec: ArimaSpec,
  arma: Arma,
  given?: ArrayLike<number>,
): { readonly model: ArimaModel; readonly logLikelihood: number } {
  const prepared = preparedOf(series, spec)
  const { orders, w, columns, scale } = prepared
  const design = orders.constant ? [ones(w.length), ...columns] : columns
  const sample = makeSample(w, arLags(orders), maLags(orders), design)
  const fixed = given === undefined ? undefined : inSampleUnits(prepared, given)
  const likelihood = profileLikelihood(sample, arma, undefined, fixed)
  assert(likelihood !== undefined, 'given parameters are not next to a unit root')
  const { observed } = sample
  const model = modelOf(series, spec, prepared, { arma, observed, ...likelihood })
  const { logLikelihood } = likelihood
  return { model, logLikelihood: onDataScale({ logLikelihood, observed }, scale) }
}

const stops = { asked: 'as asked', budget: 'the budget of work is spent' } as const

function preparedOf(series: Series, spec: ArimaSpec): Prepared {
  const found = regressorColumns(spec.regressors, series.x)
  assert('columns' in found, 'the regressors of a series are checked before a fit')
  return prepare(series.y, found.columns, ordersOf(spec, series))
}

/**
 * The variance is unbiased for the number of coefficients, as R and statsforecast have it, so that
 * the bounds of short series are not too narrow; the likelihood has its own, the maximum.
 */
function modelOf(
  series: Series,
  spec: ArimaSpec,
  prepared: Prepared,
  { arma, beta, squares, observed }: Pick<OrdersEstimate, 'arma' | 'beta' | 'squares' | 'observed'>,
): ArimaModel {
  const { orders, scale, columnScales } = prepared
  const freedom = Math.max(1, observed - coefficientCount(orders, columnScales.length))
  const sigma2 = squares / freedom
  const linear = inDataUnits(prepared, beta)
  return filterSeries({ spec, orders, arma, scale, ...linear, sigma2 }, series)
}

/** Without variation there is no likelihood: the forecast repeats the series, with no width. */
function fitExact(
  series: Series,
  spec: ArimaSpec,
  prepared: Prepared,
  exact: Float64Array,
  run: Run,
): Outcome<ArimaModel> {
  const { orders, scale, w } = prepared
  const arma = armaFromPartials(new Float64Array(orders.p), new Float64Array(orders.q), {
    ar: new Float64Array(orders.P),
    ma: new Float64Array(orders.Q),
    seasonLength: orders.seasonLength,
  })
  const linear = inDataUnits(prepared, exact)
  const model = filterSeries({ spec, orders, arma, scale, ...linear, sigma2: 0 }, series)
  run.onProgress?.(1)
  let differences = 0
  for (const value of w) if (!Number.isNaN(value)) differences++
  const what = columnsWord(model)
  const still = `The differenced series does not vary${what}: the forecast repeats it, without error.`
  const report = {
    summary: `${nameOf(orders)}${besideOf(spec)}. ${still}`,
    ...counts(model, differences),
    sigma2: 0,
    iterations: 0,
    evaluations: 0,
    converged: 'yes' as const,
  }
  return { kind: 'done', value: model, report }
}

function columnsWord({ beta }: ArimaModel): string {
  return beta.length === 0 ? '' : ' beyond its regressors'
}

function describe(model: ArimaModel, found: OrdersEstimate): Report {
  const { orders, scale } = model
  const { observed, parameters } = found
  const logLikelihood = onDataScale(found, scale)
  const aic = 2 * parameters - 2 * logLikelihood
  return {
    logLikelihood,
    aic,
    aicc: aic + (2 * parameters * (parameters + 1)) / (observed - parameters - 1),
    bic: parameters * Math.log(observed) - 2 * logLikelihood,
    sigma2: scale * model.sigma2 * scale,
    ...counts(model, observed),
    ...coefficients(found.arma, orders),
    ...(orders.constant ? { constant: scale * model.mean } : {}),
    ...Object.fromEntries(
      model.spec.regressors.map((name, i) => [`regressor ${name}`, model.beta[i]!]),
    ),
  }
}

/** The coefficients by the names that R gives them. */
function coefficients(arma: Arma, { seasonLength }: Orders): Record<string, number> {
  const { arPartials, maPartials, seasonalArPartials, seasonalMaPartials } = arma
  const plain = armaFromPartials(arPartials, maPartials)
  const seasonal = armaFromPartials(seasonalArPartials, seasonalMaPartials)
  const named: Record<string, number> = {}
  const name = (prefix: string, values: Float64Array) => {
    values.forEach((value, i) => {
      named[`${prefix}${i + 1}`] = value
    })
  }
  name('ar', plain.ar)
  name('ma', plain.ma)
  name('sar', seasonal.ar)
  name('sma', seasonal.ma)
  return seasonal.ar.length + seasonal.ma.length === 0 ? named : { ...named, seasonLength }
}

function counts(model: ArimaModel, differences: number) {
  return { observations: model.observations, missing: model.missing, differences }
}
