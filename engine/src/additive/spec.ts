import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { daysOfText } from '../series/calendar-dates.ts'
import {
  type Field,
  flag,
  listOf,
  oneOf,
  parseFields,
  realNumber,
  wholeNumber,
} from '../spec-fields.ts'
import { choiceOfDates, nameField, objectOf } from './spec-items.ts'

type Mode = 'additive' | 'multiplicative'

/** A local date `YYYY-MM-DD`, or a number of steps after the first observation. */
type DateOrStep = string | number

/** A season of its own: sines and cosines of a period, given in steps or in days. */
type SeasonSpec = {
  readonly name: string
  /** In steps of the series; exactly one of `period` and `days` is given. */
  readonly period: number | null
  /** In days; needs a calendar. */
  readonly days: number | null
  /** Pairs of sine and cosine; null is half the period, at most 10. */
  readonly order: number | null
  readonly priorScale: number | null
  readonly mode: Mode | null
}

/** Days, or steps, on which something happens that has an effect of its own. */
type HolidaySpec = {
  readonly name: string
  readonly dates: readonly DateOrStep[]
  /** Days (of dates) or steps before it that have an effect, each its own: 0 or below. */
  readonly lowerWindow: number
  /** Days or steps after it: 0 or above. */
  readonly upperWindow: number
  readonly priorScale: number | null
}

/** How a column of `Series.x` is taken; those that are not listed are taken by the defaults. */
type RegressorSpec = {
  readonly name: string
  readonly priorScale: number | null
  /** Null: unless all of its values are 0 or 1. */
  readonly standardise: boolean | null
  readonly mode: Mode | null
}

/**
 * Additive regression (Taylor and Letham 2018): y = trend · (1 + multiplicative terms) + additive
 * terms + noise. Every field has a default; `{ "family": "additive" }` is complete.
 */
export type AdditiveSpec = {
  readonly family: 'additive'
  readonly growth: 'linear' | 'flat' | 'logistic'
  /** What a logistic trend grows to; required by it, and above `floor`. */
  readonly capacity: number | null
  /** What a logistic trend grows from; 0 unless given. */
  readonly floor: number | null
  /** Where the rate may change; null spreads `changepointCount` over the begin of the series. */
  readonly changepoints: readonly DateOrStep[] | null
  readonly changepointCount: number
  /** The share of the observations over which changepoints are spread. */
  readonly changepointRange: number
  /** Scale of the Laplace prior of changes of the rate: larger bends more. */
  readonly changepointPriorScale: number
  readonly seasonMode: Mode
  readonly seasonPriorScale: number
  /** Order of the yearly season; 0 for none; null takes 10 if there are two years of dates. */
  readonly yearly: number | null
  /** Order of the weekly season; null takes 3 if there are two weeks of steps below a week. */
  readonly weekly: number | null
  /** Order of the daily season; null takes 4 if there are two days of steps below a day. */
  readonly daily: number | null
  /** Seasons besides; null takes `Series.seasons` where there is no calendar. */
  readonly seasons: readonly SeasonSpec[] | null
  readonly holidays: readonly HolidaySpec[]
  /** Prior scale of the effects of holidays and regressors that have none of their own. */
  readonly holidayPriorScale: number
  /** Null is as the seasons. */
  readonly holidayMode: Mode | null
  readonly regressors: readonly RegressorSpec[]
  /** Simulated paths behind the quantiles of a forecast. */
  readonly paths: number
}

/** Bounds of a spec: beyond them a design matrix costs more than it can tell. */
export const specLimits = {
  seasonsMax: 10,
  orderMax: 100,
  holidaysMax: 200,
  datesMax: 10_000,
  windowMax: 60,
  changepointsMax: 100,
  /** More would take a second to draw over the longest horizon. */
  pathsMax: 2_000,
  /** Columns of seasons, holidays and regressors together. */
  columnsMax: 600,
} as const

const modes = ['additive', 'multiplicative'] as const
const priorScale = <D extends number | null>(otherwise: D) => realNumber(1e-6, 1e6, otherwise)

