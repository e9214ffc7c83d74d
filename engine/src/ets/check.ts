import type { Refusal, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { checkObserved, checkPending, checkValues, countObserved } from '../series/check.ts'
import { counted } from '../words.ts'
import {
  type Form,
  formName,
  formsOf,
  needsPositive,
  parameterCount,
  seasonLengthOf,
} from './form.ts'
import type { EtsSpec } from './spec.ts'

/** Fewer values leave no freedom for the error of the simplest form. */
export const observationsMin = 3

/** Why a series cannot be fitted; undefined when at least one form of the spec fits. */
export function checkEtsSeries(series: Series, spec: EtsSpec): Refusal | undefined {
  const fault = checkObserved(series.y, observationsMin) ?? checkPending(series.y, 0)
  if (fault !== undefined) return fault
  const seasonLength = seasonLengthOf(spec, series)
  if (spec.season === 'A' || spec.season === 'M') {
    if (seasonLength < 2 || seasonLength > limits.etsSeasonLengthMax) {
      return {
        code: 'out-of-range',
        detail:
          `A season needs a length from 2 to ${limits.etsSeasonLengthMax} observations; ` +
          `here it is ${seasonLength}.`,
        field: '/seasonLength',
        remedy: 'Set seasonLength, or season to N.',
      }
    }
  }
  let first: Refusal | undefined
  for (const form of formsOf(spec, seasonLength)) {
    const refusal = checkForm(series.y, form)
    if (refusal === undefined) return undefined
    first ??= refusal
  }
  return first
}

/** Why a form does not suit a series that `checkObserved` let pass. */
export function checkForm(y: Float64Array, form: Form): Refusal | undefined {
  if (needsPositive(form)) {
    const fault = checkPositive(y, formName(form))
    if (fault !== undefined) return fault
  }
  const needed = parameterCount(form) + 1
  const observed = countObserved(y)
  if (observed >= needed && y.length > form.seasonLength) return undefined
  return {
    code: 'too-short',
    detail:
      `The series has ${counted(observed, 'observation')} that ${observed === 1 ? 'is' : 'are'} not missing; ` +
      `${formName(form)} needs at least ${Math.max(needed, form.seasonLength + 1)}.`,
    field: '/y',
    remedy: 'Send more observations, or a spec without a season or a trend.',
  }
}

/** The first value that a multiplicative form cannot take. */
function checkPositive(y: Float64Array, name: string): Refusal | undefined {
  for (let t = 0; t < y.length; t++) {
    if (!(y[t]! <= 0)) continue
    return {
      code: 'not-positive',
      detail: `${name} takes only values above zero; observation ${t} is ${y[t]}.`,
      field: `/y/${t}`,
      remedy: 'Set error to A and season to A or N.',
    }
  }
  return undefined
}

/** Why newer values cannot follow a model; `pending` of its last ones were missing. */
export function checkNewer(y: Float64Array, form: Form, pending: number): Refusal | undefined {
  const fault = checkValues(y) ?? checkPending(y, pending)
  if (fault !== undefined) return fault
  return needsPositive(form) ? checkPositive(y, formName(form)) : undefined
}
