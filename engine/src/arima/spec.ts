import type { Outcome, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { refused } from '../outcome.ts'
import { type FourierTerm, fourierNames } from '../series/fourier.ts'
import { type Field, flag, listOf, parseFields, wholeNumber } from '../spec-fields.ts'
import { type BoxCoxWish, boxCoxField, fourierField, fourierList } from './design/spec.ts'
import type { Orders } from './orders.ts'

/**
 * ARIMA(p, d, q)(P, D, Q)s with regressors: φ(B) Φ(Bˢ) ((1 - B)^d (1 - B^differenceLag) (1 - Bˢ)^D
 * (y - β'x) - constant) = θ(B) Θ(Bˢ) ε. A `differenceLag` of 0 takes no such difference. A spec is
 * plain JSON.
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
  /** Whether the differenced series has a mean: a level without differences, else a drift. */
  readonly constant: boolean
  /** Seasonal terms and differences. */
  readonly P: number
  readonly D: number
  readonly Q: number
  /** Observations in a season; null takes the first season of the series. */
  readonly seasonLength: number | null
  /** Names of the columns of `Series.x` that explain the series. */
  readonly regressors: readonly string[]
  /** Whether orders, differences and constant are chosen; those fields are then left out. */
  readonly select: boolean
  /** λ of a Box-Cox transform of positive values; `auto` chooses one in [0, 1], or none. */
  readonly boxCox: BoxCoxWish
  /** Seasons of any length as regression on pairs of sine and cosine. */
  readonly fourier: readonly FourierTerm[]
}

/** The model that is fitted when nobody asks for another. */
export const arimaDefaults: ArimaSpec = {
  family: 'arima',
  p: 7,
  d: 0,
  q: 1,
  differenceLag: 365,
  constant: false,
  P: 0,
  D: 0,
  Q: 0,
  seasonLength: null,
  regressors: [],
  select: false,
  boxCox: null,
  fourier: [],
}

/** The fields of the first version of this spec: what it left out was `arimaDefaults`. */
const firstFields = ['family', 'p', 'd', 'q', 'differenceLag', 'constant']

/**
 * Checks a user's spec and fills in what it leaves out: by `arimaDefaults` when it has none but the
 * oldest fields, else by zero terms and no difference.
 */
export function parseArimaSpec(spec: Readonly<Record<string, unknown>>): Outcome<ArimaSpec> {
  const old = Object.keys(spec).every((field) => firstFields.includes(field))
  const { p, d, q, differenceLag, constant } = arimaDefaults
  const order = (otherwise: number) => {
    return wholeNumber(0, limits.orderMax, old ? otherwise : 0)
  }
  const fields = {
    p: order(p),
    d: wholeNumber(0, limits.differencesMax, d),
    q: order(q),
    differenceLag: wholeNumber(0, limits.differenceLagMax, old ? differenceLag : 0),
    constant: flag(constant),
    P: wholeNumber(0, limits.seasonalOrderMax, 0),
    D: wholeNumber(0, limits.differencesMax, 0),
    Q: wholeNumber(0, limits.seasonalOrderMax, 0),
    seasonLength: wholeNumber(1, limits.seasonLengthMax, null),
    regressors: distinct(listOf(columnName, limits.regressorsMax, [])),
    select: flag(false),
    boxCox: boxCoxField,
    fourier: fourierList(listOf(fourierField, limits.seasonsMax, [])),
  }
  const parsed = parseFields('arima', fields, spec)
  if (parsed.kind === 'refused') return parsed
  const { regressors, fourier } = parsed.value
  const columns = new Set([...regressors, ...fourierNames(fourier)]).size
  if (columns > limits.regressorsMax) {
    const most = limits.regressorsMax
    const detail = `Regressors and Fourier terms are ${columns} columns; at most ${most} are taken.`
    return refused({ code: 'too-many', detail, field: '/fourier' })
  }
  return parsed.value.select ? unlessGiven(parsed) : parsed
}

/** Refuses orders beside the wish to have them chosen. */
function unlessGiven(parsed: Extract<Outcome<ArimaSpec>, { value: unknown }>): Outcome<ArimaSpec> {
  const { value } = parsed
  const chosen = ['p', 'd', 'q', 'P', 'D', 'Q', 'constant', 'differenceLag'] as const
  const given = chosen.find((field) => Number(value[field]) !== 0)
  if (given === undefined) return parsed
  return refused({
    code: 'conflict',
    detail: `${given} is chosen when select is true.`,
    field: `/${given}`,
    remedy: `Leave out ${given}, or set select to false.`,
  })
}

/** The orders of a spec for a series; `seasonLength` null is the first of its seasons, else 1. */
export function ordersOf(spec: ArimaSpec, { seasons }: Pick<Series, 'seasons'>): Orders {
  const { p, d, q, P, D, Q, constant, differenceLag } = spec
  const seasonLength = spec.seasonLength ?? seasons?.[0] ?? 1
  return { p, d, q, P, D, Q, seasonLength, constant, differenceLag }
}

/** Coefficients that are estimated, the variance of the shocks not among them. */
export function coefficientCount(orders: Orders, regressors: number): number {
  const { p, q, P, Q, constant } = orders
  return p + q + P + Q + regressors + (constant ? 1 : 0)
}

const columnName: Field<string> = (value, name) => {
  if (typeof value === 'string' && value.length > 0 && value.length <= columnNameMax) {
    return { value }
  }
  const code = typeof value === 'string' ? 'out-of-range' : 'wrong-type'
  const detail = `${name} has to be a name of 1 to ${columnNameMax} characters.`
  return { fault: { code, detail, field: `/${name}` } }
}

function distinct(list: Field<readonly string[]>): Field<readonly string[]> {
  return (value, name) => {
    const outcome = list(value, name)
    if ('fault' in outcome || new Set(outcome.value).size === outcome.value.length) return outcome
    const detail = `${name} names a column twice.`
    return { fault: { code: 'out-of-range', detail, field: `/${name}` } }
  }
}

const columnNameMax = 100
