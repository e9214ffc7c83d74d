import { checkAsk, checkShape } from '../check-input.ts'
import { fitModel, forecastModel, levelQuantiles, parseSpec, updateModel } from '../facade.ts'
import type { AnyModel, AnySpec } from '../families.ts'
import type { Ask, Forecast, Outcome, Refusal, Run, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { done, refused } from '../outcome.ts'
import { checkValues } from '../series/check.ts'
import { sliceSeries } from '../series/slice.ts'
import {
  addToTally,
  errorScale,
  makeTally,
  type Scale,
  type Scores,
  scoresOf,
  sumOfTallies,
  type Tally,
} from './metrics.ts'

/** From where, how far, and how often a rolling origin forecasts. */
export type BacktestPlan = {
  /** How many origins; the last one leaves just `horizon` observations. */
  readonly origins: number
  /** Observations from one origin to the next; 1 unless told otherwise. */
  readonly step?: number
  readonly horizon: number
  /**
   * Whether each origin fits anew (true, the default), only every k-th (a number), or only the
   * first (false): the others take the new observations with the parameters unchanged.
   */
  readonly refit?: boolean | number
  /** Probabilities, ascending; those of the levels 80 and 95, and the median, unless told. */
  readonly quantiles?: Float64Array
  readonly bounds?: Ask['bounds']
  readonly point?: Ask['point']
  /**
   * What errors are divided by, where it is not to be the changes of the series up to each origin:
   * one scale for all of them then adds up over origins.
   */
  readonly scale?: Scale
}

/** What was forecast from one origin, or why nothing was. */
export type OriginResult = {
  /** Observations that the model had seen; the forecast begins at this index. */
  readonly origin: number
  /** Whether the parameters were estimated here. */
  readonly refitted: boolean
} & (
  | { readonly kind: 'done'; readonly forecast: Forecast; readonly scores: Scores }
  | { readonly kind: 'refused'; readonly reason: Refusal }
)

export type Backtest = {
  readonly probabilities: Float64Array
  readonly origins: readonly OriginResult[]
  /** The scores of each step ahead, pooled over the origins. */
  readonly horizons: readonly Scores[]
  readonly overall: Scores
  /** The sums behind `horizons`, which add up with those of other series. */
  readonly tallies: readonly Tally[]
}

/**
 * Forecasts a series from a rolling origin and compares with what came. Errors are scaled by the
 * changes of the series up to each origin. Regressors are taken from the series as if they had
 * been known ahead. `run.workMax` is shared out equally among the fits. Stopped when a fit had to
 * stop; asked to stop, it returns the origins so far. Refused when no origin gave a forecast.
 */
export function backtest(
  series: Series,
  spec: unknown,
  plan: BacktestPlan,
  run: Run,
): Outcome<Backtest> {
  const parsed = parseSpec(spec)
  if (parsed.kind === 'refused') return parsed
  const probabilities = plan.quantiles ?? usualQuantiles()
  const fault =
    checkShape(series) ??
    checkValues(series.y) ??
    checkPlan(series.y.length, plan) ??
    checkAsk(askFrom(plan, probabilities))
  if (fault !== undefined) return refused(fault)

  const state: Rolling = { model: undefined, origin: 0, stopped: false }
  const tallies = Array.from({ length: plan.horizon }, () => makeTally(probabilities))
  const results: OriginResult[] = []
  for (let at = 0; at < plan.origins; at++) {
    const result = forecastFrom(at, state, series, parsed.value, plan, probabilities, run)
    results.push(judged(result, series, plan, probabilities, tallies))
    run.onProgress?.((at + 1) / plan.origins)
    if (run.shouldStop?.() !== true) continue
    state.stopped = true
    break
  }
  const made = results.filter(({ kind }) => kind === 'done').length
  const first = results[0]!
  if (made === 0 && first.kind === 'refused') return refused(first.reason)
  const value: Backtest = {
    probabilities,
    origins: results,
    horizons: tallies.map(scoresOf),
    overall: scoresOf(sumOfTallies(tallies, probabilities)),
    tallies,
  }
  const report = { origins: made, refused: results.length - made, summary: summaryOf(value, made) }
  return state.stopped ? { kind: 'stopped', value, report } : done(value, report)
}

/** The model as it rolls along: what it has seen, and whether a fit had to stop. */
type Rolling = { model: AnyModel | undefined; origin: number; stopped: boolean }

type Made = { origin: number; refitted: boolean; outcome: Outcome<Forecast> }

function forecastFrom(
  at: number,
  state: Rolling,
  series: Series,
  spec: AnySpec,
  plan: BacktestPlan,
  probabilities: Float64Array,
  run: Run,
): Made {
  const { step = 1, horizon, origins } = plan
  const origin = series.y.length - horizon - (origins - 1 - at) * step
  const refitted = state.model === undefined || at % fitEvery(plan) === 0
  const { shouldStop, seed } = run
  const share = Math.floor(run.workMax / Math.ceil(origins / fitEvery(plan)))
  const stop = shouldStop === undefined ? {} : { shouldStop }
  const outcome =
    state.model === undefined || refitted
      ? fitModel(sliceSeries(series, 0, origin), spec, { seed, workMax: share, ...stop })
      : updateModel(state.model, sliceSeries(series, state.origin, origin))
  // A model that missed some observations is of no use at the next origin: that one fits again.
  state.model = outcome.kind === 'refused' ? undefined : outcome.value
  state.origin = origin
  if (outcome.kind === 'refused') return { origin, refitted, outcome }
  if (outcome.kind === 'stopped') state.stopped = true
  const future = sliceSeries(series, origin, origin + horizon).x
  const ask = { ...askFrom(plan, probabilities), ...(future === undefined ? {} : { future }) }
  return { origin, refitted, outcome: forecastModel(outcome.value, ask, run) }
}

function judged(
  { origin, refitted, outcome }: Made,
  series: Series,
  plan: BacktestPlan,
  probabilities: Float64Array,
  tallies: readonly Tally[],
): OriginResult {
  if (outcome.kind === 'refused')
    return { origin, refitted, kind: 'refused', reason: outcome.reason }
  const forecast = outcome.value
  const scale = plan.scale ?? errorScale(series.y.subarray(0, origin), series.seasons?.[0] ?? 1)
  const own = makeTally(probabilities)
  for (const [h, tally] of tallies.entries()) {
    const actual = series.y[origin + h]!
    const from = h * probabilities.length
    addToTally(own, actual, forecast.point[h]!, forecast.quantiles, from, scale)
    addToTally(tally, actual, forecast.point[h]!, forecast.quantiles, from, scale)
  }
  return { origin, refitted, kind: 'done', forecast, scores: scoresOf(own) }
}

function checkPlan(length: number, plan: BacktestPlan): Refusal | undefined {
  const { origins, step = 1, horizon, refit = true } = plan
  const fault =
    outside(origins, 1, limits.originsMax, 'origins') ??
    outside(step, 1, limits.observationsMax, 'step') ??
    outside(horizon, 1, limits.horizonMax, 'horizon') ??
    (typeof refit === 'boolean' ? undefined : outside(refit, 1, limits.originsMax, 'refit'))
  if (fault !== undefined) return fault
  const held = horizon + (origins - 1) * step
  if (origins * horizon * (plan.quantiles?.length ?? 5) > limits.simulatedMax) {
    const detail = `${origins} origins of ${horizon} steps are too many quantiles to keep.`
    return { code: 'too-many', detail, field: '/origins' }
  }
  if (held < length) return undefined
  return {
    code: 'too-short',
    detail: `The series has ${length} observations; this plan holds ${held} of them back.`,
    field: '/y',
    remedy: 'Ask for fewer origins, a smaller step, or a shorter horizon.',
  }
}

function outside(value: number, min: number, max: number, name: string): Refusal | undefined {
  if (Number.isInteger(value) && value >= min && value <= max) return undefined
  const detail = `${name} has to be a whole number from ${min} to ${max}.`
  return { code: 'out-of-range', detail, field: `/${name}` }
}

/** A fit at the first origin and at every so many; never again is as good as beyond the last. */
function fitEvery({ refit = true, origins }: BacktestPlan): number {
  return refit === true ? 1 : refit === false ? origins : refit
}

function askFrom({ horizon, bounds, point }: BacktestPlan, quantiles: Float64Array): Ask {
  return {
    horizon,
    quantiles,
    ...(bounds === undefined ? {} : { bounds }),
    ...(point === undefined ? {} : { point }),
  }
}

function usualQuantiles(): Float64Array {
  return Float64Array.from([...levelQuantiles([80, 95]), 0.5]).sort()
}

function summaryOf({ overall, horizons }: Backtest, made: number): string {
  const levels = overall.levels.map(
    ({ level, coverage }) => `${Math.round(100 * coverage)}% inside the ${level}% interval`,
  )
  const parts = [`a mean absolute error of ${overall.mae.toPrecision(4)}`]
  if (Number.isFinite(overall.mase)) parts.push(`${overall.mase.toFixed(3)} scaled`)
  return `${made} origins, ${horizons.length} steps ahead: ${[...parts, ...levels].join(', ')}.`
}
