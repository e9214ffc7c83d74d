import type { FitOutcome } from '../../../broker/src/jobs/fit-outcome.ts'
import type { Request } from '../schedule/plan.ts'

export type ForecastRequest = Extract<Request, { kind: 'forecast' }>
export type FitRequest = Extract<Request, { kind: 'fit' }>

/** What became of a forecast that was asked for. */
export type ForecastRecord = {
  readonly request: ForecastRequest
  /** The very process that was asked: name and incarnation. */
  readonly broker: string
  readonly sentMs: number
  readonly doneMs: number
  readonly outcome:
    | { readonly kind: 'answer'; readonly version: number; readonly body: string }
    | { readonly kind: 'refused'; readonly status: number; readonly why: string }
}

/** What became of a fit that was asked for. */
export type FitRecord = {
  readonly request: FitRequest
  readonly doneMs: number
  readonly outcome:
    | { readonly kind: 'accepted'; readonly job: string; readonly version: number }
    | { readonly kind: 'refused'; readonly why: string }
}

/** What the client of an accepted fit was told in the end. */
export type ToldRecord = {
  readonly request: FitRequest
  readonly version: number
  readonly doneMs: number
  readonly outcome: FitOutcome | undefined
}

/** What came of a request about a job. */
export type JobEndRecord =
  | { readonly kind: 'cancelled' | 'backtest'; readonly job: string }
  /** A bug: nobody is to blame for it but the code. */
  | { readonly kind: 'broken'; readonly what: string }

export type Records = {
  readonly forecasts: ForecastRecord[]
  readonly fits: FitRecord[]
  readonly told: ToldRecord[]
  readonly jobs: JobEndRecord[]
}
