import { largest } from '../numeric/magnitude.ts'
import { difference, differencing } from './difference.ts'
import { seasonalStrength } from './seasonal-strength.ts'

/**
 * The statistic of Kwiatkowski, Phillips, Schmidt and Shin (1992) for stationarity around a level
 * or a linear trend: large for a unit root. The long-run variance is Bartlett's over `lag` lags.
 * Zero where nothing varies; missing values are left out and the rest closes up. Many lags of a
 * long series take a while: once `look`, told of each lag's products, says stop, it is zero.
 */
export function kpssStatistic(
  y: Float64Array,
  around: 'level' | 'trend' = 'level',
  lag: number = kpssLag(countOf(y)),
  look?: Look,
): number {
  const e = residuals(y, around)
  const n = e.length
  let squares = 0
  for (let t = 0; t < n; t++) squares += e[t]! * e[t]!
  if (!(squares > 0)) return 0
  let longRun = squares
  for (let k = 1; k <= Math.min(lag, n - 1); k++) {
    if (look?.(n) === false) return 0
    let products = 0
    for (let t = k; t < n; t++) products += e[t]! * e[t - k]!
    longRun += 2 * (1 - k / (lag + 1)) * products
  }
  let partial = 0
  let sum = 0
  for (let t = 0; t < n; t++) {
    partial += e[t]!
    sum += partial * partial
  }
  return longRun > 0 ? sum / (n * longRun) : 0
}

/** Is told of some work before it is done; false when there is no time for it. */
type Look = (products: number) => boolean

/** Lags of the long-run variance: ⌊3√n/13⌋, the rule of `ndiffs` in R's forecast package. */
export function kpssLag(n: number): number {
  return Math.floor((3 * Math.sqrt(n)) / 13)
}

/** Values of the statistic above which stationarity is refused at 5% (1992, table 1). */
const kpssCritical = { level: 0.463, trend: 0.146 } as const

/**
 * Ordinary differences until the KPSS test around a level accepts what is left as stationary, at
 * most `most`; none is taken of what does not vary, or where `look` leaves no time for the test.
 */
export function ordinaryDifferences(y: Float64Array, most: number, look?: Look): number {
  const noise = constantWithin * largest(y)
  let left = y
  for (let d = 0; d < most; d++) {
    if (isConstant(left, noise) || countOf(left) < testableMin) return d
    if (kpssStatistic(left, 'level', undefined, look) <= kpssCritical.level) return d
    left = difference(firstDifference, left)
  }
  return most
}

/**
 * Seasonal differences, 0 or 1: one when the seasonal strength of Wang, Smith and Hyndman (2006)
 * is above 0.64, the rule of `nsdiffs` in R's forecast package. None of a series that has not more
 * than two seasons, or that does not vary.
 */
export function seasonalDifferences(y: Float64Array, season: number): number {
  if (season < 2 || y.length <= 2 * season) return 0
  if (isConstant(y, constantWithin * largest(y))) return 0
  return seasonalStrength(y, season) > strengthMin ? 1 : 0
}

/** Whether values lie within `noise` of each other; missing ones do not count. */
function isConstant(y: Float64Array, noise: number): boolean {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of y) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return !(high - low > noise)
}

/** Differences of values that were rounded vary by about this much of the largest value. */
const constantWithin: number = 16 * Number.EPSILON

const strengthMin = 0.64
/** Below this many values the statistic says nothing. */
const testableMin = 5
const firstDifference = differencing(1, 0)

/** Deviations from the mean or the fitted line of what is not missing, scaled to at most one. */
function residuals(y: Float64Array, around: 'level' | 'trend'): Float64Array {
  const values = y.filter((value) => !Number.isNaN(value))
  const n = values.length
  const scale = largest(values)
  if (scale === 0) return values
  let mean = 0
  for (let t = 0; t < n; t++) {
    values[t] = values[t]! / scale
    mean += values[t]! / n
  }
  let slope = 0
  const centre = (n - 1) / 2
  if (around === 'trend' && n > 1) {
    for (let t = 0; t < n; t++) slope += (t - centre) * (values[t]! - mean)
    slope /= (n * (n * n - 1)) / 12
  }
  for (let t = 0; t < n; t++) values[t] = values[t]! - mean - slope * (t - centre)
  if (largest(values) <= constantWithin) values.fill(0)
  return values
}

function countOf(y: Float64Array): number {
  let count = 0
  for (const value of y) if (!Number.isNaN(value)) count++
  return count
}
