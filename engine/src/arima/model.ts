import type { Series } from '../family.ts'
import { limits } from '../limits.ts'
import { carried, type Differencing } from '../series/difference.ts'
import { type Filter, filterCovariance, makeFilter, resumeFilter, stepFilter } from './kalman.ts'
import { type Orders, operatorOf } from './orders.ts'
import type { Arma } from './parameters.ts'
import { explainedBy } from './regression.ts'
import type { ArimaSpec } from './spec.ts'

/**
 * A fitted model and where its series stands. The process lives in units of `scale`, a power of
 * two, so that scaling rounds nothing. Models are immutable: an update makes a new one.
 */
export type ArimaModel = {
  readonly family: 'arima'
  readonly spec: ArimaSpec
  readonly orders: Orders
  readonly arma: Arma
  readonly scale: number
  /** Of the differenced series, in units of `scale`. */
  readonly mean: number
  /** Coefficient of each regressor, in units of the data. */
  readonly beta: Float64Array
  /** Variance of the shocks in squared units of `scale`; 0 for a series without any. */
  readonly sigma2: number
  /** The filter's state after the last observed value. */
  readonly state: Float64Array
  /** Its covariance, as `filterCovariance` gives it. */
  readonly covariance: Float64Array
  /**
   * The last values up to the last observed one, less what the regressors explain, as many as the
   * differencing reaches back.
   */
  readonly levels: Float64Array
  /** 1 where a level was missing and filled in. */
  readonly filled: Uint8Array
  /** Missing values after the last observed one. */
  readonly pending: number
  readonly observations: number
  readonly missing: number
}

/** What a fit settles once, and an update keeps. */
export type ArimaParameters = Pick<
  ArimaModel,
  'spec' | 'orders' | 'arma' | 'scale' | 'mean' | 'beta' | 'sigma2'
>

/** Filters a whole series with given parameters. The series passes `checkArimaSeries`. */
export function filterSeries(parameters: ArimaParameters, series: Series): ArimaModel {
  const operator = operatorOf(parameters.orders)
  const y = unexplained(parameters, series)
  const { levels, filled } = firstLevels(y, operator.depth)
  let missing = 0
  for (let t = 0; t < operator.depth; t++) if (Number.isNaN(y[t]!)) missing++
  const begun = {
    ...parametersOf(parameters),
    filter: makeFilter(parameters.arma),
    levels,
    filled,
    pending: 0,
    observations: operator.depth - missing,
    missing,
  }
  return advance(begun, operator, y.subarray(operator.depth))
}

/** The model after newer values of its series; its parameters stay. Costs O(newer values). */
export function continueSeries(model: ArimaModel, newer: Series): ArimaModel {
  return advance(
    { ...model, filter: resumeFilter(model.arma, model.state, model.covariance) },
    operatorOf(model.orders),
    unexplained(model, newer),
  )
}

/** Whether all that values move stays within the range of numbers, so that it can be stored. */
export function isSound({ state, covariance, levels }: ArimaModel): boolean {
  return [state, covariance, levels].every((values) =>
    values.every((value) => Math.abs(value) <= limits.stateMagnitudeMax),
  )
}

/** The series less what its regressors explain; itself when there are none. */
export function unexplained(
  { spec, beta }: Pick<ArimaModel, 'spec' | 'beta'>,
  series: Series,
): Float64Array {
  if (beta.length === 0) return series.y
  const taken = explainedBy(spec.regressors, beta, series)
  return series.y.map((value, t) => value - taken[t]!)
}

function parametersOf(given: ArimaParameters): ArimaParameters {
  const { spec, orders, arma, scale, mean, beta, sigma2 } = given
  return { spec, orders, arma, scale, mean, beta, sigma2 }
}

type Begun = ArimaParameters &
  Pick<ArimaModel, 'levels' | 'filled' | 'pending' | 'observations' | 'missing'> & {
    readonly filter: Filter
  }

/**
 * A missing level is filled with what the filter expects there, and a difference with any filled
 * end counts as missing. Missing values at the end wait until an observed one follows: until then
 * the forecast simply starts before them, with the right variance.
 */
function advance(begun: Begun, operator: Differencing, newer: Float64Array): ArimaModel {
  const { filter, scale, mean } = begun
  const depth = operator.depth
  const taken = lastObserved(newer) + 1
  const waited = taken > 0 ? begun.pending : 0
  const levels = new Float64Array(depth + waited + taken)
  const filled = new Uint8Array(levels.length)
  levels.set(begun.levels)
  filled.set(begun.filled)
  let observations = begun.observations
  for (let at = depth; at < levels.length; at++) {
    const value = at < depth + waited ? Number.NaN : newer[at - depth - waited]!
    const missing = Number.isNaN(value)
    const base = carried(operator, levels, at)
    const whole = !missing && hasObservedEnds(operator, filled, at)
    stepFilter(filter, whole ? (value - base) / scale - mean : Number.NaN)
    levels[at] = missing ? base + scale * (filter.expected + mean) : value
    filled[at] = missing ? 1 : 0
    if (!missing) observations++
  }
  return {
    family: 'arima',
    ...parametersOf(begun),
    state: filter.state,
    covariance: filterCovariance(filter),
    levels: levels.slice(waited + taken),
    filled: filled.slice(waited + taken),
    pending: begun.pending - waited + newer.length - taken,
    observations,
    missing: begun.missing + newer.length - (observations - begun.observations),
  }
}

/**
 * Levels before the first difference cannot be expected from anything: gaps are bridged linearly.
 */
function firstLevels(y: Float64Array, depth: number) {
  const levels = y.slice(0, depth)
  const filled = new Uint8Array(depth)
  let before = -1
  for (let t = 0; t < y.length; t++) {
    if (Number.isNaN(y[t]!)) continue
    for (let gap = before + 1; gap < Math.min(t, depth); gap++) {
      const share = (gap - before) / (t - before)
      levels[gap] = before < 0 ? y[t]! : y[before]! + share * (y[t]! - y[before]!)
      filled[gap] = 1
    }
    before = t
    if (t >= depth) break
  }
  return { levels, filled }
}

function hasObservedEnds(operator: Differencing, filled: Uint8Array, at: number): boolean {
  const { lags } = operator
  for (let k = 0; k < lags.length; k++) if (filled[at - lags[k]!] === 1) return false
  return true
}

function lastObserved(y: Float64Array): number {
  let at = y.length - 1
  while (at >= 0 && Number.isNaN(y[at]!)) at--
  return at
}
