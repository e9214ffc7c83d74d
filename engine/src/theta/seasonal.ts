import { laggedProduct } from '../numeric/moments.ts'
/** Effects of a season by time mod its length; empty where there is none. */
export type Seasonal = {
  readonly kind: SeasonalKind
  /** Factors around 1, or terms around 0. */
  readonly effects: Float64Array
}
type SeasonalKind = (typeof seasonalKinds)[number]
export const seasonalKinds = ['none', 'additive', 'multiplicative'] as const

export const noSeason: Seasonal = { kind: 'none', effects: new Float64Array(0) }

/**
 * The test of Fiorucci et al. (2016), section 2: the autocorrelation at the season against its
 * limit at 90%. Values that are missing take part in no product.
 */
export function isSeasonal(y: Float64Array, seasonLength: number): boolean {
  if (seasonLength < 2 || y.length < 2 * seasonLength) return false
  let count = 0
  let mean = 0
  for (const value of y) if (!Number.isNaN(value)) mean += (value - mean) / ++count
  const centred = y.map((value) => (Number.isNaN(value) ? 0 : value - mean))
  let unit = 0
  for (const value of centred) unit = Math.max(unit, Math.abs(value))
  if (unit === 0) return false
  for (let t = 0; t < centred.length; t++) centred[t] = centred[t]! / unit
  const variance = laggedProduct(centred, 0)
  let squares = 0
  for (let lag = 1; lag < seasonLength; lag++)
    squares += (laggedProduct(centred, lag) / variance) ** 2
  const limit = 1.6448536269514722 * Math.sqrt((1 + 2 * squares) / count)
  return Math.abs(laggedProduct(centred, seasonLength) / variance) > limit
}

/**
 * Classical decomposition: the trend is the centred moving average, the effects are the averages of
 * what is left by season, normalised. Missing values are bridged for the trend, and count in no
 * average. Undefined where a factor would not be safely positive, or a season was never seen.
 */
export function decompose(
  y: Float64Array,
  seasonLength: number,
  kind: 'additive' | 'multiplicative',
): Seasonal | undefined {
  const half = Math.floor(seasonLength / 2)
  const whole = bridge(y, seasonLength)
  const sums = new Float64Array(seasonLength)
  const counts = new Float64Array(seasonLength)
  const even = seasonLength % 2 === 0
  for (let t = half; t < y.length - half; t++) {
    if (Number.isNaN(y[t]!)) continue
    const pivot = whole[t]!
    let trend = 0
    for (let k = -half; k <= half; k++) {
      const weight = even && (k === -half || k === half) ? 0.5 : 1
      trend += weight * ((whole[t + k]! - pivot) / seasonLength)
    }
    trend += pivot
    sums[t % seasonLength]! += kind === 'additive' ? y[t]! - trend : y[t]! / trend
    counts[t % seasonLength]! += 1
  }
  const effects = sums.map((sum, at) => sum / counts[at]!)
  let mean = 0
  for (const effect of effects) mean += effect / seasonLength
  for (let at = 0; at < seasonLength; at++) {
    effects[at] = kind === 'additive' ? effects[at]! - mean : effects[at]! / mean
  }
  const least = kind === 'additive' ? Number.NEGATIVE_INFINITY : factorMin
  const sound = effects.every((effect) => Number.isFinite(effect) && effect > least)
  return sound ? { kind, effects } : undefined
}

/** A value without its season. */
export function withoutSeason({ kind, effects }: Seasonal, value: number, t: number): number {
  if (kind === 'none') return value
  const effect = effects[t % effects.length]!
  return kind === 'additive' ? value - effect : value / effect
}

/** Below this a factor makes any error of its season huge. */
export const factorMin = 0.01

/** Missing values from the nearest of the same season before and after, else from any before. */
function bridge(y: Float64Array, seasonLength: number): Float64Array {
  const whole = y.slice()
  const last = new Float64Array(seasonLength).fill(Number.NaN)
  const forward = y.map((value, t) => {
    if (!Number.isNaN(value)) last[t % seasonLength] = value
    return last[t % seasonLength]!
  })
  const next = new Float64Array(seasonLength).fill(Number.NaN)
  for (let t = y.length - 1; t >= 0; t--) {
    if (!Number.isNaN(y[t]!)) {
      next[t % seasonLength] = y[t]!
      continue
    }
    const before = forward[t]!
    const after = next[t % seasonLength]!
    if (Number.isNaN(before)) whole[t] = after
    else whole[t] = Number.isNaN(after) ? before : 0.5 * before + 0.5 * after
  }
  return whole
}
