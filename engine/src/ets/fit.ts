import type { Outcome, Report, Run, Series } from '../family.ts'
import { makeBudget } from '../numeric/budget.ts'
import { countObserved } from '../series/check.ts'
import { checkForm } from './check.ts'
import type { Estimate, Searches } from './estimate.ts'
import {
  type Form,
  formName,
  formsOf,
  parameterCount,
  seasonLengthOf,
  skipsSeason,
} from './form.ts'
import { evaluate, makeTrace } from './kernel.ts'
import { type EtsModel, filterSeries } from './model.ts'
import { smoothingAt } from './region.ts'
import { criteriaOf, type Selection, select } from './select.ts'
import type { EtsSpec } from './spec.ts'
import { firstStates } from './start.ts'

/** Fits a series that passes `checkEtsSeries`. Stopped, it returns the best so far. */
export function fitEts(series: Series, spec: EtsSpec, run: Run): Outcome<EtsModel> {
  const seasonLength = seasonLengthOf(spec, series)
  const forms = formsOf(spec, seasonLength)
  const scaled = scale(series.y)
  if (scaled.constant) return fitConstant(series, spec, forms, scaled)
  const observed = countObserved(series.y)
  const lengthMax = forms.reduce((most, form) => Math.max(most, form.seasonLength), 1)
  const searches: Searches = {
    trace: makeTrace(scaled.y, observed, lengthMax),
    spec,
    budget: makeBudget(run),
    run,
    optimisers: new Map(),
  }
  const offset = -observed * Math.log(scaled.scale)
  const selection = select(searches, forms, spec, series.y, offset, run)
  const best = selection.best ?? beginning(series.y, forms, spec, scaled)
  const value = valueAt(searches, best)
  // A form that is not defined on all of its series is as uncertain as its fit is large.
  const squares = Number.isFinite(value) ? searches.trace.sums[0]! : observed
  const sigma2 = squares / freedomOf(best.form, observed)
  const { form, smoothing, states } = best
  const model = filterSeries(
    { spec, form, scale: scaled.scale, smoothing, initial: states, sigma2 },
    series,
  )
  run.onProgress?.(1)
  const ended = searches.budget.ended()
  const converged = best.converged && ended === undefined
  return {
    kind: ended === undefined ? 'done' : 'stopped',
    value: model,
    report: {
      summary: summarise(model, selection, spec, seasonLength),
      ...describe(model, offset - value),
      iterations: selection.iterations,
      evaluations: selection.evaluations,
      converged: converged ? 'yes' : 'no',
      candidates: selection.candidates,
      ...(ended === undefined ? {} : { stopped: stops[ended] }),
    },
  }
}

/**
 * The model and the log-likelihood of a series at given parameters, in the units of the data,
 * without any search.
 */
export function etsAt(
  series: Series,
  spec: EtsSpec,
  form: Form,
  smoothing: Float64Array,
  initial: Float64Array,
): { readonly model: EtsModel; readonly logLikelihood: number } {
  const scaled = scale(series.y)
  const observed = countObserved(series.y)
  const trace = makeTrace(scaled.y, observed, form.seasonLength)
  const states = initial.map((value, i) => {
    return form.season === 'M' && i > 1 ? value : value / scaled.scale
  })
  trace.level[0] = states[0]!
  trace.trend[0] = states[1]!
  trace.season.set(states.subarray(2))
  const endless = makeBudget({ workMax: Number.POSITIVE_INFINITY })
  const value = evaluate(trace, form, smoothing, endless)
  const sigma2 = trace.sums[0]! / freedomOf(form, observed)
  const model = filterSeries(
    { spec, form, scale: scaled.scale, smoothing, initial: states, sigma2 },
    series,
  )
  return { model, logLikelihood: -observed * Math.log(scaled.scale) - value }
}

const stops = { asked: 'as asked', budget: 'the budget of work is spent' } as const

type Scaled = { readonly y: Float64Array; readonly scale: number; readonly constant: boolean }

/** Values that differ by no more than rounding are constant. */
const constantWithin = 8 * Number.EPSILON

