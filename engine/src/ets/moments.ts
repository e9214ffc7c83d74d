import type { EtsModel } from './model.ts'

/** Means and variances of the coming steps, in units of the model. */
export type Moments = { readonly mean: Float64Array; readonly variance: Float64Array }

/**
 * Mean and variance of each of some steps after the last observed value, by the formulas of HKOS
 * 2008, chapter 6: class 1 (all additive) and class 2 (a multiplicative error on a linear
 * state) exactly; class 3 (a multiplicative season) exactly, too, up to the fourth moment of the
 * error, which is taken as normal. Each step depends only on those before it.
 */
export function momentsOf(model: EtsModel, steps: number): Moments {
  if (model.form.season === 'M') return multipliedMoments(model, steps)
  return model.form.error === 'A' ? additiveMoments(model, steps) : relativeMoments(model, steps)
}

/** The weight of a shock j steps ago in a value: alpha + beta Σ phi^i + gamma each season. */
function shockWeights({ smoothing, form }: EtsModel, steps: number): Float64Array {
  const [alpha, beta, gamma, phi] = [smoothing[0]!, smoothing[1]!, smoothing[2]!, smoothing[3]!]
  const weights = new Float64Array(steps)
  let power = 1
  let sum = 0
  for (let j = 1; j < steps; j++) {
    power *= phi
    sum += power
    const seasonal = form.season !== 'N' && j % form.seasonLength === 0
    weights[j] = alpha + beta * sum + (seasonal ? gamma : 0)
  }
  return weights
}

/** The expected values of a form without a multiplicative season. */
function linearMeans({ state, smoothing, form }: EtsModel, steps: number): Float64Array {
  const phi = smoothing[3]!
  const means = new Float64Array(steps)
  let level = state[0]!
  let trend = state[1]!
  for (let h = 0; h < steps; h++) {
    trend *= phi
    level += trend
    means[h] = level + state[2 + (h % form.seasonLength)]!
  }
  return means
}

function additiveMoments(model: EtsModel, steps: number): Moments {
  const weights = shockWeights(model, steps)
  const variance = new Float64Array(steps)
  let sum = 1
  for (let h = 0; h < steps; h++) {
    sum += weights[h]! * weights[h]!
    variance[h] = model.sigma2 * sum
  }
  return { mean: linearMeans(model, steps), variance }
}

/** HKOS 2008, equations 6.2 and 6.3: θ_h = μ_h² + σ² Σ c_j² θ_(h-j), v_h = (1 + σ²) θ_h - μ_h². */
function relativeMoments(model: EtsModel, steps: number): Moments {
  const mean = linearMeans(model, steps)
  const weights = shockWeights(model, steps)
  const spreads = new Float64Array(steps)
  const variance = new Float64Array(steps)
  const { sigma2 } = model
  for (let h = 0; h < steps; h++) {
    let sum = 0
    for (let j = 1; j <= h; j++) {
      const square = mean[h - j]! * mean[h - j]! + spreads[h - j]!
      sum += weights[j]! * weights[j]! * square
    }
    // The spread θ_h - μ_h² is carried, so that a small variance is not lost in a large mean.
    spreads[h] = sigma2 * sum
    variance[h] = (1 + sigma2) * spreads[h]! + sigma2 * mean[h]! * mean[h]!
  }
  return { mean, variance }
}

/**
 * A value is (level + trend) × season × (1 + ε). For each season j, z_j = (level × s_j, trend ×
 * s_j) obeys a linear recursion of its own: F + G ε, and in the step that sees s_j also times
 * (1 + γ ε). First moments and covariances of each z_j are carried, m × (2 + 3) numbers.
 */
function multipliedMoments(model: EtsModel, steps: number): Moments {
  const { state, smoothing, form, sigma2 } = model
  const m = form.seasonLength
  const [alpha, beta, gamma, phi] = [smoothing[0]!, smoothing[1]!, smoothing[2]!, smoothing[3]!]
  const means = new Float64Array(2 * m)
  const covariances = new Float64Array(3 * m)
  for (let j = 0; j < m; j++) {
    means[2 * j] = state[0]! * state[2 + j]!
    means[2 * j + 1] = state[1]! * state[2 + j]!
  }
  const mean = new Float64Array(steps)
  const variance = new Float64Array(steps)
  for (let h = 0; h < steps; h++) {
    for (let j = 0; j < m; j++) {
      const now = h % m === j
      const [l, b] = [means[2 * j]!, means[2 * j + 1]!]
      const [vl, vlb, vb] = [covariances[3 * j]!, covariances[3 * j + 1]!, covariances[3 * j + 2]!]
      // The level to come q = l + phi b, the trend to come d = phi b: their moments.
      const [q, d] = [l + phi * b, phi * b]
      const vq = vl + 2 * phi * vlb + phi * phi * vb
      const vqd = phi * (vlb + phi * vb)
      const vd = phi * phi * vb
      if (now) {
        mean[h] = q
        variance[h] = (1 + sigma2) * vq + sigma2 * q * q
      }
      // z' = (q, d) + B ε + C ε², B = (alpha + g, beta) q + (0, g) d, C = g (alpha, beta) q.
      const g = now ? gamma : 0
      const [qq, qd, dd] = [vq + q * q, vqd + q * d, vd + d * d]
      const [c1, c2] = [g * alpha, g * beta]
      means[2 * j] = q + sigma2 * c1 * q
      means[2 * j + 1] = d + sigma2 * c2 * q
      const [b1, b2] = [alpha + g, beta]
      const fourth = sigma2 * sigma2 * (3 * vq + 2 * q * q)
      covariances[3 * j] = vq + sigma2 * (b1 * b1 * qq + 2 * c1 * vq) + fourth * c1 * c1
      covariances[3 * j + 1] =
        vqd + sigma2 * (b1 * (b2 * qq + g * qd) + c2 * vq + c1 * vqd) + fourth * c1 * c2
      covariances[3 * j + 2] =
        vd +
        sigma2 * (b2 * b2 * qq + 2 * b2 * g * qd + g * g * dd + 2 * c2 * vqd) +
        fourth * c2 * c2
    }
  }
  return { mean, variance }
}
