import type { Arma } from './parameters.ts'
import { levinsonTriangle } from './partials.ts'

/**
 * γ₀ … γ_{count-1} of an ARMA process with unit shocks, exact: those of its autoregressive part by
 * the Yule-Walker equations of every order (Durbin-Levinson run backwards, no linear system, no
 * truncated sum), then the moving average applied to both sides.
 */
export function autocovariances(arma: Arma, count: number): Float64Array {
  const { ar, ma, arPartials } = arma
  const p = ar.length
  const q = ma.length
  const reach = count + q
  const pure = new Float64Array(reach)
  let variance = 1
  for (const partial of arPartials) variance /= (1 - partial) * (1 + partial)
  pure[0] = variance
  const rows = levinsonTriangle(arPartials)
  for (let k = 1; k < reach; k++) {
    const order = Math.min(k, p)
    const row = k < p ? rows.subarray((k - 1) * p, (k - 1) * p + order) : ar
    let sum = 0
    for (let i = 1; i <= order; i++) sum += row[i - 1]! * pure[k - i]!
    pure[k] = sum
  }
  const products = maProducts(ma)
  const result = new Float64Array(count)
  for (let k = 0; k < count; k++) {
    let sum = products[0]! * pure[k]!
    for (let j = 1; j <= q; j++) sum += products[j]! * (pure[k + j]! + pure[Math.abs(k - j)]!)
    result[k] = sum
  }
  return result
}

/** Σᵢ θᵢ θᵢ₊ₖ for k = 0 … q with θ₀ = 1: the autocovariances of the moving-average part alone. */
export function maProducts(ma: Float64Array): Float64Array {
  const q = ma.length
  const products = new Float64Array(q + 1)
  for (let k = 0; k <= q; k++) {
    let sum = k === 0 ? 1 : ma[k - 1]!
    for (let i = 1; i + k <= q; i++) sum += ma[i - 1]! * ma[i + k - 1]!
    products[k] = sum
  }
  return products
}
