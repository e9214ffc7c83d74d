/**
 * How good forecasts were. Errors are divided by the scale of their own series before they are
 * averaged, so that series, origins and horizons can be pooled (Hyndman and Koehler 2006). A value
 * that is missing counts nowhere; a mean of nothing, or by a scale of zero, is NaN.
 */

/** Mean absolute and mean squared change from one season to the next, on the training data. */
export type Scale = { readonly absolute: number; readonly squared: number }

/** A central interval of a level in percent: the share inside, and the mean scaled width. */
export type LevelScores = {
  readonly level: number
  /** The share of the observations within the interval, bounds included, in [0, 1]. */
  readonly coverage: number
  /** Mean scaled interval score: width, and 2 / alpha times what lies outside (M4, Winkler). */
  readonly msis: number
}

export type Scores = {
  /** Pairs of an observation and its forecast. */
  readonly count: number
  /** Forecasts whose observation is missing; they are in no score. */
  readonly missing: number
  /** The mean of observation less forecast: above zero where forecasts are too low. */
  readonly me: number
  readonly mae: number
  readonly rmse: number
  readonly mase: number
  readonly rmsse: number
  /** In percent, between 0 and 200; two zeros are no error. */
  readonly smape: number
  /** The mean pinball loss over the quantiles, in the units of the series (GEFCom2014). */
  readonly pinball: number
  /** Twice the mean pinball loss over the quantiles, by the scale of the series. */
  readonly scaledPinball: number
  readonly levels: readonly LevelScores[]
}

/** Sums that become scores; those of several steps or origins add up. */
export type Tally = {
  readonly probabilities: Float64Array
  readonly levels: readonly Level[]
  count: number
  missing: number
  signed: number
  absolute: number
  squared: number
  symmetric: number
  pinball: number
  scaledAbsolute: number
  scaledSquared: number
  scaledPinball: number
  /** One of each for a level: observations inside, and scaled interval scores. */
  readonly inside: Float64Array
  readonly interval: Float64Array
}

/**
 * The scale of a series for MASE, RMSSE and MSIS: its changes at the lag of a season, or at lag 1
 * where it is too short to show one.
 */
export function errorScale(train: Float64Array, seasonLength: number): Scale {
  const lag = scaleLag(train.length, seasonLength)
  let pairs = 0
  let absolute = 0
  let squared = 0
  for (let t = lag; t < train.length; t++) {
    const change = train[t]! - train[t - lag]!
    if (Number.isNaN(change)) continue
    pairs++
    absolute += Math.abs(change)
    squared += change * change
  }
  return { absolute: absolute / pairs, squared: squared / pairs }
}

/** The lag that the scale of so many observations is of: that of a season, or 1. */
export function scaleLag(length: number, seasonLength: number): number {
  return length > seasonLength + 1 ? seasonLength : 1
}

/** @param probabilities of the quantiles that will be scored, ascending; may be empty. */
export function makeTally(probabilities: Float64Array): Tally {
  const levels = levelsOf(probabilities)
  return {
    probabilities,
    levels,
    count: 0,
    missing: 0,
    signed: 0,
    absolute: 0,
    squared: 0,
    symmetric: 0,
    pinball: 0,
    scaledAbsolute: 0,
    scaledSquared: 0,
    scaledPinball: 0,
    inside: new Float64Array(levels.length),
    interval: new Float64Array(levels.length),
  }
}

