import type { Outcome, Series } from '../family.ts'
import { oneOf, parseFields, wholeNumber } from '../spec-fields.ts'

/**
 * Complex exponential smoothing: Svetunkov, Kourentzes and Ord (2022), Complex exponential
 * smoothing, and Svetunkov and Kourentzes (2018) for its seasons. A spec is plain JSON.
 */
export type CesSpec = {
  readonly family: 'ces'
  /**
   * `simple`: the level itself repeats with the season. `partial`: a real seasonal term. `full`: a
   * complex one. Null: the one with the least corrected information criterion.
   */
  readonly season: CesSeason | null
  /** Null is the first season of the series. */
  readonly seasonLength: number | null
}

export type CesSeason = (typeof cesSeasons)[number]

export const cesSeasons = ['none', 'simple', 'partial', 'full'] as const

/** The longest season: the test of stability costs its square. */
export const cesSeasonLengthMax = 1_000

/** Checks a user's spec and fills in what it leaves out. */
export function parseCesSpec(spec: Readonly<Record<string, unknown>>): Outcome<CesSpec> {
  return parseFields('ces', fields, spec)
}

/** The season that a spec means for a series: 1 where there is none, or none of a season at all. */
export function seasonOf({ season, seasonLength }: CesSpec, { seasons }: Series): number {
  return season === 'none' ? 1 : (seasonLength ?? seasons?.[0] ?? 1)
}

const fields = {
  season: oneOf(cesSeasons, null),
  seasonLength: wholeNumber(1, cesSeasonLengthMax, null),
}
