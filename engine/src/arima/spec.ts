import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done, refused } from '../outcome.ts'

/**
 * ARIMA(p, d, q) on the difference at a lag: φ(B) ((1 - B)^d (1 - B^differenceLag) y - constant) =
 * θ(B) ε. A `differenceLag` of 0 takes no such difference. A spec is plain JSON.
 */
export type ArimaSpec = {
  readonly family: 'arima'
  /** Autoregressive terms. */
  readonly p: number
  /** Ordinary differences. */
  readonly d: number
  /** Moving-average terms. */
  readonly q: number
  readonly differenceLag: number
  /** Whether the differenced series has a mean of its own: a level for d = 0, else a drift. */
  readonly constant: boolean
}

/** The model that is fitted when nobody asks for another; also the defaults of each field. */
export const arimaDefaults: ArimaSpec = {
  family: 'arima',
  p: 7,
  d: 0,
  q: 1,
  differenceLag: 365,
  constant: false,
}

/** Checks a user's spec and fills in what it leaves out. */
export function parseArimaSpec(spec: Readonly<Record<string, unknown>>): Outcome<ArimaSpec> {
  const known = Object.keys(arimaDefaults)
  for (const field of Object.keys(spec)) {
    if (known.includes(field)) continue
    return refused({
      code: 'unknown-field',
      detail: `The family arima has no field ${JSON.stringify(field.slice(0, 100))}.`,
      field: `/${pointer(field.slice(0, 100))}`,
      remedy: `The fields are ${known.join(', ')}.`,
    })
  }
  for (const [field, max] of Object.entries(orderLimits)) {
    const value = spec[field]
    if (value === undefined) continue
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > max) {
      return refused({
        code: typeof value === 'number' ? 'out-of-range' : 'wrong-type',
        detail: `${field} has to be a whole number from 0 to ${max}.`,
        field: `/${field}`,
      })
    }
  }
  const order = (field: keyof typeof orderLimits) =>
    (spec[field] as number | undefined) ?? arimaDefaults[field]
  const constant = spec.constant ?? arimaDefaults.constant
  if (typeof constant !== 'boolean' || spec.constant === null) {
    return refused({
      code: 'wrong-type',
      detail: 'constant has to be true or false.',
      field: '/constant',
    })
  }
  return done({
    family: 'arima',
    p: order('p') + 0,
    d: order('d') + 0,
    q: order('q') + 0,
    differenceLag: order('differenceLag') + 0,
    constant,
  })
}

/** Coefficients that are estimated, the variance of the shocks not among them. */
export function coefficientCount(spec: ArimaSpec): number {
  return spec.p + spec.q + (spec.constant ? 1 : 0)
}

/** Differences without which the corrected information criterion is not defined. */
export function differencesNeeded(spec: ArimaSpec): number {
  return coefficientCount(spec) + 3
}

const orderLimits = {
  p: limits.orderMax,
  d: limits.differencesMax,
  q: limits.orderMax,
  differenceLag: limits.differenceLagMax,
} as const

function pointer(field: string): string {
  return field.replaceAll('~', '~0').replaceAll('/', '~1')
}
