import type { Series } from '../family.ts'
import type { RungName } from './ladder.ts'
import type { PartModel } from './parts.ts'
import { type Repairs, repaired } from './repairs.ts'
import type { MemberName } from './roster.ts'
import type { AutomaticSpec } from './spec.ts'

/** Models of one series side by side, and how wide their common forecast is. */
export type AutomaticModel = {
  readonly family: 'automatic'
  readonly spec: AutomaticSpec
  readonly rung: RungName
  /** The seasons that the members were given. */
  readonly seasons: readonly number[]
  /** Observations at the beginning of the series that no member saw. */
  readonly skipped: number
  /** Values that members saw since, missing ones too: where an update begins. */
  readonly taken: number
  /** Spikes of the fitted series; values after it are taken as they are. */
  readonly repairs: Repairs
  readonly members: readonly Member[]
  readonly calibration: Calibration
}

export type Member = {
  readonly name: MemberName
  /** Its share, in (0, 1]; those of a model need not sum to 1 after one was dropped. */
  readonly weight: number
  readonly model: PartModel
}

/** How the members' intervals become those of the combination; settled by the fit. */
export type Calibration = {
  /** Times a member's own distance from its point to a quantile. */
  readonly scale: number
  /** The scale grows as this power of the step. */
  readonly growth: number
  /** Degrees of freedom of the t that takes the place of the normal. */
  readonly degrees: number
  /** Members' disagreement counts as this many standard deviations of the forecast. */
  readonly disagreement: number
  /** Errors at rolling origins that the scale was learned from. */
  readonly scores: number
  /** Shares of those errors inside the intervals of 80% and 95%; zero without any. */
  readonly covered80: number
  readonly covered95: number
}

/** Whether the values are demands: none is below zero, and so is no forecast of them. */
export function isDemand({ rung, members }: Pick<AutomaticModel, 'rung' | 'members'>): boolean {
  const counting = ({ model }: Member) => model.family === 'croston' || model.family === 'tsb'
  return rung === 'intermittent' || members.every(counting)
}

/**
 * The series as members see it: without what was skipped, repaired, with the seasons that are used.
 */
export function memberSeries(
  { skipped, seasons, repairs }: Pick<AutomaticModel, 'skipped' | 'seasons' | 'repairs'>,
  { y, calendar }: Series,
): Series {
  // A calendar that starts earlier than the values would put dates on the wrong ones.
  const dates = calendar === undefined || skipped > 0 ? {} : { calendar }
  return { y: repaired(y.subarray(skipped), repairs, 0), seasons, ...dates }
}