/** Counts one observation; `quantiles` holds its forecast ones from `from` on. */
export function addToTally(
  tally: Tally,
  actual: number,
  point: number,
  quantiles: Float64Array,
  from: number,
  scale: Scale,
): void {
  if (Number.isNaN(actual)) {
    tally.missing++
    return
  }
  const error = Math.abs(actual - point)
  const size = Math.abs(actual) + Math.abs(point)
  tally.count++
  tally.signed += actual - point
  tally.absolute += error
  tally.squared += error * error
  tally.symmetric += size === 0 ? 0 : (200 * error) / size
  tally.scaledAbsolute += error / scale.absolute
  tally.scaledSquared += (error * error) / scale.squared
  const { probabilities } = tally
  const many = probabilities.length
  let pinball = 0
  for (let i = 0; i < many; i++) {
    const p = probabilities[i]!
    const above = actual - quantiles[from + i]!
    pinball += above >= 0 ? p * above : (p - 1) * above
  }
  tally.pinball += pinball / many
  tally.scaledPinball += (2 * pinball) / many / scale.absolute
  tally.levels.forEach(({ lowerAt, upperAt, alpha }, at) => {
    const lower = quantiles[from + lowerAt]!
    const upper = quantiles[from + upperAt]!
    const outside = Math.max(lower - actual, actual - upper, 0)
    if (outside === 0) tally.inside[at]! += 1
    tally.interval[at]! += (upper - lower + (2 / alpha) * outside) / scale.absolute
  })
}

export function sumOfTallies(tallies: readonly Tally[], probabilities: Float64Array): Tally {
  const sum = makeTally(probabilities)
  for (const tally of tallies) {
    sum.count += tally.count
    sum.missing += tally.missing
    sum.signed += tally.signed
    sum.absolute += tally.absolute
    sum.squared += tally.squared
    sum.symmetric += tally.symmetric
    sum.pinball += tally.pinball
    sum.scaledAbsolute += tally.scaledAbsolute
    sum.scaledSquared += tally.scaledSquared
    sum.scaledPinball += tally.scaledPinball
    for (let i = 0; i < sum.inside.length; i++) {
      sum.inside[i]! += tally.inside[i]!
      sum.interval[i]! += tally.interval[i]!
    }
  }
  return sum
}

export function scoresOf(tally: Tally): Scores {
  const { count } = tally
  return {
    count,
    missing: tally.missing,
    me: tally.signed / count,
    mae: tally.absolute / count,
    rmse: Math.sqrt(tally.squared / count),
    mase: tally.scaledAbsolute / count,
    rmsse: Math.sqrt(tally.scaledSquared / count),
    smape: tally.symmetric / count,
    pinball: tally.pinball / count,
    scaledPinball: tally.scaledPinball / count,
    levels: tally.levels.map(({ level }, at) => ({
      level,
      coverage: tally.inside[at]! / count,
      msis: tally.interval[at]! / count,
    })),
  }
}

/** The scores of one forecast; `quantiles` is horizon × probabilities, row-major. */
export function scoreForecast(
  actual: Float64Array,
  forecast: { readonly point: Float64Array; readonly quantiles: Float64Array },
  probabilities: Float64Array,
  scale: Scale,
): Scores {
  const tally = makeTally(probabilities)
  const many = probabilities.length
  for (let h = 0; h < actual.length; h++) {
    addToTally(tally, actual[h]!, forecast.point[h]!, forecast.quantiles, h * many, scale)
  }
  return scoresOf(tally)
}

/**
 * The overall weighted average of M4: the mean of MASE and sMAPE, each relative to that of a
 * benchmark. Over many series: give means over the series, not a mean of ratios.
 */
export function overallWeightedAverage(
  scores: Pick<Scores, 'mase' | 'smape'>,
  benchmark: Pick<Scores, 'mase' | 'smape'>,
): number {
  return 0.5 * (scores.mase / benchmark.mase + scores.smape / benchmark.smape)
}

/** A central interval among the quantiles, by the places of its bounds. */
type Level = {
  readonly level: number
  readonly alpha: number
  readonly lowerAt: number
  readonly upperAt: number
}

/** The central intervals among some quantiles: a pair p and 1 - p gives the level 100 (1 - 2 p). */
function levelsOf(probabilities: Float64Array): readonly Level[] {
  const levels: Level[] = []
  probabilities.forEach((p, lowerAt) => {
    if (p >= 0.5) return
    const upperAt = probabilities.findIndex((other) => Math.abs(1 - p - other) < 1e-9)
    if (upperAt < 0) return
    levels.unshift({ level: Math.round((1 - 2 * p) * 1e8) / 1e6, alpha: 2 * p, lowerAt, upperAt })
  })
  return levels
}
