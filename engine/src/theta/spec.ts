import type { Outcome, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { oneOf, parseFields, wholeNumber } from '../spec-fields.ts'

/**
 * Theta models as state-space models: Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler
 * (2016), Models for optimising the theta method. `standard` is the method of Assimakopoulos and
 * Nikolopoulos (2000) with θ = 2, as Hyndman and Billah (2003) read it. A spec is plain JSON.
 */
export type ThetaSpec = {
  readonly family: 'theta'
  /** Null: the one with the least in-sample error. */
  readonly method: ThetaMethod | null
  /** Null is the first season of the series. */
  readonly seasonLength: number | null
  /** Null: by the test of seasonality, multiplicative where every value is positive. */
  readonly decomposition: 'multiplicative' | 'additive' | 'none' | null
}

export type ThetaMethod = (typeof methods)[number]

const methods = ['standard', 'optimised', 'dynamic-standard', 'dynamic'] as const

/** Checks a user's spec and fills in what it leaves out. */
export function parseThetaSpec(spec: Readonly<Record<string, unknown>>): Outcome<ThetaSpec> {
  return parseFields('theta', fields, spec)
}

/** The season that a spec means for a series: 1 where there is none. */
export function seasonOf({ seasonLength }: ThetaSpec, { seasons }: Series): number {
  return seasonLength ?? seasons?.[0] ?? 1
}

const fields = {
  method: oneOf(methods, null),
  seasonLength: wholeNumber(1, limits.seasonLengthMax, null),
  decomposition: oneOf(['multiplicative', 'additive', 'none'] as const, null),
}
