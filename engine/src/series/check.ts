import type { Refusal } from '../family.ts'
import { limits } from '../limits.ts'
import { counted } from '../words.ts'

/** Why some values cannot be taken into any model; missing ones can. */
export function checkValues(y: Float64Array): Refusal | undefined {
  if (y.length > limits.observationsMax) {
    return {
      code: 'too-long',
      detail: `${y.length} observations are too many; at most ${limits.observationsMax} are taken.`,
      field: '/y',
    }
  }
  for (let t = 0; t < y.length; t++) {
    const value = y[t]!
    if (Number.isNaN(value) || Math.abs(value) <= limits.magnitudeMax) continue
    const infinite = Math.abs(value) === Number.POSITIVE_INFINITY
    return {
      code: infinite ? 'not-finite' : 'out-of-range',
      detail: infinite
        ? `Observation ${t} is infinite.`
        : `Observation ${t} is ${value}; values up to ${limits.magnitudeMax} are taken.`,
      field: `/y/${t}`,
      remedy: 'Mark an observation that is not known as missing, or use a larger unit.',
    }
  }
  return undefined
}

/** Values that are not missing. */
export function countObserved(y: Float64Array): number {
  let observed = 0
  for (let t = 0; t < y.length; t++) if (!Number.isNaN(y[t]!)) observed++
  return observed
}

/** Why a model that needs `observationsMin` values cannot be fitted; undefined when it can. */
export function checkObserved(
  y: Float64Array,
  observationsMin: number,
  remedy = 'Send more observations, or a simpler spec.',
): Refusal | undefined {
  const fault = checkValues(y)
  if (fault !== undefined) return fault
  const observed = countObserved(y)
  if (observed >= observationsMin) return undefined
  if (observed === 0 && y.length > 0) {
    const detail = `Every value of the series is missing: there are ${y.length}.`
    return { code: 'all-missing', detail, field: '/y' }
  }
  return {
    code: 'too-short',
    detail:
      `The series has ${counted(observed, 'observation')} that ${observed === 1 ? 'is' : 'are'} not missing; ` +
      `this model needs at least ${observationsMin}.`,
    field: '/y',
    remedy,
  }
}

/**
 * Refuses a series that ends in more missing values than a forecast can bridge; `before` were
 * already missing ahead of it.
 */
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
