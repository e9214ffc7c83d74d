/** What came of some schedules. */
export type Tally = {
  readonly schedules: number
  readonly failures: readonly Failure[]
  readonly events: number
  readonly forecasts: number
  readonly fits: number
  readonly virtualMs: number
  /** The longest that any schedule took to be well again. */
  readonly convergedMsMax: number
}

export const emptyTally: Tally = {
  schedules: 0,
  failures: [],
  events: 0,
  forecasts: 0,
  fits: 0,
  virtualMs: 0,
  convergedMsMax: 0,
}

export const added = (a: Tally, b: Tally): Tally => ({
  schedules: a.schedules + b.schedules,
  failures: [...a.failures, ...b.failures],
  events: a.events + b.events,
  forecasts: a.forecasts + b.forecasts,
  fits: a.fits + b.fits,
  virtualMs: a.virtualMs + b.virtualMs,
  convergedMsMax: Math.max(a.convergedMsMax, b.convergedMsMax),
})

export type Failure = { readonly seed: number; readonly violations: readonly string[] }
