/**
 * What a family of models is. The engine is pure: numbers in, numbers out; no I/O, no clock, no
 * randomness but a seed. Missing observations are NaN. Quantiles come first, interval levels are
 * derived from them.
 */
import type { Calendar } from './series/calendar.ts'

/** Values by name, one for each step. */
export type Columns = Readonly<Record<string, Float64Array>>

export type Series = {
  readonly y: Float64Array
  /** Season lengths in observations, each above 1, ascending. Absent: nobody said; empty: none. */
  readonly seasons?: readonly number[]
  /** When the observations were made; families that know dates need it. */
  readonly calendar?: Calendar
  /** Regressors, as long as `y`. */
  readonly x?: Columns
  readonly key?: string
}

/** What a fit may spend. The budget is deterministic: likelihood evaluations × observations. */
export type Run = {
  readonly seed: number
  readonly workMax: number
  /** Polled at least every 10 ms; a stopped fit returns the best so far, marked so. */
  readonly shouldStop?: () => boolean
  /** Told now and then how much of the work is done, in [0, 1]; an estimate. */
  readonly onProgress?: (fraction: number) => void
}

export type Refusal = {
  /** A stable word: `too-short`, `unknown-field`, `not-finite`, `bad-format`, … */
  readonly code: string
  readonly detail: string
  /** JSON pointer into the spec, or `/y/{index}` into the series. */
  readonly field?: string
  readonly remedy?: string
}

/** A model that was tried: what it scored, or why it was not taken. */
export type Candidate = {
  readonly name: string
  /**
   * Corrected information criterion; compared only among candidates of one family and transform.
   */
  readonly aicc?: number
  /** Its share in a combination, in [0, 1]. */
  readonly weight?: number
  /** Why it was not fitted, or not taken. */
  readonly refused?: string
}

/**
 * What a fit says of itself. Plain figures stand beside the named fields (`logLikelihood`, `aicc`,
 * `sigma2`, a parameter's name): numbers and short texts.
 */
export type Report = {
  /** One or two sentences for people: what was fitted, and why that. */
  readonly summary?: string
  readonly converged?: 'yes' | 'no'
  readonly candidates?: readonly Candidate[]
  /** What was mended in the data before the fit, each with its count. */
  readonly repairs?: readonly string[]
  readonly [figure: string]: ReportValue | undefined
}
export type ReportValue = number | string | readonly string[] | readonly Candidate[]

export type Outcome<T> =
  | { readonly kind: 'done' | 'stopped'; readonly value: T; readonly report: Report }
  | { readonly kind: 'refused'; readonly reason: Refusal }

export type Bounds = { readonly lower?: number; readonly upper?: number }

export type Ask = {
  readonly horizon: number
  /** Probabilities in (0, 1), ascending; may be empty. */
  readonly quantiles: Float64Array
  /** Each regressor of the model, at least `horizon` values; refused when one is missing. */
  readonly future?: Columns
  /** Kept by point and quantiles alike. */
  readonly bounds?: Bounds
  /** What `point` is where the distribution is skewed; the median unless told otherwise. */
  readonly point?: 'median' | 'mean'
}

/** An ask before anybody says which quantiles. */
export type Plan = Omit<Ask, 'quantiles'>

/**
 * A forecast of which all is computed once that quantiles share; they and the horizon may vary from
 * ask to ask. As long as the point does not vary with the quantiles, it is in the same memory in
 * every answer.
 */
export type Prepared = {
  /**
   * What `forecast` gives for the plan with these quantiles, to the bit, notes and refusals
   * included; for the plan's horizon, or a shorter one.
   */
  readonly at: (quantiles: Float64Array, horizon?: number) => Outcome<Forecast>
  /** Does what the first ask would do for all, in pieces of about a millisecond. */
  readonly begin?: () => Iterable<void>
  /** Memory that it keeps once it was asked for quantiles; an estimate, for budgets. */
  readonly sizeBytes: number
}

/** Something that the reader of a forecast has to know. */
export type Note = { readonly code: string; readonly detail: string }

export type Forecast = {
  /** horizon values on the scale of the data. */
  readonly point: Float64Array
  /** horizon × quantiles, row-major. */
  readonly quantiles: Float64Array
  readonly notes: readonly Note[]
}

/** Parts that sum to `total` to 1e-9 relative; NaN in every one of them where there is no fit. */
export type Components = { readonly total: Float64Array; readonly parts: Columns }

/** What is explained: one-step fits of the series that was fitted, or the point forecast. */
export type Explained = { readonly series: Series } | { readonly ask: Ask }

export type Abilities = {
  /** Takes `Series.x`, and then requires `Ask.future`. */
  readonly regressors: boolean
  /** The fewest observations (not missing) of any of its models. */
  readonly observationsMin: number
  /** Takes values of zero and below. */
  readonly zeros: boolean
}

/**
 * One family. `parse` checks a user's spec and fills in its defaults; the others trust a parsed
 * spec, a checked series, a valid ask. Every family takes missing values: they contribute no error,
 * and the state moves on as if what was expected had come.
 *
 * - `update(fit(a), b)` keeps the parameters and equals `filter(fit(a), a+b)`, to the byte, at a
 *   cost of only the new points.
 * - The forecast for a short horizon is exactly the beginning of the one for a long horizon, and so
 *   are simulated paths.
 */
export interface Family<Spec, Model> {
  readonly name: string
  readonly format: number
  readonly can: Abilities
  parse(spec: Readonly<Record<string, unknown>>): Outcome<Spec>
  /** Cheap: can a series be fitted at all? Undefined when it can. */
  check(series: Series, spec: Spec): Refusal | undefined
  fit(series: Series, spec: Spec, run: Run): Outcome<Model>
  /** The model with the same parameters at the end of a series, taken from its beginning. */
  filter(model: Model, series: Series): Outcome<Model>
  /** Pure: a new model after newer observations. */
  update(model: Model, newer: Series): Outcome<Model>
  forecast(model: Model, ask: Ask, run: Run): Outcome<Forecast>
  /** Absent where a forecast costs little more than its quantiles. */
  prepare?(model: Model, plan: Plan, run: Run): Prepared
  /** paths × horizon, row-major; each path is drawn step by step from (seed, path, step). */
  simulate(model: Model, ask: Ask, paths: number, run: Run): Outcome<Float64Array>
  explain(model: Model, what: Explained): Outcome<Components>
  encode(model: Model): Uint8Array
  decode(bytes: Uint8Array): Outcome<Model>
  /** Resident memory of a model, for budgets. */
  sizeBytes(model: Model): number
}
