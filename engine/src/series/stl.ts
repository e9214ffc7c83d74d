import type { Budget } from '../numeric/budget.ts'
import { assert } from '../outcome.ts'
import { fitAt, type Loess, smooth } from './stl-loess.ts'
import { robustWeights } from './stl-weights.ts'

/**
 * How a series is taken apart. Windows are odd numbers of points; a jump of 1 fits every point,
 * else a tenth of the window is jumped over, which long series hardly show.
 */
export type StlOptions = {
  /** Observations in a season, at least 2; the series covers at least two of them. */
  readonly period: number
  /** Years (cycles) over which the seasonal pattern is smoothed; the same in all of them else. */
  readonly seasonalWindow: number | 'periodic'
  /** The least odd number not below 1.5 · period / (1 - 1.5 / seasonal window) when absent. */
  readonly trendWindow?: number
  /** The least odd number not below the period when absent. */
  readonly lowPassWindow?: number
  /** 1 when absent; a periodic pattern is constant anyway. */
  readonly seasonalDegree?: 0 | 1
  readonly seasonalJump?: number
  readonly trendJump?: number
  readonly lowPassJump?: number
  /** Passes of the inner loop: 5 when absent, 2 with robust weights. */
  readonly inner?: number
  /** Times that outliers lose weight: 0 when absent. */
  readonly outer?: number
}

/** y = seasonal + trend + remainder. */
export type Stl = {
  readonly seasonal: Float64Array
  readonly trend: Float64Array
  /** Robustness weights in [0, 1]; all 1 without an outer loop. */
  readonly weights: Float64Array
  /** False when the budget ended the loops: the parts are those of the last whole pass. */
  readonly complete: boolean
}

/**
 * The seasonal-trend decomposition by loess of a series without gaps: R. B. Cleveland, W. S.
 * Cleveland, McRae and Terpenning (1990), Journal of Official Statistics 6, 3-73.
 */
export function stl(y: Float64Array, options: StlOptions, budget?: Budget): Stl {
  const n = y.length
  const { period } = options
  const covered = Number.isInteger(period) && period >= 2 && 2 * period <= n
  assert(covered, 'a series that is taken apart covers two seasons')
  const plan = planOf(n, options)
  const work = makeWork(n, plan.period)
  const seasonal = new Float64Array(n)
  const trend = new Float64Array(n)
  const weights = new Float64Array(n).fill(1)
  let complete = true
  for (let outer = 0; outer <= plan.outer && complete; outer++) {
    if (outer > 0) robustWeights(y, seasonal, trend, weights)
    for (let inner = 0; inner < plan.inner && complete; inner++) {
      const robust = outer > 0 ? weights : undefined
      complete = innerPass(y, plan, robust, work, seasonal, trend, budget)
    }
  }
  if (options.seasonalWindow === 'periodic') averageCycles(seasonal, plan.period)
  return { seasonal, trend, weights, complete }
}

/** The least odd number not below x. */
function oddAtLeast(x: number): number {
  const whole = Math.ceil(x)
  return whole % 2 === 0 ? whole + 1 : whole
}

type Plan = {
  readonly period: number
  readonly seasonal: Loess
  readonly trend: Loess
  readonly lowPass: Loess
  readonly inner: number
  readonly outer: number
}

type Work = {
  /** n + 2 values: the second moving average has so many. */
  readonly detrended: Float64Array
  /** n + 2 · period values: the smoothed sub-series reach one season beyond both ends. */
  readonly cycles: Float64Array
  readonly filtered: Float64Array
  readonly subseries: Float64Array
  readonly subweights: Float64Array
  readonly subsmooth: Float64Array
}

function planOf(n: number, options: StlOptions): Plan {
  const { period, outer = 0, inner = outer > 0 ? 2 : 5 } = options
  const periodic = options.seasonalWindow === 'periodic'
  const seasonalWindow = periodic ? 10 * n + 1 : Number(options.seasonalWindow)
  const trendWindow = options.trendWindow ?? oddAtLeast((1.5 * period) / (1 - 1.5 / seasonalWindow))
  const lowPassWindow = options.lowPassWindow ?? oddAtLeast(period)
  const degree = periodic ? 0 : (options.seasonalDegree ?? 1)
  return {
    period,
    seasonal: loessOf(seasonalWindow, degree, options.seasonalJump),
    trend: loessOf(trendWindow, 1, options.trendJump),
    lowPass: loessOf(lowPassWindow, 1, options.lowPassJump),
    inner,
    outer,
  }
}

