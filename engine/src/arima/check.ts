import type { Refusal, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { checkValues } from '../series/check.ts'
import { type Differencing, differencing } from '../series/difference.ts'
import { type ArimaSpec, coefficientCount, differencesNeeded } from './spec.ts'

/** Why a series cannot be fitted; undefined when it can. */
export function checkArimaSeries(series: Series, spec: ArimaSpec): Refusal | undefined {
  const { y } = series
  const operator = differencing(spec.d, spec.differenceLag)
  const differencesMin = differencesNeeded(spec)
  const needed = operator.depth + differencesMin
  if (y.length < needed) {
    const coefficients = coefficientCount(spec)
    return {
      code: 'too-short',
      detail:
        `The series has ${y.length} observations; this model needs at least ${needed}: ` +
        `${operator.depth} to take the difference and ${differencesMin} to estimate ` +
        `${coefficients} coefficients and a variance.`,
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
      detail: `All ${y.length} observations of the series are missing.`,
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

/** Refuses a series that ends in more missing values than a forecast can bridge. */
export function checkPending(y: Float64Array, before: number): Refusal | undefined {
  let trailing = 0
  while (trailing < y.length && Number.isNaN(y[y.length - 1 - trailing]!)) trailing++
  const pending = trailing === y.length ? before + trailing : trailing
  if (pending <= limits.pendingMax) return undefined
  return {
    code: 'too-many-missing',
    detail: `The last ${pending} observations are missing; at most ${limits.pendingMax} may be.`,
    field: '/y',
    remedy: 'End the series at its last known observation.',
  }
}