const seasonFields = {
  name: nameField,
  period: realNumber(2, limits.seasonLengthMax, null),
  days: realNumber(1 / 86_400, 400_000, null),
  order: wholeNumber(1, specLimits.orderMax, null),
  priorScale: priorScale(null),
  mode: oneOf(modes, null),
}
const holidayFields = {
  name: nameField,
  dates: choiceOfDates(specLimits.datesMax, []),
  lowerWindow: wholeNumber(-specLimits.windowMax, 0, 0),
  upperWindow: wholeNumber(0, specLimits.windowMax, 0),
  priorScale: priorScale(null),
}
const regressorFields = {
  name: nameField,
  priorScale: priorScale(null),
  standardise: flag(null),
  mode: oneOf(modes, null),
}
const fields = {
  growth: oneOf(['linear', 'flat', 'logistic'] as const, 'linear'),
  capacity: realNumber(-limits.magnitudeMax, limits.magnitudeMax, null),
  floor: realNumber(-limits.magnitudeMax, limits.magnitudeMax, null),
  changepoints: choiceOfDates(specLimits.changepointsMax, null),
  changepointCount: wholeNumber(0, specLimits.changepointsMax, 25),
  changepointRange: realNumber(0, 1, 0.8),
  changepointPriorScale: priorScale(0.05),
  seasonMode: oneOf(modes, 'additive'),
  seasonPriorScale: priorScale(10),
  yearly: wholeNumber(0, specLimits.orderMax, null),
  weekly: wholeNumber(0, specLimits.orderMax, null),
  daily: wholeNumber(0, specLimits.orderMax, null),
  seasons: listOf(objectOf(seasonFields), specLimits.seasonsMax, null),
  holidays: listOf(objectOf(holidayFields), specLimits.holidaysMax, []),
  holidayPriorScale: priorScale(10),
  holidayMode: oneOf(modes, null),
  regressors: listOf(objectOf(regressorFields), limits.regressorsMax, []),
  paths: wholeNumber(100, specLimits.pathsMax, 1_000),
} satisfies Readonly<Record<string, Field<unknown>>>

/** Checks a user's spec and fills in what it leaves out. */
export function parseAdditiveSpec(spec: Readonly<Record<string, unknown>>): Outcome<AdditiveSpec> {
  const parsed = parseFields('additive', fields, spec)
  if (parsed.kind === 'refused') return parsed
  const fault = contradiction(parsed.value)
  if (fault === undefined) return parsed
  return { kind: 'refused', reason: { code: 'out-of-range', ...fault } }
}

function contradiction(spec: AdditiveSpec): { detail: string; field: string } | undefined {
  if (spec.growth === 'logistic') {
    if (spec.capacity === null) {
      return { detail: 'A logistic trend needs its capacity.', field: '/capacity' }
    }
    if (!(spec.capacity > (spec.floor ?? 0))) {
      return { detail: 'The capacity has to be above the floor.', field: '/capacity' }
    }
  } else if (spec.capacity !== null || spec.floor !== null) {
    const field = spec.capacity === null ? '/floor' : '/capacity'
    return { detail: 'Only a logistic trend has a capacity and a floor.', field }
  }
  for (const [i, { period, days }] of (spec.seasons ?? []).entries()) {
    if ((period === null) === (days === null)) {
      const detail = 'A season has either a period in steps or one in days.'
      return { detail, field: `/seasons/${i}/period` }
    }
  }
  const named = {
    seasons: spec.seasons ?? [],
    holidays: spec.holidays,
    regressors: spec.regressors,
  }
  const taken = new Set(['trend', 'yearly', 'weekly', 'daily'])
  for (const [list, items] of Object.entries(named)) {
    for (const [i, { name }] of items.entries()) {
      if (taken.has(name)) {
        const detail = `The name ${JSON.stringify(name)} is taken.`
        return { detail, field: `/${list}/${i}/name` }
      }
      taken.add(name)
    }
  }
  return undefined
}

/** Whether a spec speaks of dates, which only a calendar gives a meaning. */
export function needsCalendar(spec: AdditiveSpec): boolean {
  const isDate = (entry: DateOrStep) => typeof entry === 'string' && daysOfText(entry) !== undefined
  return (
    (spec.changepoints ?? []).some(isDate) ||
    spec.holidays.some(({ dates }) => dates.some(isDate)) ||
    (spec.seasons ?? []).some(({ days }) => days !== null) ||
    [spec.yearly, spec.weekly, spec.daily].some((order) => order !== null && order > 0)
  )
}
