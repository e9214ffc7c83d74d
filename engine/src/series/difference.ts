/**
 * The lags and weights of (1 - B)^d (1 - B^lag) (1 - B^s)^D written as 1 - Σ weight_k B^lag_k, lags
 * ascending. A lag of 0 means no difference there. Lags that coincide are merged.
 */
export type Differencing = {
  readonly lags: Int32Array
  readonly weights: Float64Array
  /** The longest lag: so many values come before the first difference. */
  readonly depth: number
}

/** The polynomial of d ordinary differences, one at a lag, and D seasonal ones. */
export function differencing(d: number, lag: number, D = 0, seasonLength = 0): Differencing {
  let terms = new Map<number, number>([[0, 1]])
  for (let i = 0; i < d; i++) terms = timesOneMinus(terms, 1)
  if (lag > 0) terms = timesOneMinus(terms, lag)
  for (let i = 0; i < D; i++) terms = timesOneMinus(terms, seasonLength)
  const lags = [...terms.keys()].filter((k) => k > 0 && terms.get(k) !== 0).sort((a, b) => a - b)
  return {
    lags: Int32Array.from(lags),
    weights: Float64Array.from(lags, (k) => -(terms.get(k) ?? 0)),
    depth: lags.at(-1) ?? 0,
  }
}

/** What the differencing adds back at `at`: the weighted sum of the values before it. */
export function carried(operator: Differencing, values: Float64Array, at: number): number {
  const { lags, weights } = operator
  let sum = 0
  for (let k = 0; k < lags.length; k++) sum += weights[k]! * values[at - lags[k]!]!
  return sum
}

/** The differenced series, `depth` values shorter; NaN wherever any of its ends is missing. */
export function difference(operator: Differencing, y: Float64Array): Float64Array {
  const { depth } = operator
  const differences = new Float64Array(Math.max(0, y.length - depth))
  for (let t = 0; t < differences.length; t++) {
    differences[t] = y[t + depth]! - carried(operator, y, t + depth)
  }
  return differences
}

function timesOneMinus(terms: Map<number, number>, lag: number): Map<number, number> {
  const product = new Map(terms)
  for (const [k, weight] of terms) product.set(k + lag, (product.get(k + lag) ?? 0) - weight)
  return product
}
