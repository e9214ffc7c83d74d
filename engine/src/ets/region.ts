import type { Form } from './form.ts'
import type { Smoothing } from './kernel.ts'
import type { EtsSpec } from './spec.ts'

/**
 * Where smoothing parameters may lie, as shares of an interval each: alpha's, beta's and gamma's
 * ends depend on the parameters before them, so that every share in [0, 1] is allowed. Usual: each
 * smoothing is a weighted average, 0 ≤ beta ≤ alpha ≤ 1, 0 ≤ gamma ≤ 1 - alpha. Admissible: old
 * values are forgotten; the ends follow from the characteristic polynomial (as in HKOS 2008, table
 * 10.1, for the damped trend with beta's ends divided by phi, whose recursion is meant here). For
 * a season they are necessary; `isForgetful` is sufficient.
 */
export function smoothingAt(
  shares: Float64Array,
  form: Form,
  bounds: EtsSpec['bounds'],
  into: Smoothing,
): void {
  const phi = form.damped ? phiMin + (phiMax - phiMin) * shares[3]! : 1
  const wide = bounds === 'admissible'
  const alphaLow = wide ? 1 - 1 / phi : 0
  const alphaHigh = wide ? 1 + 1 / phi : 1
  const alpha = alphaLow + (alphaHigh - alphaLow) * shares[0]!
  into[0] = alpha
  into[1] = 0
  into[2] = 0
  into[3] = form.trend === 'N' ? 0 : phi
  if (form.trend === 'A') {
    const low = wide ? alpha * (1 - 1 / phi) : 0
    const high = wide ? (2 - alpha) * (1 + 1 / phi) : alpha
    into[1] = low + (high - low) * shares[1]!
  }
  if (form.season !== 'N') {
    const low = wide ? Math.max(0, 1 - 1 / phi - alpha) : 0
    const high = wide ? 1 + 1 / phi - alpha : 1 - alpha
    into[2] = low + (high - low) * shares[2]!
  }
}

/** The slopes by shares from the slopes by parameters (alpha, beta, gamma, phi), in place. */
export function slopesByShares(
  slopes: Float64Array,
  shares: Float64Array,
  smoothing: Smoothing,
  form: Form,
  bounds: EtsSpec['bounds'],
): void {
  const [alpha, phi] = [smoothing[0]!, form.damped ? smoothing[3]! : 1]
  const wide = bounds === 'admissible'
  let byAlpha = slopes[0]!
  let byPhi = slopes[3]!
  if (form.trend === 'A') {
    const share = shares[1]!
    const beta = slopes[1]!
    if (wide) {
      const [fall, rise] = [1 - 1 / phi, 1 + 1 / phi]
      byAlpha += beta * (fall * (1 - share) - rise * share)
      byPhi += (beta * (alpha * (1 - share) - (2 - alpha) * share)) / (phi * phi)
      slopes[1] = beta * ((2 - alpha) * rise - alpha * fall)
    } else {
      byAlpha += beta * share
      slopes[1] = beta * alpha
    }
  }
  if (form.season !== 'N') {
    const share = shares[2]!
    const gamma = slopes[2]!
    if (wide) {
      const bound = 1 - 1 / phi - alpha
      const high = 1 + 1 / phi - alpha
      byAlpha -= gamma * (share + (bound > 0 ? 1 - share : 0))
      byPhi += (gamma * ((bound > 0 ? 1 - share : 0) - share)) / (phi * phi)
      slopes[2] = gamma * (high - Math.max(0, bound))
    } else {
      byAlpha -= gamma * share
      slopes[2] = gamma * (1 - alpha)
    }
  }
  slopes[0] = wide ? (byAlpha * 2) / phi : byAlpha
  if (wide) byPhi += (byAlpha * (1 - 2 * shares[0]!)) / (phi * phi)
  slopes[3] = byPhi * (phiMax - phiMin)
}

/** The shares that give some parameters, as near as the region has them. */
export function sharesOf(
  smoothing: Smoothing,
  form: Form,
  bounds: EtsSpec['bounds'],
  into: Float64Array,
): void {
  // A form without a trend has no damping to take over: then the least of it.
  const phi = form.damped ? smoothing[3]! || phiMax : 1
  const alpha = smoothing[0]!
  const wide = bounds === 'admissible'
  into[0] = wide ? (alpha - 1 + 1 / phi) / (2 / phi) : alpha
  const betaLow = wide ? alpha * (1 - 1 / phi) : 0
  const betaHigh = wide ? (2 - alpha) * (1 + 1 / phi) : alpha
  into[1] = betaHigh > betaLow ? (smoothing[1]! - betaLow) / (betaHigh - betaLow) : 0
  const gammaLow = wide ? Math.max(0, 1 - 1 / phi - alpha) : 0
  const gammaHigh = wide ? 1 + 1 / phi - alpha : 1 - alpha
  into[2] = gammaHigh > gammaLow ? (smoothing[2]! - gammaLow) / (gammaHigh - gammaLow) : 0
  into[3] = form.damped ? (phi - phiMin) / (phiMax - phiMin) : 1
  for (let i = 0; i < 4; i++) into[i] = Math.min(1, Math.max(0, into[i]!))
}

/** Less damping can hardly be told from none, more from no trend at all (as R bounds it). */
const phiMin = 0.8
const phiMax = 0.98

/**
 * Whether old observations are forgotten: the roots of the characteristic polynomial of a seasonal
 * form (HKOS 2008, section 10.2) lie within the unit circle, or on it up to rounding. By the
 * recursion of Schur and Cohn; `workspace` holds 2 × (m + 2) numbers. Forms without a season are
 * forgetful in all of their region.
 */
export function isForgetful(smoothing: Smoothing, form: Form, workspace: Float64Array): boolean {
  if (form.season === 'N') return true
  const m = form.seasonLength
  const [alpha, beta, gamma] = [smoothing[0]!, smoothing[1]!, smoothing[2]!]
  const trended = form.trend === 'A'
  const phi = trended ? smoothing[3]! : 1
  let degree = trended ? m + 1 : m
  // Descending powers.
  const c = workspace
  c[0] = 1
  if (trended) {
    const middle = alpha + (beta - alpha) * phi
    c[1] = alpha + (beta - 1) * phi
    for (let k = 2; k < m; k++) c[k] = middle
    c[m] = middle + gamma - 1
    c[m + 1] = phi * (1 - alpha - gamma)
  } else {
    for (let k = 1; k < m; k++) c[k] = alpha
    c[m] = alpha + gamma - 1
  }
  let power = 1
  for (let k = 1; k <= degree; k++) {
    power /= circle
    c[k]! *= power
  }
  const half = m + 2
  while (degree > 0) {
    const reflection = c[degree]! / c[0]!
    if (!(Math.abs(reflection) < 1)) return false
    for (let k = 0; k < degree; k++) c[half + k] = c[k]! - reflection * c[degree - k]!
    degree--
    for (let k = 0; k <= degree; k++) c[k] = c[half + k]!
  }
  return true
}

/**
 * Roots up to this count as on the unit circle: a season that never changes has its roots there.
 */
const circle = 1 + 1e-6
