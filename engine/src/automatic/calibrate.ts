import { studentQuantile } from '../numeric/student.ts'
import { disagreementShare, type Kind, patience, widenings } from './constants.ts'
import type { RungName } from './ladder.ts'
import type { Calibration } from './model.ts'
import { shortMax } from './profile.ts'
import { briefMax, type Rolling } from './rolling.ts'

/** What the scale of a series is made of beside its rolling scores. */
export type Circumstances = {
  readonly kind: Kind
  readonly observed: number
}

/** Which constants hold for a rung and its seasons. */
export function kindOf(rung: RungName, seasons: readonly number[], observed: number): Kind {
  if (rung === 'long-season') return 'long'
  if (seasons.length > 0) return 'seasonal'
  if (observed <= shortMax) return 'short'
  return observed <= briefMax ? 'brief' : 'plain'
}

/** The widths of a combination after its rolling scores; without any, what is usual. */
export function calibrate(circumstances: Circumstances, rolling: Rolling): Calibration {
  const widening = widenings[circumstances.kind]
  const { degrees, growth } = widening
  const shown = shownScale(rolling)
  const logScale =
    widening.level +
    widening.follow * shown.weight * Math.log(shown.scale) +
    widening.length * lengthFeature(circumstances.kind, circumstances.observed)
  const scale = Math.exp(logScale)
  const covered = (probability: number) =>
    coverage(rolling, { scale, growth, degrees }, probability)
  return {
    ...{ scale, growth, degrees, disagreement: disagreementShare },
    scores: rolling.scores.length,
    covered80: covered(0.9),
    covered95: covered(0.975),
  }
}

/** How long a series is, where its length still matters. */
export function lengthFeature(kind: Kind, observed: number): number {
  if (kind === 'long') return 0
  return Math.log(Math.min(500, Math.max(4, observed)) / 50)
}

/**
 * The scale that the scores show: the conformal quantile of their sizes over that of the normal,
 * pooled over steps, and how much it weighs. Scores of one origin are not independent: an origin
 * counts as a few.
 */
export function shownScale({ scores, origins }: Rolling): {
  readonly scale: number
  readonly weight: number
} {
  if (scores.length === 0) return { scale: 1, weight: 0 }
  const sizes = scores.map(Math.abs).sort()
  const rank = Math.min(sizes.length, Math.ceil(shownLevel * (sizes.length + 1)))
  const scale = sizes[rank - 1]! / shownScore
  const count = Math.min(scores.length, origins * scoresPerOrigin)
  const bounded = Math.min(scaleMax, Math.max(1 / scaleMax, scale))
  return { scale: bounded, weight: count / (count + patience) }
}

const shownLevel = 0.8
/** Of the normal, for both tails together. */
const shownScore = 1.2815515655446004
const scoresPerOrigin = 3
/** Beyond this factor a few scores say nothing about the width. */
const scaleMax = 8

/** The share of scores within the quantiles at a probability and its complement. */
function coverage(
  { scores, steps }: Rolling,
  { scale, growth, degrees }: Pick<Calibration, 'scale' | 'growth' | 'degrees'>,
  probability: number,
): number {
  if (scores.length === 0) return 0
  const most = scale * studentQuantile(probability, degrees)
  let inside = 0
  for (let i = 0; i < scores.length; i++) {
    const bound = most * Math.exp(growth * Math.log(steps[i]! + 1))
    if (Math.abs(scores[i]!) <= bound) inside++
  }
  return inside / scores.length
}
