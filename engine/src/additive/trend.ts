/**
 * The trend in scaled time, 0 at the first and 1 at the last observation of the fit. Its line
 * z(t) = k t + m + Σ δ_j max(0, t - s_j), in the logistic case k (t - m) + Σ …, is continuous; the
 * logistic trend is capacity / (1 + exp(-z)). This is Taylor and Letham (2018), equations 3 and 4:
 * their offsets γ are those that make z continuous.
 */
type Growth = 'linear' | 'flat' | 'logistic'

export type Trend = {
  readonly growth: Growth
  /** Scaled, less the floor; 0 unless logistic. */
  readonly capacity: number
  readonly k: number
  readonly m: number
  /** Times of the changes of the rate, ascending. */
  readonly changepoints: Float64Array
  readonly deltas: Float64Array
}

/** The line z in pieces: from `starts` on it is `bases` + `rates` · (t - start). */
export type Pieces = {
  readonly starts: Float64Array
  readonly bases: Float64Array
  readonly rates: Float64Array
}

/** The pieces of a trend, one more than it has changepoints; the first begins at time 0. */
export function piecesOf({ growth, k, m, changepoints, deltas }: Trend): Pieces {
  const count = changepoints.length + 1
  const starts = new Float64Array(count)
  const bases = new Float64Array(count)
  const rates = new Float64Array(count)
  bases[0] = growth === 'logistic' ? -k * m : m
  rates[0] = growth === 'flat' ? 0 : k
  for (let g = 1; g < count; g++) {
    starts[g] = changepoints[g - 1]!
    bases[g] = bases[g - 1]! + rates[g - 1]! * (starts[g]! - starts[g - 1]!)
    rates[g] = rates[g - 1]! + deltas[g - 1]!
  }
  return { starts, bases, rates }
}

/** The trend at ascending times, scaled. */
export function trendAt(trend: Trend, times: Float64Array): Float64Array {
  const { starts, bases, rates } = piecesOf(trend)
  const values = new Float64Array(times.length)
  let g = 0
  for (let i = 0; i < times.length; i++) {
    const t = times[i]!
    while (g + 1 < starts.length && starts[g + 1]! <= t) g++
    values[i] = bend(trend, bases[g]! + rates[g]! * (t - starts[g]!))
  }
  return values
}

/** The trend where its line is z. */
export function bend({ growth, capacity }: Pick<Trend, 'growth' | 'capacity'>, z: number): number {
  return growth === 'logistic' ? capacity / (1 + Math.exp(-z)) : z
}
