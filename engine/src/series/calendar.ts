/**
 * When the observations of a series were made. Instants are milliseconds since 1970-01-01T00:00Z.
 * Calendar steps count local dates, so that a day of 23 or 25 hours is one day; the engine has no
 * table of zones: it is given the transitions.
 */
export type Calendar = {
  /** The instant of the first observation. */
  readonly start: number
  readonly step: Step
}

export type Step =
  | {
      readonly kind: 'fixed'
      readonly ms: number
      /** Whose local dates and times of day the observations have; UTC when absent. */
      readonly zone?: Zone
    }
  | {
      readonly kind: 'calendar'
      readonly unit: CalendarUnit
      readonly count: number
      /** UTC when absent. */
      readonly zone?: Zone
    }

export type CalendarUnit = 'day' | 'week' | 'month' | 'quarter' | 'year'

/** A time zone over the time that matters: its offset from each of some instants on. */
export type Zone = {
  readonly name: string
  /** Ascending; the first offset also holds before the first instant. */
  readonly instants: Float64Array
  /** Local time less UTC, in milliseconds. */
  readonly offsetsMs: Float64Array
}
