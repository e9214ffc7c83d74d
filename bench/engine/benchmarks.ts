/** Repeats the last season, or the last value where there is not a season yet. */
export function seasonalNaive(train: Float64Array, season: number, horizon: number): Float64Array {
  const lag = train.length >= season ? season : 1
  return Float64Array.from({ length: horizon }, (_, h) => train[train.length - lag + (h % lag)]!)
}

/**
 * Naive2 of the M competitions: the last value of the seasonally adjusted series, times the season.
 * Adjusted by classical multiplicative decomposition, and only where the autocorrelation at the
 * seasonal lag is significant at 90% and no value is zero or below.
 */
export function naive2(train: Float64Array, season: number, horizon: number): Float64Array {
  const indices = isSeasonal(train, season) ? seasonalIndices(train, season) : undefined
  const last = train.length - 1
  if (indices === undefined) return new Float64Array(horizon).fill(train[last]!)
  const level = train[last]! / indices[last % season]!
  return Float64Array.from(
    { length: horizon },
    (_, h) => level * indices[(train.length + h) % season]!,
  )
}

function isSeasonal(y: Float64Array, season: number): boolean {
  if (season < 2 || y.length < 3 * season || y.some((value) => value <= 0)) return false
  const r = autocorrelations(y, season)
  const limit = 1.645 * Math.sqrt((1 + 2 * sumOfSquares(r.subarray(0, season - 1))) / y.length)
  return Math.abs(r[season - 1]!) > limit
}

/** Lags 1 to `most`. */
function autocorrelations(y: Float64Array, most: number): Float64Array {
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length
  const deviations = y.map((value) => value - mean)
  const variance = sumOfSquares(deviations)
  return Float64Array.from({ length: most }, (_, at) => {
    let product = 0
    for (let t = at + 1; t < y.length; t++) product += deviations[t]! * deviations[t - at - 1]!
    return product / variance
  })
}

/** Means of the values over their centred moving average, scaled to a mean of 1. */
function seasonalIndices(y: Float64Array, season: number): Float64Array {
  const half = Math.floor(season / 2)
  const sums = new Float64Array(season)
  const counts = new Float64Array(season)
  for (let t = half; t + half < y.length; t++) {
    let average = 0
    for (let k = -half; k <= half; k++) {
      const isEnd = season % 2 === 0 && Math.abs(k) === half
      average += (isEnd ? 0.5 : 1) * y[t + k]!
    }
    sums[t % season]! += (y[t]! * season) / average
    counts[t % season]! += 1
  }
  const indices = sums.map((sum, i) => sum / counts[i]!)
  const mean = indices.reduce((sum, value) => sum + value, 0) / season
  return indices.map((value) => value / mean)
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0)
}
