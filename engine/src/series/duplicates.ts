import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done, refused } from '../outcome.ts'

/** What becomes of several values at one instant. */
export type DuplicateRule = 'refuse' | 'sum' | 'mean' | 'first' | 'last'

/** What was done to some observations, in counts. */
export type Cleaning = {
  /** Observations that came before an earlier one. */
  readonly outOfOrder: number
  /** Observations beyond the first at their instant, and how many instants had such. */
  readonly duplicates: number
  readonly duplicatedInstants: number
  /** Steps of the grid without an observation: missing values were put there. */
  readonly inserted: number
  /** Values that were missing as they came. */
  readonly missing: number
}

export type Cleaned = {
  /** Ascending, each once. */
  readonly instants: Float64Array
  readonly y: Float64Array
  readonly cleaning: Cleaning
}

/**
 * Observations as a series wants them: sorted by instant (in milliseconds, in the order of arrival
 * where equal), one at each instant, and with a grid, one at each of its steps. A missing value
 * counts in `first` and `last` only if all are missing, and in `sum` and `mean` never. Instants off
 * the grid are refused: moving an observation is a decision for its owner.
 */
export function cleanObservations(
  instants: ArrayLike<number>,
  values: ArrayLike<number>,
  rule: DuplicateRule = 'refuse',
  grid?: Float64Array,
): Outcome<Cleaned> {
  if (instants.length !== values.length) {
    const detail = `There are ${instants.length} instants and ${values.length} values.`
    return refused({ code: 'wrong-length', detail, field: '/y' })
  }
  for (let i = 0; i < instants.length; i++) {
    if (Number.isFinite(instants[i]!)) continue
    const detail = `Instant ${i} is not a number of milliseconds.`
    return refused({ code: 'not-finite', detail, field: `/instants/${i}` })
  }
  const merged = merge(instants, values, rule)
  if (merged.kind === 'refused' || grid === undefined) return merged
  return ontoGrid(merged.value, grid)
}

/** The steps from the first instant to the last, `stepMs` apart: the grid of a fixed step. */
export function fixedGrid(instants: Float64Array, stepMs: number): Outcome<Float64Array> {
  if (!(stepMs > 0) || !Number.isFinite(stepMs)) {
    const detail = 'A step has to be a positive number of milliseconds.'
    return refused({ code: 'out-of-range', detail, field: '/step' })
  }
  if (instants.length === 0) return done(new Float64Array(0))
  const first = instants.reduce((least, at) => Math.min(least, at))
  const last = instants.reduce((most, at) => Math.max(most, at))
  const length = Math.floor((last - first) / stepMs + 1e-9) + 1
  if (!(length <= limits.observationsMax)) {
    const detail =
      `From the first instant to the last there are ${length} steps; ` +
      `at most ${limits.observationsMax} are taken.`
    return refused({ code: 'too-long', detail, field: '/instants', remedy: 'Use a longer step.' })
  }
  return done(Float64Array.from({ length }, (_, i) => first + i * stepMs))
}

function merge(
  instants: ArrayLike<number>,
  values: ArrayLike<number>,
  rule: DuplicateRule,
): Outcome<Cleaned> {
  const { length } = values
  const order = Uint32Array.from({ length }, (_, i) => i)
  let outOfOrder = 0
  let latest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < length; i++) {
    if (instants[i]! < latest) outOfOrder++
    else latest = instants[i]!
  }
  if (outOfOrder > 0) order.sort((a, b) => instants[a]! - instants[b]! || a - b)
  const sorted = new Float64Array(length)
  const y = new Float64Array(length)
  const cleaning = { outOfOrder, duplicates: 0, duplicatedInstants: 0, inserted: 0, missing: 0 }
  let count = 0
  for (let from = 0; from < length; ) {
    const at = instants[order[from]!]!
    let to = from
    for (; to < length && instants[order[to]!] === at; to++) {
      if (Number.isNaN(values[order[to]!]!)) cleaning.missing++
    }
    if (to - from > 1) {
      if (rule === 'refuse') return refuseDuplicate(order[from + 1]!, to - from, at)
      cleaning.duplicates += to - from - 1
      cleaning.duplicatedInstants++
    }
    sorted[count] = at
    y[count] = mergedValue(values, order.subarray(from, to), rule)
    count++
    from = to
  }
  return done({ instants: sorted.slice(0, count), y: y.slice(0, count), cleaning })
}

function mergedValue(values: ArrayLike<number>, group: Uint32Array, rule: DuplicateRule): number {
  let merged = Number.NaN
  let count = 0
  for (let i = 0; i < group.length; i++) {
    const value = values[group[i]!]!
    if (Number.isNaN(value)) continue
    count++
    if (count === 1 || rule === 'last') merged = value
    else if (rule === 'sum') merged += value
    else if (rule === 'mean') merged += (value - merged) / count
  }
  return merged
}

function refuseDuplicate(index: number, count: number, instant: number): Outcome<never> {
  return refused({
    code: 'duplicate',
    detail: `There are ${count} observations at the instant ${instant}.`,
    field: `/instants/${index}`,
    remedy: 'Say how to merge them: sum, mean, first or last.',
  })
}

/** Both ascend; observations before the grid, after it or between its steps are refused. */
function ontoGrid({ instants, y, cleaning }: Cleaned, grid: Float64Array): Outcome<Cleaned> {
  const values = new Float64Array(grid.length).fill(Number.NaN)
  let step = 0
  for (let i = 0; i < instants.length; i++) {
    while (step < grid.length && grid[step]! < instants[i]!) step++
    if (step === grid.length || grid[step] !== instants[i]) {
      return refused({
        code: 'off-grid',
        detail: `The instant ${instants[i]} is not one of the steps of the series.`,
        field: '/instants',
        remedy: 'Choose another step, or move the observation.',
      })
    }
    values[step] = y[i]!
  }
  const inserted = grid.length - instants.length
  return done({ instants: grid.slice(), y: values, cleaning: { ...cleaning, inserted } })
}
