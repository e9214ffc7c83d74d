import type { Almanac } from './almanac/start.ts'
import type { InstalledPeer } from './peers/start.ts'
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
  readonly isPeer: boolean
  readonly target: Target
}

/** What the rows of one run share. */
export type Run = {
  readonly options: Options
  readonly folder: string
  readonly contestants: readonly Contestant[]
}

export type { Almanac, InstalledPeer }
