import { type Differencing, differencing } from '../series/difference.ts'

/**
 * The orders of a multiplicative seasonal ARIMA:
 * φ(B) Φ(Bˢ) ((1 - B)^d (1 - B^differenceLag) (1 - Bˢ)^D η - constant) = θ(B) Θ(Bˢ) ε.
 */
export type Orders = {
  readonly p: number
  readonly d: number
  readonly q: number
  readonly P: number
  readonly D: number
  readonly Q: number
  /** s; 1 where there is no season, and then P, D and Q are 0. */
  readonly seasonLength: number
  /**
   * Whether the differenced series has a mean of its own: a level without differences, else a
   * drift.
   */
  readonly constant: boolean
  /** One more difference at a lag of its own; 0 takes none. */
  readonly differenceLag: number
}

/** Autoregressive lags of the expanded polynomial. */
export function arLags({ p, P, seasonLength }: Orders): number {
  return p + P * seasonLength
}

/** Moving-average lags of the expanded polynomial. */
export function maLags({ q, Q, seasonLength }: Orders): number {
  return q + Q * seasonLength
}

/** Parameters that a search moves, in the order of its vector: p, q, P, Q. */
export function shapeCount({ p, q, P, Q }: Orders): number {
  return p + q + P + Q
}

/**
 * A search's vector for other orders: a term that is new begins at zero, which leaves the
 * likelihood as it was, and one that is gone is dropped.
 */
export function carryShape(x: Float64Array, from: Orders, to: Orders): Float64Array {
  const carried = new Float64Array(shapeCount(to))
  let source = 0
  let target = 0
  for (const field of ['p', 'q', 'P', 'Q'] as const) {
    const kept = Math.min(from[field], to[field])
    carried.set(x.subarray(source, source + kept), target)
    source += from[field]
    target += to[field]
  }
  return carried
}

/** The differencing that these orders take. */
export function operatorOf({ d, differenceLag, D, seasonLength }: Orders): Differencing {
  return differencing(d, differenceLag, D, seasonLength)
}
