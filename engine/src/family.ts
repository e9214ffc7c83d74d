/**
 * What a family of models is. The engine is pure: numbers in, numbers out; no I/O, no clock, no
 * randomness but a seed. Missing observations are NaN. Quantiles come first, interval levels are
 * derived from them.
 */
export type Series = {
  readonly y: Float64Array
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

export type Report = Readonly<Record<string, number | string>>

export type Outcome<T> =
  | { readonly kind: 'done' | 'stopped'; readonly value: T; readonly report: Report }
  | { readonly kind: 'refused'; readonly reason: Refusal }

export type Ask = {
  readonly horizon: number
  /** Probabilities in (0, 1), ascending; may be empty. */
  readonly quantiles: Float64Array
}

export type Forecast = {
  /** horizon values on the scale of the data. */
  readonly point: Float64Array
  /** horizon × quantiles, row-major. */
  readonly quantiles: Float64Array
}

/**
 * One family. `parse` checks a user's spec and fills in its defaults; `fit` to `forecast` trust a
 * parsed spec. `update(fit(a), b)` keeps the parameters and equals filtering a+b with them. The
 * forecast for a short horizon is exactly the beginning of the one for a long horizon.
 */
export interface Family<Spec, Model> {
  readonly name: string
  readonly format: number
  parse(spec: Readonly<Record<string, unknown>>): Outcome<Spec>
  /** Cheap: can a series be fitted at all? Undefined when it can. */
  check(series: Series, spec: Spec): Refusal | undefined
  fit(series: Series, spec: Spec, run: Run): Outcome<Model>
  forecast(model: Model, ask: Ask): Outcome<Forecast>
  update(model: Model, newer: Series): Outcome<Model>
  encode(model: Model): Uint8Array
  decode(bytes: Uint8Array): Outcome<Model>
  /** Resident memory of a model, for budgets. */
  sizeBytes(model: Model): number
}
