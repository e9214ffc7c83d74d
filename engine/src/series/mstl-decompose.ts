import type { Budget } from '../numeric/budget.ts'
import { stl } from './stl.ts'
import { smooth } from './stl-loess.ts'

/** A series of several seasons taken apart: y = trend + the sum of seasonals + remainder. */
export type Mstl = {
  /** The season lengths that were taken out, ascending. */
  readonly seasons: readonly number[]
  /** One for each of them, as long as the series. */
  readonly seasonals: readonly Float64Array[]
  readonly trend: Float64Array
  /** False when the budget ended it: the parts are those of the last whole pass. */
  readonly complete: boolean
}

export type MstlOptions = {
  /** Whether outliers lose their weight. */
  readonly robust: boolean
  /** Times that every season is taken out anew, given the others: 2 when absent. */
  readonly iterations?: number
}

/** Cycles over which the pattern of the first, second, … season is smoothed; R's choice too. */
export function seasonalWindow(rank: number): number {
  return 7 + 4 * (rank + 1)
}

/** A pattern is known from two whole cycles at least; a longer season is left alone. */
export function usableSeasons(length: number, seasons: readonly number[]): readonly number[] {
  return seasons.filter((period) => period >= 2 && 2 * period <= length)
}

/**
 * MSTL: Bandara, Hyndman and Bergmeir (2021), arXiv:2107.13462. Each season in turn is taken by STL
 * from the series without the others, the shortest first, and again. The series has no gaps.
 */
export function mstlDecompose(
  y: Float64Array,
  seasons: readonly number[],
  { robust, iterations = 2 }: MstlOptions,
  budget?: Budget,
): Mstl {
  const used = usableSeasons(y.length, seasons)
  if (used.length === 0) return withoutSeasons(y, budget)
  const seasonals = used.map(() => new Float64Array(y.length))
  const rest = y.slice()
  let trend = new Float64Array(y.length)
  // One season alone is the same each time.
  const rounds = used.length === 1 ? 1 : iterations
  for (let round = 0; round < rounds; round++) {
    for (const [i, period] of used.entries()) {
      const seasonal = seasonals[i]!
      for (let t = 0; t < y.length; t++) rest[t]! += seasonal[t]!
      const options = {
        period,
        seasonalWindow: seasonalWindow(i),
        seasonalDegree: 0,
        inner: robust ? 1 : 2,
        outer: robust ? outerPasses : 0,
      } as const
      const parts = stl(rest, options, budget)
      if (!parts.complete) return { seasons: used, seasonals, trend, complete: false }
      seasonal.set(parts.seasonal)
      trend = new Float64Array(parts.trend)
      for (let t = 0; t < y.length; t++) rest[t]! -= seasonal[t]!
    }
  }
  return { seasons: used, seasonals, trend, complete: true }
}

/** Weights settle within a few passes; the paper of STL says 5 are safe when they converge. */
const outerPasses = 8

function withoutSeasons(y: Float64Array, budget: Budget | undefined): Mstl {
  const trend = new Float64Array(y.length)
  const window = 2 * Math.floor(y.length / 4) + 1
  const loess = { window, degree: 1, jump: Math.ceil(window / 10) } as const
  const complete = y.length === 0 || smooth(y, y.length, loess, undefined, trend, 0, budget)
  return { seasons: [], seasonals: [], trend, complete }
}
