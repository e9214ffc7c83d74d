/** One-step errors of a series (the first) and of its columns, and their common variances. */
export type OneStep = {
  readonly errors: readonly Float64Array[]
  readonly variances: Float64Array
}

export function makeOneStep(length: number, count: number): OneStep {
  const errors = Array.from({ length: count }, () => new Float64Array(length))
  return { errors, variances: new Float64Array(length).fill(1) }
}

/**
 * Sums over the one-step errors of a series (the first) and of the columns that explain it, each
 * product divided by the variance of its step: enough for any Gaussian likelihood with regressors.
 */
export type ErrorSums = {
  /** width × width, row-major, of which the lower triangle counts. */
  readonly products: Float64Array
  readonly width: number
  /** Σ log v. */
  logVariances: number
  clear(): void
  add(errors: readonly Float64Array[], at: number, variance: number): void
  addBetween(errors: readonly Float64Array[], from: number, to: number, variance: number): void
}

/** Sums for a series and `width` - 1 columns. */
export function makeErrorSums(width: number): ErrorSums {
  const products = new Float64Array(width * width)
  const sums: ErrorSums = {
    products,
    width,
    logVariances: 0,
    clear() {
      products.fill(0)
      sums.logVariances = 0
    },
    add(errors, at, variance) {
      for (let i = 0; i < width; i++) {
        const share = errors[i]![at]! / variance
        for (let j = 0; j <= i; j++) products[i * width + j]! += share * errors[j]![at]!
      }
    },
    addBetween(errors, from, to, variance) {
      for (let i = 0; i < width; i++) {
        const row = errors[i]!
        for (let j = 0; j <= i; j++) {
          const other = errors[j]!
          let sum = 0
          for (let t = from; t < to; t++) sum += row[t]! * other[t]!
          products[i * width + j]! += sum / variance
        }
      }
    },
  }
  return sums
}
