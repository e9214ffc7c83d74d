import type { CesSeason } from './spec.ts'

/** The shape of a model: how long ago its level was, and what its season is. */
export type Structure = {
  readonly season: CesSeason
  /** Steps between a level and the one before: 1, or the season of a simple model. */
  readonly levelLag: number
  /** Steps between a seasonal state and the one before; 0 without a season of its own. */
  readonly seasonLag: number
  /** Numbers in one seasonal state: none, the term, or the term and its potential. */
  readonly seasonWidth: 0 | 1 | 2
  /** α₀, α₁, and β₀, β₁ as far as there are any. */
  readonly parameters: number
}

export function structureOf(season: CesSeason, seasonLength: number): Structure {
  const seasonWidth = season === 'partial' ? 1 : season === 'full' ? 2 : 0
  return {
    season,
    levelLag: season === 'simple' ? seasonLength : 1,
    seasonLag: seasonWidth === 0 ? 0 : seasonLength,
    seasonWidth,
    parameters: 2 + seasonWidth,
  }
}

/** Numbers in the whole state: a level and its potential for each lag, then the season's. */
export function stateSize({ levelLag, seasonLag, seasonWidth }: Structure): number {
  return 2 * levelLag + seasonLag * seasonWidth
}
