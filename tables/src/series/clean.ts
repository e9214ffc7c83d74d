import { limits } from '../limits.ts'
import type { SeriesRules } from '../recipe/recipe.ts'
import { fillBetween, fillForward, fillZero } from './gaps.ts'
import { levelShiftsOf } from './level-shifts.ts'
import { outliersOf } from './outliers.ts'

/** The observations of a series as they come: periods ascend, each once. */
export type RawSeries = { readonly periods: Float64Array; readonly values: Float64Array }

/** A value that was changed, or that somebody should look at. */
type SeriesChange = {
  readonly step: 'stockOuts' | 'levelShifts' | 'outliers'
  /** Few in number: they are counted. */
  readonly reason: string
  readonly isFlag: boolean
  readonly period: number
  readonly before: number
  /** NaN: missing since. */
  readonly after: number
}

export type CleanSeries = {
  readonly firstPeriod: number
  readonly y: Float64Array
  readonly changes: readonly SeriesChange[]
  /** Periods that had no row, and how many observations were filled. */
  readonly absent: number
  readonly filled: number
}

/**
 * A series on all of its periods, cleaned. First the periods without a row get what a table without
 * them means by that (zero, or nobody knows); then stock-outs are set missing, level shifts and
 * outliers looked for; and at the end, what is to be filled from its neighbours is filled.
 * Undefined when it would be too long.
 */
export function cleanSeries(
  raw: RawSeries,
  rules: SeriesRules,
  lastOfTable: number,
): CleanSeries | undefined {
  const firstPeriod = raw.periods[0]!
  const last = rules.gaps.until === 'table' ? lastOfTable : raw.periods.at(-1)!
  const length = last - firstPeriod + 1
  if (length > limits.periodsMax) return undefined
  const y = new Float64Array(length).fill(Number.NaN)
  const marked = new Uint8Array(length).fill(1)
  for (const [i, period] of raw.periods.entries()) {
    y[period - firstPeriod] = raw.values[i]!
    marked[period - firstPeriod] =
      rules.gaps.of === 'missing' && Number.isNaN(raw.values[i]!) ? 1 : 0
  }
  const absent = length - raw.periods.length
  const changes: SeriesChange[] = []
  const change: Change = (step, reason, at, after) => {
    const isFlag = rules[step]?.do === 'flag'
    changes.push({ step, reason, isFlag, period: firstPeriod + at, before: y[at]!, after })
    if (!isFlag) y[at] = after
  }
  let filled = rules.gaps.fill === 'zero' ? fillZero(y, marked) : 0
  takeOutZeros(y, rules.stockOuts, change)
  levelOut(y, rules.levelShifts, change)
  mend(y, rules.outliers, change)
  // Those that have become missing by now are, too.
  if (rules.gaps.of === 'missing') marked.fill(1)
  if (rules.gaps.fill === 'forward') filled = fillForward(y, marked)
  if (rules.gaps.fill === 'interpolate') filled = fillBetween(y, marked)
  return { firstPeriod, y, changes, absent, filled }
}

/** Sets an observation, unless its step is only to tell. */
type Change = (step: SeriesChange['step'], reason: string, at: number, after: number) => void

/** Zeros at the beginning may be from before the first sale, and those at the end go on. */
function takeOutZeros(y: Float64Array, rule: SeriesRules['stockOuts'], change: Change): void {
  if (rule === null) return
  let from = -1
  for (let at = 1; at < y.length; at++) {
    if (y[at] === 0) {
      if (from < 0 && y[at - 1] !== 0) from = at
      continue
    }
    if (from >= 0 && at - from >= rule.zeros)
      for (let zero = from; zero < at; zero++)
        change('stockOuts', 'one of several zeros in a row', zero, Number.NaN)
    from = -1
  }
}

/** All before a shift is moved to the level after it, as that is the one that goes on. */
function levelOut(y: Float64Array, rule: SeriesRules['levelShifts'], change: Change): void {
  if (rule === null) return
  const shifts = levelShiftsOf(y, rule.window, rule.threshold)
  if (rule.do === 'flag') {
    for (const { at } of shifts) change('levelShifts', 'the level moves here', at, y[at]!)
    return
  }
  const isPositive = y.every((value) => !(value < 0))
  let total = shifts.reduce((sum, { difference }) => sum + difference, 0)
  let next = 0
  for (const { at, difference } of shifts) {
    for (; next < at; next++) {
      // Sales that were moved below nothing would be no sales.
      const after = isPositive ? Math.max(0, y[next]! + total) : y[next]! + total
      if (Number.isNaN(after) || after === y[next]) continue
      change('levelShifts', 'the level moves after it', next, after)
    }
    total -= difference
  }
}

function mend(y: Float64Array, rule: SeriesRules['outliers'], change: Change): void {
  if (rule === null) return
  for (const { at, median } of outliersOf(y, rule.reach, rule.threshold))
    change('outliers', 'it is far from the median around it', at, median)
}
