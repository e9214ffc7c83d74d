import { medianOf, spreadOf } from './median.ts'

export type Outlier = { readonly at: number; readonly median: number }

/**
 * The identifier of Hampel (1974): observations that are further from the median of the window
 * around them than `threshold` scaled median deviations. Where most of a window is equal, as in
 * sales that are mostly zero, there is no measure of distance, and nothing is an outlier.
 */
export function outliersOf(y: Float64Array, reach: number, threshold: number): readonly Outlier[] {
  const found: Outlier[] = []
  for (let at = 0; at < y.length; at++) {
    if (Number.isNaN(y[at]!)) continue
    const window = y.slice(Math.max(0, at - reach), at + reach + 1)
    const median = medianOf(window)
    const spread = spreadOf(window, median)
    if (spread > 0 && Math.abs(y[at]! - median) > threshold * spread) found.push({ at, median })
  }
  return found
}
