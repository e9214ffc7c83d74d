/**
 * Bisquare weights of the remainders into `weights`: 1 for small ones, 0 beyond six times the
 * median of their sizes (Cleveland et al. 1990, section 2.3).
 */
export function robustWeights(
  y: Float64Array,
  seasonal: Float64Array,
  trend: Float64Array,
  weights: Float64Array,
): void {
  const n = y.length
  const sizes = weights
  for (let t = 0; t < n; t++) sizes[t] = Math.abs(y[t]! - seasonal[t]! - trend[t]!)
  const limit = 6 * median(sizes.slice())
  const near = 0.001 * limit
  const far = 0.999 * limit
  for (let t = 0; t < n; t++) {
    const size = sizes[t]!
    const ratio = size / limit
    const rest = 1 - ratio * ratio
    weights[t] = size <= near ? 1 : size <= far ? rest * rest : 0
  }
}

/** The median; the values are put into another order. */
export function median(values: Float64Array): number {
  const { length } = values
  const upper = select(values, length >> 1)
  if (length % 2 === 1) return upper
  let lower = values[0]!
  for (let i = 1; i < length >> 1; i++) if (values[i]! > lower) lower = values[i]!
  return (lower + upper) / 2
}

/** The value of rank k, with none above it before it: Hoare's selection, middle of three. */
function select(values: Float64Array, k: number): number {
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const pivot = middleOf(values[low]!, values[(low + high) >> 1]!, values[high]!)
    let i = low
    let j = high
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i <= j) {
        const kept = values[i]!
        values[i] = values[j]!
        values[j] = kept
        i++
        j--
      }
    }
    if (k <= j) high = j
    else if (k >= i) low = i
    else break
  }
  return values[k]!
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}
