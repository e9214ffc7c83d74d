import type { Refusal, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { checkPending, checkValues } from '../series/check.ts'
import type { Differencing } from '../series/difference.ts'
import { counted } from '../words.ts'
import { arLags, maLags, type Orders, operatorOf } from './orders.ts'
import { regressorColumns } from './regression.ts'
import { type ArimaSpec, coefficientCount, ordersOf } from './spec.ts'

/** Why a series cannot be fitted; undefined when it can. */
export function checkArimaSeries(series: Series, spec: ArimaSpec): Refusal | undefined {
  return checkForOrders(series, spec, ordersOf(spec, series))
}

/** Why a series does not suit a model of some orders; undefined when it does. */
export function checkForOrders(
  series: Series,
  spec: ArimaSpec,
  orders: Orders,
): Refusal | undefined {
  const fault = checkSeason(orders) ?? checkRegressors(series, spec)
  return fault ?? checkLength(series, orders, spec.regressors.length)
}

/** Why some orders cannot be those of a model. */
export function checkSeason(orders: Orders): Refusal | undefined {
  const { P, D, Q, seasonLength } = orders
  if (P + D + Q > 0 && seasonLength === 1) {
    return {
      code: 'no-season',
      detail: 'Seasonal terms need a season, and neither the spec nor the series has one.',
      field: '/seasonLength',
      remedy: 'Set seasonLength, or leave out P, D and Q.',
    }
  }
  const lags = Math.max(arLags(orders), maLags(orders))
  if (lags > limits.expandedLagsMax) {
    return {
      code: 'out-of-range',
      detail: `The terms reach back ${lags} observations; at most ${limits.expandedLagsMax} may be.`,
      field: P * seasonLength > Q * seasonLength ? '/P' : '/Q',
      remedy: 'Take fewer seasonal terms or a shorter season; a seasonal difference may be longer.',
    }
  }
  const { depth } = operatorOf(orders)
  if (depth <= limits.differenceLagMax + limits.differencesMax) return undefined
  return {
    code: 'out-of-range',
    detail: `The differences reach back ${depth} observations, which is too far.`,
    field: '/D',
  }
}

/** Why the regressors of a spec cannot be had from a series. */
export function checkRegressors(series: Series, spec: ArimaSpec): Refusal | undefined {
  const found = regressorColumns(spec.regressors, series.x)
  return 'refusal' in found ? found.refusal : undefined
}

function checkLength(series: Series, orders: Orders, regressors: number): Refusal | undefined {
  const { y } = series
  const operator = operatorOf(orders)
  const coefficients = coefficientCount(orders, regressors)
  const differencesMin = coefficients + beyondCoefficients
  const needed = operator.depth + differencesMin
  if (y.length < needed) {
    const differenced = operator.depth > 0 ? `${operator.depth} to take the difference and ` : ''
    return {
      code: 'too-short',
      detail:
        `The series has ${counted(y.length, 'observation')}; this model needs at least ` +
        `${needed}: ${differenced}${differencesMin} to estimate ` +
        `${counted(coefficients, 'coefficient')} and a variance.`,
      field: '/y',
      remedy: 'Send more observations, or a spec with fewer terms or a shorter differenceLag.',
    }
  }
  const fault = checkValues(y)
  if (fault !== undefined) return fault
  const { observed, differences } = countObserved(y, operator)
  if (observed === 0) {
    return {
      code: 'all-missing',
      detail: `Every value of the series is missing: there are ${y.length}.`,
      field: '/y',
    }
  }
  if (differences < differencesMin) {
    return {
      code: 'too-many-missing',
      detail:
        `Of the ${y.length} observations ${y.length - observed} are missing, which leaves ` +
        `${differences} differences with both ends; this model needs at least ${differencesMin}.`,
      field: '/y',
      remedy: 'Send more observations, or a spec with fewer terms or differences.',
    }
  }
  return checkPending(y, 0)
}

/** Differences beyond the coefficients, without which the corrected criterion is not defined. */
const beyondCoefficients = 3

function countObserved(y: Float64Array, { lags, depth }: Differencing) {
  let observed = 0
  let differences = 0
  for (let t = 0; t < y.length; t++) {
    if (Number.isNaN(y[t]!)) continue
    observed++
    let whole = t >= depth
    for (let k = 0; whole && k < lags.length; k++) whole = !Number.isNaN(y[t - lags[k]!]!)
    if (whole) differences++
  }
  return { observed, differences }
}
