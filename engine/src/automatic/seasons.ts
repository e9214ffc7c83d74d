import { largest } from '../numeric/magnitude.ts'
import { laggedProduct } from '../numeric/moments.ts'
import { periodogram } from './fourier-transform.ts'

/**
 * Season lengths found in a series when nobody gave them, ascending; empty when there is none.
 *
 * A length p is tested on what is left of the series after a centred moving average over p steps:
 * trends and random walks are gone, a pattern of p steps is whole. The autocorrelation at lag p has
 * to stand out from its standard error under the correlations of shorter lags (Bartlett 1946). The
 * common lengths are tried first, then those of the largest peaks of the periodogram, at a higher
 * threshold, because they were chosen by looking. The strongest wins, a divisor of it if that
 * explains as much; its pattern is taken off and the search begins again for the next one.
 *
 * Costs O(n log n) for at most `seenMax` of the newest values; asked to stop, it has found what it
 * has.
 */
export function detectSeasons(y: Float64Array, shouldStop?: () => boolean): number[] {
  const seen = completed(y.subarray(Math.max(0, y.length - seenMax)))
  const found: number[] = []
  if (seen.length < 3 * 4) return found
  let rest = seen
  while (found.length < foundMax) {
    const best = strongest(rest, found, shouldStop)
    if (best === undefined) break
    found.push(best)
    rest = withoutPattern(rest, best)
  }
  return found.filter((length) => !found.some((other) => covers(other, length))).sort(ascending)
}

/**
 * Lengths of the seasons of quarters, days, months, hours, weeks, hours of a week, days of a year.
 */
const common = [4, 7, 12, 24, 52, 168, 365] as const
/** Two years of hours; nothing about seasons is learned from more. */
const seenMax = 16_384
const foundMax = 3
const cyclesMin = 3
const peaksMax = 6
const lagsMax = 64
/** A week of days is a season of its own, two years of months are not. */
const multipleMin = 5
/** Standard errors by which the autocorrelation has to exceed zero. */
const thresholds = { common: 2, peak: 3 } as const
/** Below this share of the variance a pattern is not worth its parameters. */
const correlationMin = 0.2
/** A divisor is preferred when its correlation is at least this share of the best. */
const divisorShare = 0.95
/** A peak this close to a common length, relatively, is that length unless it explains more. */
const commonWidth = 0.04

/** What rounding leaves of a series whose largest value is 1. */
const roundingMax = 1e-12
/** A value this far from both its neighbours, in units of a common such distance, is wild. */
const wildMin = 4

type Candidate = { readonly length: number; readonly correlation: number }

function strongest(
  y: Float64Array,
  known: readonly number[],
  shouldStop?: () => boolean,
): number | undefined {
  const longest = Math.floor(y.length / cyclesMin)
  const peaks = peakLengths(y, longest).filter((length) => !isCommon(length))
  const candidates: Candidate[] = []
  for (const [lengths, threshold] of [
    [common, thresholds.common],
    [peaks, thresholds.peak],
  ] as const) {
    for (const length of lengths) {
      if (length > longest || known.some((k) => related(k, length))) continue
      if (shouldStop?.() === true) return undefined
      const { correlation, error } = seasonality(y, length)
      if (correlation < correlationMin || correlation < threshold * error) continue
      candidates.push({ length, correlation })
    }
  }
  if (candidates.length === 0) return undefined
  const largest = candidates.reduce((a, b) => (b.correlation > a.correlation ? b : a))
  const enough = divisorShare * largest.correlation
  const near = ({ length, correlation }: Candidate) =>
    isCommon(length) &&
    Math.abs(length - largest.length) <= commonWidth * largest.length &&
    correlation >= enough
  const best = candidates.find(near) ?? largest
  return candidates
    .filter(({ length, correlation }) => best.length % length === 0 && correlation >= enough)
    .reduce((least, { length }) => Math.min(least, length), best.length)
}

/**
 * Whether a further season would be a known one again: nearly as long, a part of it, or a small
 * multiple. A common length may follow a part of it that is none, and then replaces it.
 */
function related(known: number, length: number): boolean {
  if (Math.abs(known - length) <= Math.max(1, 0.05 * known) || known % length === 0) return true
  const isPart = length % known === 0 && length < multipleMin * known
  return isPart && (isCommon(known) || !isCommon(length))
}

function covers(other: number, length: number): boolean {
  return other > length && other % length === 0 && other < multipleMin * length
}

function isCommon(length: number): boolean {
  return common.some((c) => c === length)
}

function ascending(a: number, b: number): number {
  return a - b
}