/** In units of the largest power of two that is not above the largest value; exact. */
function scale(y: Float64Array): Scaled {
  let [low, high, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const value of y) {
    if (Number.isNaN(value)) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
    most = Math.max(most, Math.abs(value))
  }
  let unit = 1
  while (most > 0 && unit <= most / 2) unit *= 2
  while (most > 0 && unit > most) unit /= 2
  return {
    y: y.map((value) => value / unit),
    scale: unit,
    constant: high - low <= constantWithin * most,
  }
}

/** Unbiased for the number of parameters, as R has it. */
function freedomOf(form: Form, observed: number): number {
  return Math.max(1, observed - parameterCount(form))
}

/** The objective without a prior; leaves the squares of the errors in the trace. */
function valueAt({ trace, budget }: Searches, { form, smoothing, states }: Estimate): number {
  trace.level[0] = states[0]!
  trace.trend[0] = states[1]!
  trace.season.set(states.subarray(2))
  const endless = { ...budget, spend: () => true }
  return evaluate(trace, form, smoothing, endless)
}

/** Where a search would begin, for a fit that is stopped before it or has nowhere to go. */
function beginning(
  y: Float64Array,
  forms: readonly Form[],
  spec: EtsSpec,
  scaled: Scaled,
): Estimate {
  const form = forms.find((each) => checkForm(y, each) === undefined)!
  const smoothing = new Float64Array(4)
  smoothingAt(Float64Array.of(0.5, 0.1, 0.1, 0.9), form, spec.bounds, smoothing)
  const states = firstStates(scaled.y, form).at(-1)!
  const value = Number.POSITIVE_INFINITY
  return { form, smoothing, states, value, iterations: 0, evaluations: 0, converged: false }
}

/** Without variation there is no likelihood: the forecast repeats the series, with no width. */
function fitConstant(
  series: Series,
  spec: EtsSpec,
  forms: readonly Form[],
  scaled: Scaled,
): Outcome<EtsModel> {
  const form = forms.find((each) => checkForm(series.y, each) === undefined)!
  const smoothing = Float64Array.of(0.5, 0, 0, form.trend === 'N' ? 0 : form.damped ? 0.9 : 1)
  const initial = new Float64Array(2 + form.seasonLength)
  initial[0] = scaled.y.find((value) => !Number.isNaN(value)) ?? 0
  if (form.season === 'M') initial.fill(1, 2)
  const model = filterSeries(
    { spec, form, scale: scaled.scale, smoothing, initial, sigma2: 0 },
    series,
  )
  const report: Report = {
    summary: `The series does not vary: ${formName(form)} repeats it, without error.`,
    ...counts(model),
    sigma2: 0,
    iterations: 0,
    evaluations: 0,
    converged: 'yes',
  }
  return { kind: 'done', value: model, report }
}

const names = { aicc: 'AICc', aic: 'AIC', bic: 'BIC' } as const

function summarise(
  { form }: EtsModel,
  { candidates }: Selection,
  spec: EtsSpec,
  seasonLength: number,
): string {
  const season = form.season === 'N' ? '' : ` with a season of ${form.seasonLength}`
  const why =
    candidates.length > 1
      ? `, the best of ${candidates.length} forms by ${names[spec.criterion]}`
      : ''
  const skipped = skipsSeason(spec, seasonLength)
    ? ` The season of ${seasonLength} is too long for it and was left out.`
    : ''
  return `${formName(form)}${season}${why}.${skipped}`
}

function describe(model: EtsModel, logLikelihood: number): Report {
  const { form, smoothing, scale: unit, sigma2, initial } = model
  const [alpha = 0, beta = 0, gamma = 0, phi = 0] = smoothing
  const figures = {
    logLikelihood,
    ...criteriaOf(logLikelihood, form, model.observations),
    sigma2: form.error === 'A' ? unit * sigma2 * unit : sigma2,
    alpha,
    ...(form.trend === 'A' ? { beta } : {}),
    ...(form.season === 'N' ? {} : { gamma }),
    ...(form.damped ? { phi } : {}),
    initialLevel: unit * initial[0]!,
    ...(form.trend === 'A' ? { initialTrend: unit * initial[1]! } : {}),
  }
  const finite = Object.entries(figures).filter(([, figure]) => Number.isFinite(figure))
  return { ...Object.fromEntries(finite), ...counts(model) }
}

function counts({ observations, missing, form }: EtsModel) {
  return { observations, missing, seasonLength: form.seasonLength, form: formName(form) }
}
