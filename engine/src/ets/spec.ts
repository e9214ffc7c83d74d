import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { refused } from '../outcome.ts'
import { type Field, flag, oneOf, parseFields, wholeNumber } from '../spec-fields.ts'

/**
 * Exponential smoothing in its state space form (Hyndman, Koehler, Ord and Snyder 2008). What is
 * null is chosen by the criterion among the stable combinations. A spec is plain JSON.
 */
export type EtsSpec = {
  readonly family: 'ets'
  readonly error: 'A' | 'M' | null
  readonly trend: 'N' | 'A' | null
  readonly damped: boolean | null
  readonly season: 'N' | 'A' | 'M' | null
  /** Observations in a season; null takes the shortest season of the series. */
  readonly seasonLength: number | null
  readonly criterion: 'aicc' | 'aic' | 'bic'
  /**
   * Where smoothing parameters may lie: weights of averages (usual), wherever old values are
   * forgotten (admissible), or in both.
   */
  readonly bounds: 'usual' | 'admissible' | 'both'
  /**
   * Flat maximises the likelihood. Steady multiplies it by a weak prior against trends and seasons
   * that change fast, which short series can hardly tell from noise: it forecasts better.
   */
  readonly prior: 'flat' | 'steady'
}

export const etsDefaults: EtsSpec = {
  family: 'ets',
  error: null,
  trend: null,
  damped: null,
  season: null,
  seasonLength: null,
  criterion: 'aicc',
  bounds: 'both',
  prior: 'flat',
}

/** Checks a user's spec and fills in what it leaves out. */
export function parseEtsSpec(spec: Readonly<Record<string, unknown>>): Outcome<EtsSpec> {
  const parsed = parseFields('ets', fields, spec)
  if (parsed.kind === 'refused') return parsed
  const { error, trend, damped, season, seasonLength } = parsed.value
  if (trend === 'N' && damped === true) {
    return conflict('damped', 'Only a trend can be damped.', 'Set trend to A or damped to false.')
  }
  if (error === 'A' && season === 'M') {
    const detail = 'An additive error with a multiplicative season has no finite variance.'
    return conflict('error', detail, 'Set error to M, or season to A.')
  }
  if ((season === 'A' || season === 'M') && seasonLength === 1) {
    const detail = 'A season needs at least 2 observations.'
    return conflict('seasonLength', detail, 'Set season to N, or seasonLength above 1.')
  }
  return parsed
}

const fields = {
  error: orChosen(oneOf<'A' | 'M', null>(['A', 'M'], null)),
  trend: orChosen(oneOf<'N' | 'A', null>(['N', 'A'], null)),
  damped: orChosen(flag(null)),
  season: orChosen(oneOf<'N' | 'A' | 'M', null>(['N', 'A', 'M'], null)),
  seasonLength: orChosen(wholeNumber(1, limits.etsSeasonLengthMax, null)),
  criterion: oneOf<EtsSpec['criterion'], 'aicc'>(['aicc', 'aic', 'bic'], 'aicc'),
  bounds: oneOf<EtsSpec['bounds'], 'both'>(['usual', 'admissible', 'both'], 'both'),
  prior: oneOf<EtsSpec['prior'], 'flat'>(['flat', 'steady'], 'flat'),
}

/** A field in which null is a value of its own: left to the criterion. */
function orChosen<T>(field: Field<T>): Field<T | null> {
  return (value, name) => (value === null ? { value: null } : field(value, name))
}

function conflict(field: string, detail: string, remedy: string): Outcome<never> {
  return refused({ code: 'conflict', detail, field: `/${field}`, remedy })
}
