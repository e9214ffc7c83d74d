import type { Sample } from './likelihood.ts'
import type { Scored } from './scoring.ts'

/**
 * The objective of a search with its gradient and information matrix by forward differences. The
 * information of a Gaussian process is that of its one-step errors and of their variances: Σ (∂e
 * ∂e'/(σ²v) + ∂log v ∂log v'/2), per value; it needs no likelihoods beyond those of the gradient.
 */
export function makeScored(
  sample: Sample,
  size: number,
  objective: (x: Float64Array) => number,
): Scored {
  const { oneStep, observed, beyond } = sample
  const { errors, variances } = oneStep
  const n = variances.length
  const base = new Float64Array(n)
  const weights = new Float64Array(n)
  const logs = new Float64Array(n)
  const beta = new Float64Array(beyond.length)
  const slopes = Array.from({ length: size }, () => new Float64Array(n))
  const logSlopes = Array.from({ length: size }, () => new Float64Array(n))
  let moving = 0

  /** Remembers the errors at the point of the last evaluation; the coefficients stay there. */
  function settle(): number {
    beta.set(beyond)
    residuals(errors, beta, base)
    let squares = 0
    moving = 0
    for (let t = 0; t < n; t++) {
      const variance = variances[t]!
      squares += (base[t]! * base[t]!) / variance
      weights[t] = 1 / Math.sqrt(variance)
      logs[t] = variance === 1 ? 0 : Math.log(variance)
      if (Math.abs(variance - 1) > 1e-9) moving = t + 1
    }
    return squares / observed
  }

  function slope(i: number): void {
    const out = slopes[i]!
    residuals(errors, beta, out)
    for (let t = 0; t < n; t++) out[t] = ((out[t]! - base[t]!) * weights[t]!) / differenceStep
    const logOut = logSlopes[i]!
    for (let t = 0; t < moving; t++) {
      const variance = variances[t]!
      logOut[t] = ((variance === 1 ? 0 : Math.log(variance)) - logs[t]!) / differenceStep
    }
  }

  return {
    evaluate: objective,
    differentiate(x, value, gradient, information) {
      // The last evaluation of a step is the accepted one, so its errors are still there.
      const sigma2 = Math.max(settle(), Number.MIN_VALUE)
      for (let i = 0; i < size; i++) {
        const centre = x[i]!
        x[i] = centre + differenceStep
        const above = objective(x)
        x[i] = centre
        if (Number.isNaN(above)) return false
        const outside = above === Number.POSITIVE_INFINITY
        gradient[i] = outside ? 0 : (above - value) / differenceStep
        if (outside) slopes[i]!.fill(0)
        else slope(i)
      }
      for (let i = 0; i < size; i++) {
        for (let j = 0; j <= i; j++) {
          const sum = product(slopes[i]!, slopes[j]!, n) / sigma2
          const logSum = product(logSlopes[i]!, logSlopes[j]!, moving)
          information[i * size + j] = (sum + 0.5 * logSum) / observed
        }
      }
      return true
    },
  }
}

/** A step of one parameter, on the scale of the transform. */
const differenceStep = 1e-6

function residuals(errors: readonly Float64Array[], beta: Float64Array, out: Float64Array): void {
  out.set(errors[0]!)
  for (let c = 0; c < beta.length; c++) {
    const column = errors[c + 1]!
    const weight = beta[c]!
    for (let t = 0; t < out.length; t++) out[t]! -= weight * column[t]!
  }
}

function product(a: Float64Array, b: Float64Array, length: number): number {
  let sum = 0
  for (let t = 0; t < length; t++) sum += a[t]! * b[t]!
  return sum
}
