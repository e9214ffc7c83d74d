import { meanOf } from '../numeric/moments.ts'
import { type Mstl, seasonalWindow } from '../series/mstl-decompose.ts'

/** The seasons as they are carried on, and as they were. */
export type CarriedSeasons = {
  /** The last cycle of each season around zero, by its phase, one season after another. */
  readonly patterns: Float64Array
  /** The series without its seasons as they evolved; the level of the last cycles stays in it. */
  readonly adjusted: Float64Array
  readonly leverage: number
  /** Seasons whose pattern is no more than noise would leave: they are carried on as zero. */
  readonly flat: readonly number[]
}

/**
 * The pattern of a long season is smoothed along its phases where that makes its expected error
 * less: STL smooths each phase by itself, and leaves in all of them the noise of a few cycles. How
 * far is chosen by Mallows' (1973) criterion, the noise being correlated as the remainder is;
 * phases that stand out (a holiday) are kept as they are.
 */
export function carriedSeasonsOf(
  y: Float64Array,
  remainder: Float64Array,
  { seasons, seasonals }: Mstl,
): CarriedSeasons {
  const patterns = new Float64Array(seasons.reduce((sum, period) => sum + period, 0))
  const adjusted = y.slice()
  const covariances = autocovariances(remainder, Math.min(lagsMax, (seasons.at(-1) ?? 0) >> 1))
  const flat: number[] = []
  let leverage = 0
  let from = 0
  for (const [i, period] of seasons.entries()) {
    const seasonal = seasonals[i]!
    const own = leverageOf(period, seasonalWindow(i), seasonal.length)
    const last = seasonal.length - period
    const mean = meanOf(seasonal.subarray(last))
    const raw = patterns.subarray(from, from + period)
    for (let t = last; t < seasonal.length; t++) raw[t % period] = seasonal[t]! - mean
    const choice = chooseSmoother(raw, own, covariances)
    leverage += own * choice.share
    if (choice.kind === 'flat') flat.push(period)
    const evolved = smoothedSeason(seasonal, period, mean, choice)
    for (let t = 0; t < y.length; t++) adjusted[t]! -= evolved[t]!
    raw.set(smoothedPattern(raw, choice))
    from += period
  }
  return { patterns, adjusted, leverage: Math.min(leverageMax, leverage), flat }
}

/** Several seasons of few cycles leave little to judge by; more than this is not believed. */
export const leverageMax = 0.6

/**
 * How much of a value its own pattern has taken up: the sum of squared weights of the local mean
 * over the cycles, at the last of them. It is also the variance of a pattern that is carried, in
 * units of the noise.
 */
function leverageOf(period: number, window: number, length: number): number {
  const cycles = Math.floor(length / period)
  const reach = Math.min(cycles, window) - 1 + Math.max(0, (window - cycles) >> 1)
  let s1 = 0
  let s2 = 0
  for (let cycle = 0; cycle < Math.min(cycles, window); cycle++) {
    const ratio = cycle / reach
    const rest = Math.max(0, 1 - ratio * ratio * ratio)
    const weight = rest * rest * rest
    s1 += weight
    s2 += weight * weight
  }
  return s2 / (s1 * s1)
}

type Smoother =
  | { readonly kind: 'flat'; readonly share: number }
  | {
      readonly kind: 'smooth'
      /** Weights of a phase and of its neighbours at distances of 1, 2, …; both sides are alike. */
      readonly weights: Float64Array
      /** 1 for each phase that is kept as it is. */
      readonly kept: Uint8Array
      /** Variance that is left of that of the pattern. */
      readonly share: number
    }

function chooseSmoother(
  pattern: Float64Array,
  leverage: number,
  covariances: Float64Array,
): Smoother {
  const period = pattern.length
  const noise = leverage * covariances[0]!
  let best: Smoother = {
    kind: 'smooth',
    weights: Float64Array.of(1),
    kept: new Uint8Array(period),
    share: 1,
  }
  if (!(noise > 0) || !Number.isFinite(noise)) return best
  let least = 2 * noise
  for (const half of halfWidths) {
    if (period < smoothedMin || 2 * half + 1 > period || half >= covariances.length) break
    const weights = tricube(half)
    const smooth = smoothCircle(pattern, weights)
    const kept = new Uint8Array(period)
    const overlap = 2 * leverage * weighted(weights, covariances)
    let loss = 0
    for (let phase = 0; phase < period; phase++) {
      const rest = pattern[phase]! - smooth[phase]!
      if (rest * rest > standsOut * standsOut * noise) kept[phase] = 1
      loss += (kept[phase] === 1 ? 2 * noise : rest * rest + overlap) / period
    }
    if (loss >= least) continue
    least = loss
    best = { kind: 'smooth', weights, kept, share: sharedVariance(weights, covariances) }
  }
  let power = 0
  for (let phase = 0; phase < period; phase++) power += (pattern[phase]! * pattern[phase]!) / period
  return power < least ? { kind: 'flat', share: 0 } : best
}

