import type { Outcome, Refusal, Report, Run, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { makeBudget } from '../numeric/budget.ts'
import { spreadOf } from '../numeric/spread.ts'
import { checkObserved, checkPending } from '../series/check.ts'
import { absorb, type BaselineModel, emptyState, levelAt, slopeOf } from './model.ts'
import { type BaselineSpec, seasonOf } from './spec.ts'

/** Why a series cannot be fitted; undefined when it can. */
export function checkBaselineSeries(
  series: Series,
  spec: BaselineSpec,
  seasonLength = seasonOf(spec, series),
): Refusal | undefined {
  const fault =
    checkObserved(series.y, spec.method === 'drift' ? 2 : 1) ?? checkPending(series.y, 0)
  if (fault !== undefined || seasonLength === 1) return fault
  const seen = new Uint8Array(seasonLength)
  series.y.forEach((value, t) => {
    if (!Number.isNaN(value)) seen[t % seasonLength] = 1
  })
  const unseen = seen.indexOf(0)
  if (unseen < 0) return undefined
  return {
    code: series.y.length < seasonLength ? 'too-short' : 'too-many-missing',
    detail: `No observation falls on step ${unseen} of the season of ${seasonLength}.`,
    field: '/y',
    remedy: 'Send at least one whole season, or set the method to naive.',
  }
}

/** Fits a series that passes `checkBaselineSeries`. Stopped, its width is of the errors so far. */
export function fitBaseline(series: Series, spec: BaselineSpec, run: Run): Outcome<BaselineModel> {
  const budget = makeBudget(run)
  const end = filterBaseline(emptyState(spec, seasonOf(spec, series), 0), series.y)
  const errors = gatherErrors(end, series.y, budget.spend)
  const spread = spreadOf(errors, spec.method === 'drift' || spec.method === 'mean' ? 1 : 0)
  const model: BaselineModel = { ...end, deviation: spread.deviation }
  const ended = budget.ended()
  run.onProgress?.(1)
  const report: Report = {
    summary: summaryOf(model),
    ...(spread.logLikelihood === undefined ? {} : { logLikelihood: spread.logLikelihood }),
    sigma2: spread.deviation * spread.deviation,
    observations: model.observations,
    missing: model.missing,
    seasonLength: model.seasonLength,
    ...(spec.method === 'drift' ? { slope: slopeOf(model) } : {}),
    iterations: 0,
    evaluations: 1,
    converged: ended === undefined ? 'yes' : 'no',
  }
  return { kind: ended === undefined ? 'done' : 'stopped', value: model, report }
}

/** The model with the same deviation at the end of a series. */
export function filterBaseline(model: BaselineModel, y: Float64Array): BaselineModel {
  const state = emptyState(model.spec, model.seasonLength, model.deviation)
  for (let t = 0; t < y.length; t++) absorb(state, y[t]!)
  return state
}

/**
 * The errors of one-step fits; mean and drift are those of the whole series, as in R. A change over
 * a gap is scaled to one step: it is the sum of so many shocks.
 */
function gatherErrors(
  end: BaselineModel,
  y: Float64Array,
  spend: (points: number) => boolean,
): Float64Array {
  const { method } = end.spec
  const { seasonLength } = end
  const slope = slopeOf(end)
  const state = emptyState(end.spec, seasonLength, 0)
  const seen = new Uint8Array(seasonLength)
  const errors = new Float64Array(y.length)
  let count = 0
  for (let t = 0; t < y.length; t++) {
    if (t % limits.pollPoints === 0 && !spend(Math.min(limits.pollPoints, y.length - t))) break
    const value = y[t]!
    const at = t % seasonLength
    if (!Number.isNaN(value)) {
      const steps = method === 'mean' || method === 'window' ? 1 : state.ages[at]! + 1
      if (method === 'mean') {
        errors[count++] = value - end.levels[0]!
      } else if (seen[at] === 1) {
        errors[count++] = (value - levelAt(state, at) - slope * steps) / Math.sqrt(steps)
      }
      seen[at] = 1
    }
    absorb(state, value)
  }
  return errors.subarray(0, count)
}

function summaryOf({ spec, seasonLength, observations, deviation }: BaselineModel): string {
  const what = {
    naive: 'The forecast repeats the last value',
    'seasonal-naive': `The forecast repeats the last season of ${seasonLength} steps`,
    drift: 'The forecast follows the line from the first value to the last',
    mean: `The forecast is the mean of ${observations} values`,
    window: `The forecast is the mean of the last ${Math.min(observations, spec.window)} values`,
  }[spec.method]
  return deviation === 0 ? `${what}; no error was seen, so it has no width.` : `${what}.`
}
