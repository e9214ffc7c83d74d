import type { Polynomials } from './parameters.ts'
import { raiseOrder, stepDown } from './partials.ts'

/** Memory for the exact moments of processes of some size, made once for many. */
export type MomentsWorkspace = {
  /** r = max(p, q + 1) states of Harvey's form. */
  readonly size: number
  /** γ₀ … γ_r of the process, with unit shocks. */
  readonly gamma: Float64Array
  /** Covariance of each state with the first, which is the value itself. */
  readonly first: Float64Array
  readonly psi: Float64Array
  readonly pure: Float64Array
  readonly partials: Float64Array
  readonly row: Float64Array
  readonly products: Float64Array
  /** Lags at which the moving average is not zero, lag 0 first. */
  readonly maSupport: Int32Array
}

/** A workspace for polynomials with p and q lags. */
export function makeMomentsWorkspace(p: number, q: number, count = 0): MomentsWorkspace {
  const size = Math.max(p, q + 1)
  const gammas = Math.max(size + 1, count)
  return {
    size,
    gamma: new Float64Array(gammas),
    first: new Float64Array(size + 1),
    psi: new Float64Array(size),
    pure: new Float64Array(gammas + q),
    partials: new Float64Array(p),
    row: new Float64Array(p),
    products: new Float64Array(q + 1),
    maSupport: new Int32Array(q + 1),
  }
}

/**
 * Fills `gamma`, exact: the autocovariances of the autoregressive part by the Yule-Walker equations
 * of every order (Durbin-Levinson run backwards, no linear system, no truncated sum), then the
 * moving average applied to both sides. False when rounding leaves no stationary process.
 */
function fillAutocovariances({ ar, ma }: Polynomials, work: MomentsWorkspace): boolean {
  const { gamma, pure, partials, row, products, maSupport } = work
  const p = ar.length
  partials.set(ar)
  if (!stepDown(partials)) return false
  let variance = 1
  for (let i = 0; i < p; i++) variance /= (1 - partials[i]!) * (1 + partials[i]!)
  if (!(variance < Number.POSITIVE_INFINITY)) return false
  pure[0] = variance
  row.set(partials)
  for (let k = 1; k < pure.length; k++) {
    if (k > 1 && k <= p) raiseOrder(row, k - 1)
    const order = Math.min(k, p)
    let sum = 0
    for (let i = 1; i <= order; i++) sum += row[i - 1]! * pure[k - i]!
    pure[k] = sum
  }
  const support = fillSupport(ma, maSupport)
  fillProducts(ma, maSupport, support, products)
  const q = ma.length
  for (let k = 0; k < gamma.length; k++) {
    let sum = products[0]! * pure[k]!
    for (let j = 1; j <= q; j++) {
      if (products[j] !== 0) sum += products[j]! * (pure[k + j]! + pure[k > j ? k - j : j - k]!)
    }
    gamma[k] = sum
  }
  return true
}

/** Fills `gamma` and `first`; false when rounding leaves no stationary process. */
export function fillMoments(polynomials: Polynomials, work: MomentsWorkspace): boolean {
  if (!fillAutocovariances(polynomials, work)) return false
  const { ar, ma } = polynomials
  const { size, gamma, first, psi } = work
  const p = ar.length
  const q = ma.length
  for (let j = 0; j < size; j++) {
    let sum = j === 0 ? 1 : j <= q ? ma[j - 1]! : 0
    const terms = Math.min(j, p)
    for (let i = 1; i <= terms; i++) sum += ar[i - 1]! * psi[j - i]!
    psi[j] = sum
  }
  first[0] = gamma[0]!
  first[size] = 0
  for (let k = 1; k < size; k++) {
    let sum = 0
    for (let j = k + 1; j <= p; j++) sum += ar[j - 1]! * gamma[j - k]!
    for (let j = k; j <= q; j++) if (ma[j - 1] !== 0) sum += ma[j - 1]! * psi[j - k]!
    first[k] = sum
  }
  return true
}

/** γ₀ … γ_{count-1} of a process with unit shocks. */
export function autocovariances(arma: Polynomials, count: number): Float64Array {
  const work = makeMomentsWorkspace(arma.ar.length, arma.ma.length, count)
  fillAutocovariances(arma, work)
  return work.gamma.slice(0, count)
}

function fillSupport(ma: Float64Array, support: Int32Array): number {
  support[0] = 0
  let count = 1
  for (let j = 1; j <= ma.length; j++) if (ma[j - 1] !== 0) support[count++] = j
  return count
}

/** Σᵢ θᵢ θᵢ₊ₖ for k = 0 … q with θ₀ = 1: the autocovariances of the moving-average part alone. */
function fillProducts(
  ma: Float64Array,
  support: Int32Array,
  count: number,
  products: Float64Array,
): void {
  products.fill(0)
  for (let b = 0; b < count; b++) {
    const high = support[b]!
    const weight = high === 0 ? 1 : ma[high - 1]!
    for (let a = 0; a <= b; a++) {
      const low = support[a]!
      products[high - low]! += weight * (low === 0 ? 1 : ma[low - 1]!)
    }
  }
}