/** Phases of a season that are worth smoothing: fewer are each seen often. */
const smoothedMin = 20
/** Deviations from its neighbours at which a phase is itself something, not noise. */
const standsOut = 4
const lagsMax = 200
/** More values tell no more of a covariance, and take time. */
const recentMax = 20_000
const halfWidths = [1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200]

function smoothedPattern(pattern: Float64Array, choice: Smoother): Float64Array {
  if (choice.kind === 'flat') return new Float64Array(pattern.length)
  if (choice.weights.length === 1) return pattern.slice()
  const smooth = smoothCircle(pattern, choice.weights)
  for (let phase = 0; phase < pattern.length; phase++) {
    if (choice.kept[phase] === 1) smooth[phase] = pattern[phase]!
  }
  const mean = meanOf(smooth)
  return smooth.map((value) => value - mean)
}

/** A season along time, smoothed as its pattern is; beyond an end it repeats its cycle there. */
function smoothedSeason(
  seasonal: Float64Array,
  period: number,
  mean: number,
  choice: Smoother,
): Float64Array {
  if (choice.kind === 'flat') return new Float64Array(seasonal.length)
  const { weights, kept } = choice
  if (weights.length === 1) return seasonal.map((value) => value - mean)
  const n = seasonal.length
  return seasonal.map((value, t) => {
    if (kept[t % period] === 1) return value - mean
    let sum = weights[0]! * value
    for (let k = 1; k < weights.length; k++) {
      const before = t - k < 0 ? t - k + period : t - k
      const after = t + k >= n ? t + k - period : t + k
      sum += weights[k]! * (seasonal[before]! + seasonal[after]!)
    }
    return sum - mean
  })
}

function smoothCircle(pattern: Float64Array, weights: Float64Array): Float64Array {
  const period = pattern.length
  return pattern.map((value, phase) => {
    let sum = weights[0]! * value
    for (let k = 1; k < weights.length; k++) {
      const before = phase - k < 0 ? phase - k + period : phase - k
      const after = phase + k >= period ? phase + k - period : phase + k
      sum += weights[k]! * (pattern[before]! + pattern[after]!)
    }
    return sum
  })
}

/** Tricube weights at distances 0 … half; with both sides they sum to 1. */
function tricube(half: number): Float64Array {
  const weights = Float64Array.from({ length: half + 1 }, (_, k) => {
    const ratio = k / (half + 1)
    const rest = 1 - ratio * ratio * ratio
    return rest * rest * rest
  })
  let sum = weights[0]!
  for (let k = 1; k < weights.length; k++) sum += 2 * weights[k]!
  return weights.map((weight) => weight / sum)
}

/** The covariance of a phase with the smooth there, in units of the leverage. */
function weighted(weights: Float64Array, covariances: Float64Array): number {
  let sum = weights[0]! * covariances[0]!
  for (let k = 1; k < weights.length; k++) sum += 2 * weights[k]! * covariances[k]!
  return sum
}

/** The variance of the smooth by that of a phase; between 0 and 1. */
function sharedVariance(weights: Float64Array, covariances: Float64Array): number {
  const half = weights.length - 1
  let sum = 0
  for (let i = -half; i <= half; i++) {
    for (let j = -half; j <= half; j++) {
      const covariance = covariances[Math.abs(i - j)] ?? 0
      sum += weights[Math.abs(i)]! * weights[Math.abs(j)]! * covariance
    }
  }
  return Math.min(1, Math.max(0, sum / covariances[0]!))
}

/** Of the end of the remainder, at lags 0 … lags; missing ones aside. */
function autocovariances(whole: Float64Array, lags: number): Float64Array {
  const remainder = whole.subarray(Math.max(0, whole.length - recentMax))
  const covariances = new Float64Array(Math.min(lags, Math.max(0, remainder.length - 1)) + 1)
  for (let lag = 0; lag < covariances.length; lag++) {
    let sum = 0
    let count = 0
    for (let t = lag; t < remainder.length; t++) {
      const product = remainder[t]! * remainder[t - lag]!
      if (Number.isNaN(product)) continue
      sum += product
      count++
    }
    covariances[lag] = count > 0 ? sum / count : 0
  }
  return covariances
}
