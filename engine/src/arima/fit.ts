import type { Outcome, Report, Run, Series } from '../family.ts'
import { difference, differencing } from '../series/difference.ts'
import { type Estimate, estimate } from './estimate.ts'
import { makeSample, profileLikelihood, type Sample } from './likelihood.ts'
import { type ArimaModel, filterSeries } from './model.ts'
import { type Arma, armaFromPartials } from './parameters.ts'
import { type ArimaSpec, coefficientCount } from './spec.ts'

/** Fits a series that passes `checkArimaSeries`. Stopped, it returns the best so far. */
export function fitArima(series: Series, spec: ArimaSpec, run: Run): Outcome<ArimaModel> {
  const scaled = scaleDifferences(series, spec)
  if (scaled.constant) return fitConstant(series, spec, scaled, run)
  const sample = sampleOf(scaled, spec)
  const found = estimate(sample, spec.p, spec.q, run)
  const model = modelOf(series, spec, scaled, sample, found)
  run.onProgress?.(1)
  return {
    kind: found.ended === undefined ? 'done' : 'stopped',
    value: model,
    report: {
      ...describe(model, scaled, found.likelihood.logLikelihood, sample.observed),
      iterations: found.iterations,
      evaluations: found.evaluations,
      converged: found.converged ? 'yes' : 'no',
      ...(found.ended === undefined ? {} : { stopped: stops[found.ended] }),
    },
  }
}

/**
 * The model and the log-likelihood of a series at given parameters, without any search; a mean of
 * the differenced series that is not given is at its best.
 */
export function arimaAt(
  series: Series,
  spec: ArimaSpec,
  arma: Arma,
  mean?: number,
): { readonly model: ArimaModel; readonly logLikelihood: number } {
  const scaled = scaleDifferences(series, spec)
  const sample = sampleOf(scaled, spec)
  const fixedMean = mean === undefined ? undefined : mean / scaled.scale - scaled.centre
  const likelihood = profileLikelihood(sample, arma, undefined, fixedMean)
  if (likelihood === undefined) throw new Error('the parameters are too near to a unit root')
  const model = modelOf(series, spec, scaled, sample, { arma, likelihood })
  return { model, logLikelihood: onDataScale(likelihood.logLikelihood, scaled, sample.observed) }
}

const stops = { asked: 'as asked', budget: 'the budget of work is spent' } as const

/** Differences in units of `scale`, less `centre` in the same units. */
type Scaled = {
  readonly w: Float64Array
  readonly scale: number
  readonly centre: number
  /** Nothing varies: the differences are all zero, or all one constant that the model has. */
  readonly constant: boolean
}

/**
 * Differences of values that were rounded vary by this much of the largest value, and mean nothing.
 */
const constantWithin = 8 * Number.EPSILON

function scaleDifferences(series: Series, spec: ArimaSpec): Scaled {
  const w = difference(differencing(spec.d, spec.differenceLag), series.y)
  const scale = powerOfTwoBelow(largest(w))
  for (let t = 0; t < w.length; t++) w[t] = w[t]! / scale
  const centre = spec.constant ? average(w) : 0
  for (let t = 0; t < w.length; t++) w[t] = w[t]! - centre
  const constant = largest(w) <= (constantWithin * largest(series.y)) / scale
  return { w, scale, centre, constant }
}

function sampleOf(scaled: Scaled, spec: ArimaSpec): Sample {
  return makeSample(scaled.w, spec.p, spec.q, spec.constant)
}

/**
 * The variance is unbiased for the number of coefficients, as R and statsforecast have it, so that
 * the bounds of short series are not too narrow; the likelihood has its own, the maximum.
 */
function modelOf(
  series: Series,
  spec: ArimaSpec,
  { scale, centre }: Scaled,
  { observed }: Sample,
  { arma, likelihood }: Pick<Estimate, 'arma' | 'likelihood'>,
): ArimaModel {
  const freedom = Math.max(1, observed - coefficientCount(spec))
  const sigma2 = likelihood.squares / freedom
  return filterSeries({ spec, arma, scale, mean: centre + likelihood.mean, sigma2 }, series)
}

/** Without variation there is no likelihood: the forecast repeats the series, with no width. */
function fitConstant(
  series: Series,
  spec: ArimaSpec,
  { scale, centre, w }: Scaled,
  run: Run,
): Outcome<ArimaModel> {
  const arma = armaFromPartials(new Float64Array(spec.p), new Float64Array(spec.q))
  const model = filterSeries({ spec, arma, scale, mean: centre, sigma2: 0 }, series)
  run.onProgress?.(1)
  const report = {
    ...counts(
      model,
      w.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0),
    ),
    sigma2: 0,
    iterations: 0,
    evaluations: 0,
    converged: 'yes' as const,
    note: 'The differenced series does not vary: the forecast repeats it, without error.',
  }
  return { kind: 'done', value: model, report }
}

function describe(model: ArimaModel, scaled: Scaled, scaledLogLikelihood: number, used: number) {
  const { spec, arma, scale } = model
  const logLikelihood = onDataScale(scaledLogLikelihood, scaled, used)
  const parameters = coefficientCount(spec) + 1
  const aic = 2 * parameters - 2 * logLikelihood
  const report: Record<string, number | string> = {
    logLikelihood,
    aic,
    aicc: aic + (2 * parameters * (parameters + 1)) / (used - parameters - 1),
    bic: parameters * Math.log(used) - 2 * logLikelihood,
    sigma2: scale * model.sigma2 * scale,
    ...counts(model, used),
  }
  arma.ar.forEach((value, i) => {
    report[`ar${i + 1}`] = value
  })
  arma.ma.forEach((value, i) => {
    report[`ma${i + 1}`] = value
  })
  if (spec.constant) report.constant = scale * model.mean
  return report satisfies Report
}

function counts(model: ArimaModel, differences: number) {
  return { observations: model.observations, missing: model.missing, differences }
}

function onDataScale(logLikelihood: number, { scale }: Scaled, used: number): number {
  return logLikelihood - used * Math.log(scale)
}

/**
 * Of what is not missing, around the first such value, so that the average of a constant is exact.
 */
function average(values: Float64Array): number {
  const pivot = values.find((value) => !Number.isNaN(value)) ?? 0
  let sum = 0
  let count = 0
  for (const value of values) {
    if (Number.isNaN(value)) continue
    sum += value - pivot
    count++
  }
  return pivot + sum / Math.max(1, count)
}

function largest(values: Float64Array): number {
  let most = 0
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value)
  return most
}

/** The largest power of two not above a value, 1 for zero; exact, unlike a logarithm. */
function powerOfTwoBelow(value: number): number {
  let power = 1
  if (value === 0) return power
  while (power <= value / 2) power *= 2
  while (power > value) power /= 2
  return power
}