/** The autocorrelation at a lag of a series without its moving average, and its standard error. */
function seasonality(y: Float64Array, length: number) {
  const rest = withoutTrend(y, length)
  clip(rest)
  const variance = laggedProduct(rest, 0)
  if (!(variance > rest.length * roundingMax ** 2)) return { correlation: 0, error: 1 }
  // A correlation that two cycles share, too, is a season and not a passing swing.
  const once = meanProduct(rest, length) / (variance / rest.length)
  const correlation =
    rest.length > 3 * length
      ? Math.min(once, 1.25 * (meanProduct(rest, 2 * length) / (variance / rest.length)))
      : once
  const step = Math.max(1, Math.floor(length / lagsMax))
  let sum = 0
  for (let lag = step; lag < length; lag += step)
    sum += (laggedProduct(rest, lag) / variance) ** 2 * step
  return { correlation, error: Math.sqrt((1 + 2 * sum) / rest.length) }
}

/** What is left of a series after a centred moving average; both its ends are lost. */
function withoutTrend(y: Float64Array, length: number): Float64Array {
  const half = Math.floor(length / 2)
  const even = length % 2 === 0
  const rest = new Float64Array(Math.max(0, y.length - 2 * half))
  let sum = 0
  for (let i = 0; i < 2 * half + 1; i++) sum += y[i] ?? 0
  for (let t = half; t < y.length - half; t++) {
    const ends = even ? (y[t - half]! + y[t + half]!) / 2 : 0
    rest[t - half] = y[t]! - (sum - ends) / length
    sum += (y[t + half + 1] ?? 0) - y[t - half]!
  }
  return rest
}

/** The series without the mean pattern of a season, which is measured on what has no trend. */
function withoutPattern(y: Float64Array, length: number): Float64Array {
  const half = Math.floor(length / 2)
  const rest = withoutTrend(y, length)
  const sums = new Float64Array(length)
  const counts = new Float64Array(length)
  rest.forEach((value, i) => {
    sums[(i + half) % length]! += value
    counts[(i + half) % length]!++
  })
  return y.map((value, t) => value - sums[t % length]! / Math.max(1, counts[t % length]!))
}

/** Lengths at the largest peaks of the periodogram of a series without its slow movements. */
function peakLengths(y: Float64Array, longest: number): number[] {
  const slow = withoutTrend(y, Math.max(3, longest))
  const taper = slow.map((value, t) => value * Math.sin((Math.PI * (t + 0.5)) / slow.length))
  const power = periodogram(taper)
  const size = 2 * (power.length - 1)
  const peaks: { k: number; power: number }[] = []
  for (let k = 2; k < power.length - 1; k++) {
    const isPeak = power[k]! > power[k - 1]! && power[k]! >= power[k + 1]!
    if (isPeak && size / k <= longest && size / k >= 1.9) peaks.push({ k, power: power[k]! })
  }
  peaks.sort((a, b) => b.power - a.power || a.k - b.k)
  const lengths = new Set<number>()
  for (const { k } of peaks.slice(0, peaksMax)) {
    const length = Math.round(size / k)
    if (length >= 2 && length <= longest) lengths.add(length)
  }
  return [...lengths]
}

/** Single extremes may not decide: values are kept within five typical deviations. */
function clip(rest: Float64Array): void {
  const sizes = rest.map(Math.abs).sort()
  const most = 5 * 1.4826 * (sizes[Math.floor(sizes.length / 2)] ?? 0)
  if (!(most > 0)) return
  for (let i = 0; i < rest.length; i++) rest[i] = Math.min(most, Math.max(-most, rest[i]!))
}

function meanProduct(x: Float64Array, lag: number): number {
  return laggedProduct(x, lag) / Math.max(1, x.length - lag)
}

/** Gaps bridged linearly, in units in which squares neither overflow nor vanish. */
function completed(y: Float64Array): Float64Array {
  const unit = largest(y)
  const first = y.findIndex((value) => !Number.isNaN(value))
  if (first < 0 || unit === 0) return new Float64Array(0)
  const filled = y.slice(first).map((value) => value / unit)
  let before = 0
  for (let t = 1; t < filled.length; t++) {
    if (Number.isNaN(filled[t]!)) continue
    const slope = (filled[t]! - filled[before]!) / (t - before)
    for (let gap = before + 1; gap < t; gap++) {
      filled[gap] = filled[before]! + slope * (gap - before)
    }
    before = t
  }
  return tame(filled.slice(0, before + 1))
}

/** Without single wild values: the median of a value and its neighbours stands in for them. */
function tame(x: Float64Array): Float64Array {
  const medians = x.map((value, t) => {
    const before = x[t - 1] ?? value
    const after = x[t + 1] ?? value
    return Math.max(Math.min(before, value), Math.min(Math.max(before, value), after))
  })
  const distances = x.map((value, t) => Math.abs(value - medians[t]!))
  const usual = distances.slice().sort()[Math.floor(0.95 * (x.length - 1))] ?? 0
  if (!(usual > 0)) return x
  return x.map((value, t) => (distances[t]! > wildMin * usual ? medians[t]! : value))
}
