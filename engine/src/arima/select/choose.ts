import type { Budget } from '../../numeric/budget.ts'
import { difference, differencing } from '../../series/difference.ts'
import { ordinaryDifferences, seasonalDifferences } from '../../series/differencing-tests.ts'
import { makeColumnBasis } from '../columns.ts'
import { ones } from '../likelihood.ts'
import type { Orders } from '../orders.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { type Search, searchOrders } from './search.ts'
import type { Maxima, Space } from './steps.ts'

/** A series and the columns that explain it, transformed by the caller; NaN in `y` is missing. */
export type Regression = {
  readonly y: Float64Array
  /** As long as `y`, complete. */
  readonly columns: readonly Float64Array[]
}

/** What is chosen: orders, and the search behind them unless there was nothing to search in. */
export type Choice = { readonly orders: Orders; readonly search: Search | undefined }

/** The bounds of `auto.arima` in R. */
export const maximaDefault: Maxima = { p: 5, q: 5, P: 2, Q: 2, total: 5 }

/**
 * The orders of an ARIMA model: first the differences by tests (seasonal strength, then KPSS) of
 * what least squares on the columns leaves, then the terms by a search at those differences, so
 * that no criterion is compared across them.
 */
export function chooseOrders(
  regression: Regression,
  season: number,
  maxima: Maxima,
  budget: Budget,
): Choice {
  const { y, columns } = regression
  const { d, D } = chooseDifferences(regression, season, budget)
  const withConstant = d + D < 2
  const orders = { ...noTerms, d, D, seasonLength: season, constant: withConstant }
  const prepared = (constant: boolean) => prepare(y, columns, { ...orders, constant })
  const centred = prepared(withConstant)
  if (centred.exact !== undefined) return { orders, search: undefined }
  const plain: Prepared = withConstant ? prepared(false) : centred
  const space: Space = {
    d,
    D,
    seasonLength: season,
    differenceLag: 0,
    maxima: boundedMaxima(maxima, countOf(y), season),
    constants: withConstant ? [true, false] : [false],
  }
  const search = searchOrders({ centred, plain }, space, budget)
  // Scaling by c adds 2 log c to the criterion of every model, for each difference.
  const shift = 2 * search.estimate.observed * Math.log(centred.scale)
  const candidates = search.candidates.map((candidate) =>
    candidate.aicc === undefined ? candidate : { ...candidate, aicc: candidate.aicc + shift },
  )
  return { orders: search.orders, search: { ...search, candidates } }
}

const noTerms = { p: 0, q: 0, P: 0, Q: 0, differenceLag: 0 } as const

/** Differences by tests, but never so many that too little is left to fit a constant to. */
function chooseDifferences(
  regression: Regression,
  season: number,
  budget: Budget,
): { d: number; D: number } {
  const rest = withoutColumns(regression)
  const needed = regression.columns.length + 4
  for (const D of seasonalDifferences(rest, season) === 1 ? [1, 0] : [0]) {
    const once = difference(differencing(0, D * season), rest)
    if (countOf(once) < needed) continue
    for (let d = ordinaryDifferences(once, 2 - D, budget.look); d > 0; d--) {
      if (countOf(difference(differencing(d, 0), once)) >= needed) return { d, D }
    }
    return { d: 0, D }
  }
  return { d: 0, D: 0 }
}

/** A term needs three observations for each of its lags; a long season costs too much. */
function boundedMaxima(maxima: Maxima, observed: number, season: number): Maxima {
  const most = (largest: number, lag: number) => Math.min(largest, Math.floor(observed / 3 / lag))
  const within = season === 1 ? Number.POSITIVE_INFINITY : season - 1
  const seasonal = season > 1 && season <= seasonMax
  return {
    p: Math.min(within, most(maxima.p, 1)),
    q: Math.min(within, most(maxima.q, 1)),
    P: seasonal ? most(maxima.P, season) : 0,
    Q: seasonal ? most(maxima.Q, season) : 0,
    total: maxima.total,
  }
}

/** Beyond a season of this many observations Fourier terms serve better than seasonal lags. */
const seasonMax = 60

function withoutColumns({ y, columns }: Regression): Float64Array {
  if (columns.length === 0) return y
  return makeColumnBasis(y, [ones(y.length), ...columns]).series[0]!
}

function countOf(values: Float64Array): number {
  let count = 0
  for (const value of values) if (!Number.isNaN(value)) count++
  return count
}
