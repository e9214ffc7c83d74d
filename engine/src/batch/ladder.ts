import { checkWithin } from '../bounds.ts'
import { type AnyModel, type AnySpec, defaultSpec } from '../families.ts'
import type { Bounds, Outcome, Refusal, Run, Series } from '../family.ts'
import { fitOneOfMany } from './fit-many.ts'

/** What became of the fit of one series among many. */
export type Climbed = {
  /** Why the model is not the one that was asked for; `ok` where it is. */
  readonly code: string
  readonly detail: string
  readonly model: AnyModel | null
}

/**
 * The model that a spec asks for, seeded by the key; else the default one; else the last value
 * that goes on; else none.
 */
export function climb(series: Series, spec: AnySpec, run: Run): Climbed {
  const outcome = fitOneOfMany(series, 0, spec, run)
  if (outcome.kind !== 'refused') return { code: 'ok', detail: '', model: outcome.value }
  return spec.family === defaultSpec.family
    ? fallen(series, outcome.reason, run)
    : reserved(series, outcome.reason, run)
}

/**
 * The same model, with word of an observation that lies outside the bounds of forecasts: it is in
 * the data all the same, and would be missed there. What else is wrong with a fit is told first.
 */
export function toldOfBounds(fitted: Climbed, y: Float64Array, bounds?: Bounds): Climbed {
  const outside = bounds && fitted.code === 'ok' ? checkWithin(y, bounds) : undefined
  return outside ? { ...fitted, code: outside.code, detail: outside.detail } : fitted
}

/** Of a series that is not to be fitted as asked, and why. */
export function passOver(series: Series, code: string, run: Run): Climbed {
  const detail = 'This series was passed over, and has the simplest model that there is.'
  return fallen(series, { code, detail }, run)
}

/** The default model in place of the one that was asked for. */
function reserved(series: Series, reason: Refusal, run: Run): Climbed {
  const outcome = fitOneOfMany(series, 0, defaultSpec, run)
  return outcome.kind === 'refused' ? fallen(series, reason, run) : climbed(reason, outcome)
}

/** The last value goes on, where there is one. */
function fallen(series: Series, reason: Refusal, run: Run): Climbed {
  return climbed(reason, fitOneOfMany(series, 0, lastSpec, run))
}

const lastSpec: AnySpec = { family: 'baseline', method: 'naive', window: 1, seasonLength: null }

function climbed({ code, detail }: Refusal, outcome: Outcome<AnyModel>): Climbed {
  return { code, detail, model: outcome.kind === 'refused' ? null : outcome.value }
}
