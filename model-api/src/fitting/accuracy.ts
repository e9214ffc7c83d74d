import { engineLimits, type LiveSum } from '@almanac/engine'
import { type AccuracyRecord, limits, type VersionRecord } from '@almanac/shared'
import type { FitReply } from './worker-protocol.ts'

type Fitted = Extract<FitReply, { kind: 'fitted' }>
type Of = Pick<VersionRecord, 'version' | 'accuracy'>

/**
 * What a version tells of its accuracy: a fit begins with what errors are divided by, an update
 * adds how well its base had foreseen its observations. Undefined where nothing can be told.
 */
export function accuracyAfter(
  { version, accuracy }: Of,
  { scale = null, score = null }: Pick<Fitted, 'scale' | 'score'>,
): AccuracyRecord | undefined {
  if (scale !== null) return { scale, updates: [] }
  if (accuracy === undefined || score === null) return accuracy
  const scaled = score.absolute / accuracy.scale
  return after(accuracy, { version, count: score.count, scaled }) ?? accuracy
}

/**
 * The same of many series, each of which has its own scale: all their errors, each of them bounded,
 * by all their observations. It begins with the first update of which anything was foreseen.
 */
export function accuracyOfMany(
  { version, accuracy }: Of,
  live: LiveSum,
): AccuracyRecord | undefined {
  const update = { version, ...live, errorMax: engineLimits.liveErrorMax }
  return after(accuracy ?? { scale: 1, updates: [] }, update) ?? accuracy
}

/** Undefined where there is nothing to add. */
function after(
  accuracy: AccuracyRecord,
  update: AccuracyRecord['updates'][number],
): AccuracyRecord | undefined {
  if (update.count === 0 || !Number.isFinite(update.scaled)) return undefined
  const updates = [update, ...accuracy.updates]
  return { ...accuracy, updates: updates.slice(0, limits.accuracyUpdatesMax) }
}

/** How far off the forecast of one series was, in its units: also where it has no scale. */
export function liveErrorOf(score: Fitted['score']): VersionRecord['metrics'] {
  const liveMae = score ? score.absolute / score.count : Number.NaN
  return Number.isFinite(liveMae) ? { liveMae } : {}
}

/** What its accuracy says of this version alone, for people. */
export function figuresOf(
  accuracy: AccuracyRecord | undefined,
  { version }: Of,
): VersionRecord['metrics'] {
  const own = accuracy?.updates.find((update) => update.version === version)
  return own ? { liveMase: own.scaled / own.count, liveObservations: own.count } : {}
}