function loessOf(window: number, degree: 0 | 1, jump = Math.ceil(window / 10)): Loess {
  return { window, degree, jump }
}

function makeWork(n: number, period: number): Work {
  const cycleLength = Math.ceil(n / period)
  return {
    detrended: new Float64Array(n + 2),
    cycles: new Float64Array(n + 2 * period),
    filtered: new Float64Array(n + 2 * period),
    subseries: new Float64Array(cycleLength),
    subweights: new Float64Array(cycleLength),
    subsmooth: new Float64Array(cycleLength + 2),
  }
}

/** Section 2.2 of the paper, steps 1 to 6; the parts change only when the whole pass is done. */
function innerPass(
  y: Float64Array,
  plan: Plan,
  weights: Float64Array | undefined,
  work: Work,
  seasonal: Float64Array,
  trend: Float64Array,
  budget: Budget | undefined,
): boolean {
  const n = y.length
  const { period } = plan
  const { detrended, cycles, filtered } = work
  for (let t = 0; t < n; t++) detrended[t] = y[t]! - trend[t]!
  // Looks at the clock between the loops that smooth nothing: on long series each takes its time.
  if (budget?.spend(n) === false) return false
  if (!smoothCycles(n, plan, weights, work, budget)) return false
  movingAverage(cycles, n + 2 * period, period, filtered)
  movingAverage(filtered, n + period + 1, period, detrended)
  movingAverage(detrended, n + 2, 3, filtered)
  if (budget?.spend(n) === false) return false
  if (!smooth(filtered, n, plan.lowPass, undefined, detrended, 0, budget)) return false
  for (let t = 0; t < n; t++) {
    const season = cycles[t + period]! - detrended[t]!
    cycles[t] = season
    filtered[t] = y[t]! - season
  }
  if (!smooth(filtered, n, plan.trend, weights, detrended, 0, budget)) return false
  seasonal.set(cycles.subarray(0, n))
  trend.set(detrended.subarray(0, n))
  return true
}

/** Step 2: each sub-series of one phase of the season, one value longer at both ends. */
function smoothCycles(
  n: number,
  { period, seasonal: loess }: Plan,
  weights: Float64Array | undefined,
  { detrended, cycles, subseries, subweights, subsmooth }: Work,
  budget: Budget | undefined,
): boolean {
  const robust = weights === undefined ? undefined : subweights
  for (let phase = 0; phase < period; phase++) {
    const length = Math.floor((n - 1 - phase) / period) + 1
    for (let i = 0; i < length; i++) subseries[i] = detrended[i * period + phase]!
    if (weights !== undefined) {
      for (let i = 0; i < length; i++) subweights[i] = weights[i * period + phase]!
    }
    if (!smooth(subseries, length, loess, robust, subsmooth, 1, budget)) return false
    const before = fitAt(subseries, length, loess, robust, -1, 0)
    const left = Math.max(0, length - loess.window)
    const after = fitAt(subseries, length, loess, robust, length, left)
    subsmooth[0] = Number.isNaN(before) ? subsmooth[1]! : before
    subsmooth[length + 1] = Number.isNaN(after) ? subsmooth[length]! : after
    for (let i = 0; i < length + 2; i++) cycles[i * period + phase] = subsmooth[i]!
  }
  return true
}

/** Averages of `width` values of x[0 … n-1]: n - width + 1 of them, by a running sum. */
function movingAverage(x: Float64Array, n: number, width: number, out: Float64Array): void {
  let sum = 0
  for (let i = 0; i < width; i++) sum += x[i]!
  out[0] = sum / width
  for (let i = width; i < n; i++) {
    sum += x[i]! - x[i - width]!
    out[i - width + 1] = sum / width
  }
}

/** A periodic pattern has the mean of each phase in every cycle. */
function averageCycles(seasonal: Float64Array, period: number): void {
  const n = seasonal.length
  for (let phase = 0; phase < period; phase++) {
    let sum = 0
    let count = 0
    for (let t = phase; t < n; t += period) {
      sum += seasonal[t]!
      count++
    }
    for (let t = phase; t < n; t += period) seasonal[t] = sum / count
  }
}
