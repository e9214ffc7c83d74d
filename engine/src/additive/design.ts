import type { Calendar } from '../series/calendar.ts'
import { dayMs, daysOfText } from '../series/calendar-dates.ts'
import { localsOf } from '../series/calendar-steps.ts'
import type { AdditiveSpec } from './spec.ts'

/** A season of a model: sines and cosines of a period in days or in steps. */
export type Season = {
  readonly name: string
  readonly unit: 'day' | 'step'
  readonly period: number
  readonly order: number
  readonly priorScale: number
  readonly multiplicative: boolean
}

/** A regressor of a model; it enters as (value - mean) / deviation. */
export type Regressor = {
  readonly name: string
  readonly priorScale: number
  readonly multiplicative: boolean
  readonly mean: number
  readonly deviation: number
}

/** Columns of the design that belong to one part: [from, to). */
type Part = { readonly name: string; readonly from: number; readonly to: number }

/** What turns numbers of steps into rows of the design matrix. */
export type Design = {
  readonly calendar: Calendar | null
  readonly seasons: readonly Season[]
  readonly regressors: readonly Regressor[]
  /** Seasons, holidays, regressors, in the order of their columns. */
  readonly parts: readonly Part[]
  readonly columns: number
  readonly priorScales: Float64Array
  /** 1 where a column multiplies the trend. */
  readonly multiplicative: Uint8Array
  readonly datedEffects: Effects
  readonly steppedEffects: Effects
}

/** When single columns are 1, ascending: days since 1970-01-01, or numbers of steps. */
type Effects = { readonly at: Float64Array; readonly columns: Int32Array }

export type DesignSource = Pick<Design, 'calendar' | 'seasons' | 'regressors'> & {
  readonly spec: AdditiveSpec
}

/** The design of a spec whose seasons and regressors are settled. */
export function makeDesign({ spec, calendar, seasons, regressors }: DesignSource): Design {
  const parts: Part[] = []
  const scales: number[] = []
  const multiplicative: number[] = []
  const add = (name: string, width: number, scale: number, multiplies: boolean) => {
    parts.push({ name, from: scales.length, to: scales.length + width })
    for (let i = 0; i < width; i++) {
      scales.push(scale)
      multiplicative.push(multiplies ? 1 : 0)
    }
  }
  for (const season of seasons) {
    add(season.name, 2 * season.order, season.priorScale, season.multiplicative)
  }
  const holidaysMultiply = (spec.holidayMode ?? spec.seasonMode) === 'multiplicative'
  const dated: Effect[] = []
  const stepped: Effect[] = []
  for (const { name, dates, lowerWindow, upperWindow, priorScale } of spec.holidays) {
    const from = scales.length
    add(name, upperWindow - lowerWindow + 1, priorScale ?? spec.holidayPriorScale, holidaysMultiply)
    for (const date of dates) {
      const at = typeof date === 'string' ? daysOfText(date) : date
      if (at === undefined) continue
      const list = typeof date === 'string' ? dated : stepped
      for (let offset = lowerWindow; offset <= upperWindow; offset++) {
        list.push({ at: at + offset, column: from + offset - lowerWindow })
      }
    }
  }
  for (const regressor of regressors) {
    add(regressor.name, 1, regressor.priorScale, regressor.multiplicative)
  }
  return {
    ...{ calendar, seasons, regressors, parts },
    columns: scales.length,
    priorScales: Float64Array.from(scales),
    multiplicative: Uint8Array.from(multiplicative),
    datedEffects: sorted(dated),
    steppedEffects: sorted(stepped),
  }
}

/** Days since the local 1970-01-01 of steps, or their numbers where there is no calendar. */
export function timesOf(calendar: Calendar | null, from: number, count: number): Float64Array {
  if (calendar === null) return Float64Array.from({ length: count }, (_, i) => from + i)
  const times = localsOf(calendar, from, count)
  for (let i = 0; i < count; i++) times[i] = times[i]! / dayMs
  return times
}

/** Some steps of a series: their times, and their rows of the design, row-major. */
export type Rows = { readonly times: Float64Array; readonly features: Float64Array }

/**
 * The rows of `count` steps from number `from` on. Regressors are read from `x`, in the order of
 * the design's, at the number less `base`.
 */
export function rowsOf(
  design: Design,
  from: number,
  count: number,
  x: readonly Float64Array[],
  base: number,
): Rows {
  const { columns, seasons, regressors, calendar } = design
  const features = new Float64Array(count * columns)
  const times = timesOf(calendar, from, count + 1)
  let first = 0
  for (const { unit, period, order } of seasons) {
    for (let i = 0; i < count; i++) {
      const turns = (unit === 'day' ? times[i]! : from + i) / period
      fillHarmonics(features, i * columns + first, order, turns - Math.floor(turns))
    }
    first += 2 * order
  }
  if (calendar !== null) {
    fillEffects(design.datedEffects, features, columns, count, (i) => {
      // A step covers the dates up to the next one: a holiday in a month is one of that month.
      const day = Math.floor(times[i]!)
      return { from: day, to: Math.max(day + 1, Math.floor(times[i + 1]!)) }
    })
  }
  fillEffects(design.steppedEffects, features, columns, count, (i) => ({
    from: from + i,
    to: from + i + 1,
  }))
  first = columns - regressors.length
  for (const [k, { mean, deviation }] of regressors.entries()) {
    const values = x[k]!
    for (let i = 0; i < count; i++) {
      features[i * columns + first + k] = (values[from + i - base]! - mean) / deviation
    }
  }
  return { times: times.subarray(0, count), features }
}

type Effect = { readonly at: number; readonly column: number }

function sorted(effects: Effect[]): Effects {
  effects.sort((a, b) => a.at - b.at || a.column - b.column)
  return {
    at: Float64Array.from(effects, ({ at }) => at),
    columns: Int32Array.from(effects, ({ column }) => column),
  }
}

/** Sine and cosine of 1 to `order` times an angle, by the theorem of addition. */
function fillHarmonics(out: Float64Array, at: number, order: number, turn: number): void {
  const angle = 2 * Math.PI * turn
  const sine = Math.sin(angle)
  const cosine = Math.cos(angle)
  let s = sine
  let c = cosine
  for (let i = 0; i < order; i++) {
    out[at + 2 * i] = s
    out[at + 2 * i + 1] = c
    const next = s * cosine + c * sine
    c = c * cosine - s * sine
    s = next
  }
}

function fillEffects(
  { at, columns }: Effects,
  out: Float64Array,
  width: number,
  count: number,
  spanOf: (i: number) => { readonly from: number; readonly to: number },
): void {
  if (at.length === 0) return
  for (let i = 0; i < count; i++) {
    const { from, to } = spanOf(i)
    for (let k = lowerBound(at, from); k < at.length && at[k]! < to; k++) {
      out[i * width + columns[k]!] = 1
    }
  }
}

function lowerBound(values: Float64Array, least: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle]! < least) low = middle + 1
    else high = middle
  }
  return low
}
