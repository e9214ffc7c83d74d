import type { Almanac } from './almanac/start.ts'
import type { Target } from './target.ts'

export type Options = {
  readonly rounds: number
  readonly seconds: number
  /** The one core of whoever is measured, and that of the load. */
  readonly serverCore: string
  readonly loadCore: string
}

/** Somebody who is asked for forecasts. */
export type Contestant = {
  readonly name: string
  /** A control computes no forecasts: it shows what the machine itself takes. */
  readonly kind: 'own' | 'peer' | 'control'
  readonly pid: number
  readonly target: Target
}

/** For rows in which all run side by side. */
export type Contestants = {
  readonly options: Options
  readonly folder: string
  readonly contestants: readonly Contestant[]
}

/** For rows in which this project is measured beside itself. */
export type OwnRun = { readonly almanac: Almanac; readonly folder: string }
