import { levelQuantiles } from '../facade.ts'
import type { Bounds, Run, Series } from '../family.ts'
import { type Backtest, type BacktestPlan, backtest } from './backtest.ts'
import { errorScale, type Scores, scaleLag, type Tally } from './metrics.ts'

/** How a series is judged: the settings of a backtest in the words of JSON. */
export type Trial = {
  /** Steps ahead of each origin. */
  readonly horizon: number
  /** Origins; the last one leaves just `horizon` observations. */
  readonly windows: number
  /** Observations from one origin to the next. */
  readonly step: number
  /** Of the intervals, in percent. Pinball losses are those of their bounds and of the median. */
  readonly levels: readonly number[]
  /** `refit`: a fit at each origin. `update`: one at the first, whose state then moves on. */
  readonly mode: 'refit' | 'update'
  /** Of the scale, in observations; null: the first season of the frequency, or else 1. */
  readonly season: number | null
  /** Of the forecasts that are judged; absent: none. */
  readonly bounds?: Bounds
}

/** What errors come to, over steps and origins; null where that cannot be said. */
export type Errors = {
  /** Hyndman and Koehler 2006: by the scale of the series. */
  readonly mase: number | null
  /** In percent, between 0 and 200, as in M4; two zeros are no error. */
  readonly smape: number | null
  readonly rmse: number | null
  readonly mae: number | null
  /** The mean of observation less forecast: above zero where forecasts are too low. */
  readonly bias: number | null
  /** The mean pinball loss over the quantiles, in the units of the series (GEFCom2014). */
  readonly pinball: number | null
  /** The same by the scale of the series, as in M5. */
  readonly scaledPinball: number | null
}

/** Sums of one step ahead over the origins, and over series: they add up. */
export type StepSums = {
  readonly count: number
  readonly missing: number
  readonly error: number
  readonly absolute: number
  readonly squared: number
  readonly symmetric: number
  readonly pinball: number
  /** Of those whose series has a scale: how many there are, and their scaled errors. */
  readonly scaledCount: number
  readonly scaledAbsolute: number
  readonly scaledPinball: number
  /** One for each level: observations inside, bounds included. */
  readonly inside: readonly number[]
}

/** What a backtest says of one series. */
export type Verdict = {
  /**
   * `ok`, or what is wrong: that of the refusal where no origin gave a forecast; `partly` where
   * some did not; `no-actuals` where every observation to compare with is missing; `zero-scale`
   * where the past does not change from season to season, and `no-scale` where it has no two
   * seasons to compare: both have no scaled errors.
   */
  readonly code: string
  readonly detail: string
  /** Origins that gave a forecast. */
  readonly windows: number
  /** Forecasts with an observation to compare with, and those without. */
  readonly count: number
  readonly missing: number
  /** The length of season that the scale is of. */
  readonly season: number
  /** The mean absolute change over a season before the first origin. */
  readonly scale: number | null
  readonly errors: Errors
  /** Of each level the share of observations inside; null without any. */
  readonly coverage: readonly (number | null)[]
  /** One for each step ahead; none where no origin gave a forecast. */
  readonly steps: readonly StepSums[]
}

export const noErrors: Errors = {
  ...{ mase: null, smape: null, rmse: null, mae: null },
  ...{ bias: null, pinball: null, scaledPinball: null },
}

/**
 * Judges a spec on one series by forecasts from rolling origins. Errors are scaled by the mean
 * absolute change over a season of the observations before the first origin, which no forecast
 * can see beyond; missing ones are in no mean. What is wrong is in the code: never throws for data.
 */
export function judge(series: Series, spec: unknown, trial: Trial, run: Run): Verdict {
  const { horizon, windows, step, levels, mode, bounds } = trial
  const first = Math.max(0, series.y.length - horizon - (windows - 1) * step)
  const wanted = trial.season ?? series.seasons?.[0] ?? 1
  const known = errorScale(series.y.subarray(0, first), wanted)
  const hasScale = known.absolute > 0
  const plan: BacktestPlan = {
    ...{ origins: windows, step, horizon, refit: mode === 'refit' },
    quantiles: quantilesOf(levels),
    scale: hasScale ? known : { absolute: 1, squared: 1 },
    ...(bounds ? { bounds } : {}),
  }
  const about = { season: scaleLag(first, wanted), scale: hasScale ? known.absolute : null }
  const outcome = backtest(series, spec, plan, run)
  if (outcome.kind === 'refused') return without(outcome.reason, trial, about)
  const { value } = outcome
  const done = value.origins.filter(({ kind }) => kind === 'done').length
  const code = codeOf(value, done, known.absolute, trial)
  const { count, missing, levels: found } = value.overall
  const said = new Map(found.map(({ level, coverage }) => [level, coverage]))
  return {
    ...{ ...code, windows: done, count, missing, ...about },
    errors: errorsOf(value.overall, about.scale),
    coverage: levels.map((level) => finite(said.get(level))),
    steps: value.tallies.map((tally) => sumsOf(tally, levels, hasScale)),
  }
}

/** The bounds of the levels, and the median. */
function quantilesOf(levels: readonly number[]): Float64Array {
  return Float64Array.from(new Set([...levelQuantiles(levels), 0.5])).sort()
}

/** Of a series that was not judged, and why. */
export function without(
  { code, detail }: { readonly code: string; readonly detail: string },
  { levels }: Pick<Trial, 'levels'>,
  about: Pick<Verdict, 'season' | 'scale'> = { season: 1, scale: null },
): Verdict {
  const none = { windows: 0, count: 0, missing: 0, errors: noErrors, steps: [] }
  return { code, detail, ...none, ...about, coverage: levels.map(() => null) }
}

export const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null

function codeOf({ origins, overall }: Backtest, done: number, scale: number, { windows }: Trial) {
  const refused = origins.find(({ kind }) => kind === 'refused')
  if (refused?.kind === 'refused') {
    const { code, detail } = refused.reason
    const where = `At ${windows - done} of ${windows} origins: ${code}. ${detail}`
    return { code: 'partly', detail: where }
  }
  if (overall.count === 0)
    return { code: 'no-actuals', detail: 'Every observation to compare with is missing.' }
  if (scale > 0) return { code: 'ok', detail: '' }
  if (scale === 0) {
    const detail = 'Before the first origin nothing changes from one season to the next.'
    return { code: 'zero-scale', detail }
  }
  const detail = 'Before the first origin no two observations are a season apart.'
  return { code: 'no-scale', detail }
}

function errorsOf(scores: Scores, scale: number | null): Errors {
  const by = (value: number) => finite(scale === null ? Number.NaN : value / scale)
  const { mae, me, rmse, smape, pinball } = scores
  return {
    ...{ mase: by(mae), smape: finite(smape), rmse: finite(rmse), mae: finite(mae) },
    ...{ bias: finite(me), pinball: finite(pinball), scaledPinball: by(pinball) },
  }
}

function sumsOf(tally: Tally, levels: readonly number[], hasScale: boolean): StepSums {
  const { count, missing, signed: error, absolute, squared, symmetric, pinball } = tally
  const places = new Map(tally.levels.map(({ level }, at) => [level, at]))
  return {
    ...{ count, missing, error, absolute, squared, symmetric, pinball },
    scaledCount: hasScale ? count : 0,
    scaledAbsolute: hasScale ? tally.scaledAbsolute : 0,
    // The tally has twice the loss, which at the median is the absolute error.
    scaledPinball: hasScale ? tally.scaledPinball / 2 : 0,
    inside: levels.map((level) => tally.inside[places.get(level) ?? -1] ?? 0),
  }
}
