import type { Run, Series } from '../family.ts'
import { detectSeasons } from './seasons.ts'
import type { AutomaticSpec } from './spec.ts'

/** What the choice of members looks at. */
export type Profile = {
  readonly observed: number
  /** The only value there is; undefined when there are several. */
  readonly constant: number | undefined
  /** Nothing below zero, and many zeros between the others. */
  readonly intermittent: boolean
  /** Share of zeros among the observed values since the first that is none. */
  readonly zeroShare: number
  /** Seasons that the series is long enough for, ascending. */
  readonly seasons: readonly number[]
  readonly seasonsFrom: 'spec' | 'series' | 'detected'
  /** Given seasons of which the series does not have two whole cycles. */
  readonly seasonsLeft: readonly number[]
}

export function profileOf(
  series: Series,
  spec: AutomaticSpec,
  run: Pick<Run, 'shouldStop'>,
): Profile {
  const { y } = series
  let observed = 0
  let zeros = 0
  let before = 0
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of y) {
    if (Number.isNaN(value)) continue
    observed++
    if (value === 0) zeros++
    else if (zeros === observed - 1) before = zeros
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  const constant = low === high ? low + 0 : undefined
  // What was sold from some day on had no demand before it that came and went.
  const zeroShare = observed === 0 ? 0 : (zeros - before) / (observed - before)
  const given = spec.seasons ?? series.seasons
  const from = spec.seasons !== null ? 'spec' : series.seasons ? 'series' : 'detected'
  const seasons = given ?? (constant === undefined ? detectSeasons(y, run.shouldStop) : [])
  const fits = (length: number) => observed >= cyclesMin * length && observed > shortMax
  return {
    observed,
    constant,
    intermittent:
      low >= 0 && low < high && zeroShare >= intermittentMin && !hasPattern(y, given, run),
    zeroShare,
    seasons: seasons.filter(fits),
    seasonsFrom: from,
    seasonsLeft: seasons.filter((length) => !fits(length)),
  }
}

/** Nights and holidays are zeros that a season explains. */
function hasPattern(
  y: Float64Array,
  given: readonly number[] | undefined,
  { shouldStop }: Pick<Run, 'shouldStop'>,
): boolean {
  return given?.length !== 0 && detectSeasons(y, shouldStop).length > 0
}

/** Up to here a series is too short for anything but a few parameters. */
export const shortMax = 12
/** Every pattern has to have been seen twice. */
const cyclesMin = 2
/** Demand comes every second step or less often; Syntetos and Boylan (2005) draw a line at 1.32. */
const intermittentMin = 0.45
