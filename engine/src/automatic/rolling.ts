import type { Outcome, Run, Series } from '../family.ts'
import { refused } from '../outcome.ts'
import { disagreementAt, joinSpread, makeMedian, type Voices, voicesOf } from './combine.ts'
import type { Member } from './model.ts'
import { type PartModel, partOf } from './parts.ts'
import type { MemberName } from './roster.ts'

/** Errors at rolling origins of the combination and of each member. */
export type Rolling = {
  readonly origins: number
  /** Errors of the combined point in units of its spread before any scaling, and their steps. */
  readonly scores: Float64Array
  readonly steps: Int32Array
  /** Mean absolute error of each member over all origins and steps; NaN when it was silent. */
  readonly memberErrors: Float64Array
}

export const noRolling: Rolling = {
  origins: 0,
  scores: new Float64Array(0),
  steps: new Int32Array(0),
  memberErrors: new Float64Array(0),
}

/** Fits a member anew to the beginning of a series. */
export type Refit = (name: MemberName, series: Series) => Outcome<PartModel>

/**
 * Forecasts from origins in the newer half of a series. A member's parameters are those that were
 * fitted to all of it: the state alone is taken back. Such errors are smaller than those to come;
 * the constants that turn them into a scale were learned with the same optimism in them. A member
 * that keeps a pattern of the whole series cannot be taken back and is fitted anew, at fewer
 * origins, and so is every member of a brief series. Members are judged by the repaired values that
 * they see, and widths by those that were there, spikes and all.
 */
export function rollOrigins(
  members: readonly Member[],
  { seen: series, shown }: { readonly seen: Series; readonly shown: Float64Array },
  disagreement: number,
  run: Run,
  refit: Refit,
): Rolling {
  const refits = members.map(({ name }) => isRefitted(name, series))
  const plan = isBrief(series)
    ? planBrief(series)
    : refits.includes(true)
      ? planRefits(series)
      : planOrigins(series)
  if (plan === undefined || members.length === 0) return noRolling
  const { first, step, origins, horizon } = plan
  const { y } = series
  const sums = new Float64Array(members.length)
  const counts = new Int32Array(members.length)
  const scores: number[] = []
  const steps: number[] = []
  let before: readonly Member[] = members
  let used = 0
  for (let k = 0; k < origins; k++) {
    if (run.shouldStop?.() === true) break
    const origin = first + k * step
    const seen = { ...series, y: y.subarray(0, origin) }
    const newer = k === 0 ? undefined : y.subarray(origin - step, origin)
    const now = moveTo(before, seen, newer, refits, refit, run)
    if (now.length < members.length) return noRolling
    before = now
    const length = Math.min(horizon, y.length - origin)
    const voices = voicesOf(now, { horizon: length, quantiles: tails }, run)
    if (voices.kind === 'refused' || voices.value.names.length < members.length) continue
    used++
    gather(voices.value, shown, origin, disagreement, scores, steps)
    tally(voices.value, y, origin, sums, counts)
  }
  return {
    origins: used,
    scores: Float64Array.from(scores),
    steps: Int32Array.from(steps),
    memberErrors: sums.map((sum, i) => sum / counts[i]!),
  }
}

/** The quantiles whose distance from the point is the spread, and their normal score. */
const tails = Float64Array.of(0.1, 0.9)
const tailScore = 1.2815515655446004
const originsMax = 12
const horizonMax = 24
const horizonPlain = 6

function planOrigins({ y, seasons = [] }: Series) {
  const season = seasons[0] ?? 1
  const longest = seasons.at(-1) ?? 1
  const n = y.length
  const wanted = season > 1 ? Math.min(horizonMax, Math.max(8, season)) : horizonPlain
  const horizon = Math.max(1, Math.min(wanted, Math.floor(n / 5)))
  const first = Math.max(Math.ceil(n / 2), 6, Math.min(2 * longest, n - horizon))
  const step = Math.max(1, Math.floor((n - first) / originsMax))
  const origins = Math.min(originsMax, Math.floor((n - 1 - first) / step) + 1)
  return n - first >= 3 ? { first, step, origins, horizon } : undefined
}

const refitsMax = 4
const refitHorizonMax = 48

/** Origins for members that are fitted anew: spread over the last of the longest season. */
function planRefits({ y, seasons = [] }: Series) {
  const longest = seasons.at(-1) ?? 1
  const n = y.length
  const wanted = Math.min(refitHorizonMax, Math.max(horizonMax, seasons[0] ?? 1))
  const horizon = Math.max(1, Math.min(wanted, Math.floor(n / 5)))
  const step = Math.max(1, Math.ceil(horizon / 2), Math.ceil(longest / refitsMax))
  const last = n - horizon
  // Without two whole cycles before it, an origin would judge what has not seen its season.
  const earliest = Math.min(last, Math.max(Math.ceil(n / 2), 2 * longest))
  const origins = Math.min(refitsMax, Math.floor((last - earliest) / step) + 1)
  return n >= 10 ? { first: last - (origins - 1) * step, step, origins, horizon } : undefined
}

/**
 * Whether a member's parameters hold so much of the series that its state is not all it knows: the
 * patterns of some, and of every member when there are few observations for each parameter.
 */
function isRefitted(name: MemberName, series: Series): boolean {
  return name === 'mstl-ets' || name === 'additive' || isBrief(series)
}

function isBrief({ y, seasons = [] }: Series): boolean {
  return seasons.length === 0 && y.length <= briefMax
}

/** Few observations are fitted anew in little time. */
export const briefMax = 40
const briefFirst = 5

/** The last origins of a brief series, two steps apart, with whatever came after each. */
function planBrief({ y }: Series) {
  const last = y.length - 2
  const step = 2
  const earliest = Math.max(briefFirst, Math.ceil(y.length / 2))
  const origins = Math.min(refitsMax, Math.floor((last - earliest) / step) + 1)
  if (origins < 1) return undefined
  return { first: last - (origins - 1) * step, step, origins, horizon: horizonPlain }
}

/**
 * The members at the end of what is seen; those that refuse, or whose turn does not come, are left
 * out.
 */
function moveTo(
  members: readonly Member[],
  seen: Series,
  newer: Float64Array | undefined,
  refits: readonly boolean[],
  refit: Refit,
  { shouldStop }: Pick<Run, 'shouldStop'>,
): Member[] {
  const moved: Member[] = []
  for (const [i, member] of members.entries()) {
    if (shouldStop?.() === true) break
    const { name, model } = member
    const part = partOf(model)
    const outcome = refits[i]!
      ? refit(name, seen)
      : newer === undefined
        ? filterInPieces(model, seen, shouldStop)
        : part.update(model, { y: newer })
    if (outcome.kind !== 'refused') moved.push({ ...member, model: outcome.value })
  }
  return moved
}

/**
 * The model filtered over a series, with a look at whether to stop between pieces of a long one.
 */
function filterInPieces(
  model: PartModel,
  series: Series,
  shouldStop: Run['shouldStop'],
): Outcome<PartModel> {
  const part = partOf(model)
  const { y } = series
  let outcome = part.filter(model, { ...series, y: y.subarray(0, pieceLength) })
  // What the first piece alone cannot be, all of it may still be.
  if (outcome.kind === 'refused') return part.filter(model, series)
  for (let from = pieceLength; from < y.length; from += pieceLength) {
    if (outcome.kind === 'refused') return outcome
    if (shouldStop?.() === true) return refused({ code: 'stopped', detail: 'It had to end.' })
    outcome = part.update(outcome.value, { y: y.subarray(from, from + pieceLength) })
  }
  return outcome
}

const pieceLength = 1_000

/** The scores of one origin. A spread of nothing gives none. */
function gather(
  voices: Voices,
  y: Float64Array,
  origin: number,
  disagreement: number,
  scores: number[],
  steps: number[],
): void {
  const median = makeMedian(voices.weights)
  const horizon = voices.points[0]!.length
  for (let h = 0; h < horizon; h++) {
    const score = scoreAt(voices, median, h, y[origin + h]!, disagreement)
    if (!Number.isFinite(score)) continue
    scores.push(score)
    steps.push(h)
  }
}

/** An observation less the combined point, in standard deviations of the unscaled combination. */
export function scoreAt(
  voices: Voices,
  median: ReturnType<typeof makeMedian>,
  h: number,
  value: number,
  disagreement: number,
): number {
  const { points, quantiles } = voices
  const centre = median((i) => points[i]![h]!)
  const above = value >= centre ? 1 : 0
  const own = median((i) => quantiles[i]![2 * h + above]! - points[i]![h]!)
  const side = above === 1 ? 1 : -1
  const spread = disagreement * disagreementAt(voices, h, centre) * tailScore
  return (tailScore * (value - centre)) / Math.abs(joinSpread(own, spread, side))
}

function tally(
  voices: Voices,
  y: Float64Array,
  origin: number,
  sums: Float64Array,
  counts: Int32Array,
): void {
  for (let i = 0; i < voices.points.length; i++) {
    const point = voices.points[i]!
    for (let h = 0; h < point.length; h++) {
      const error = Math.abs(y[origin + h]! - point[h]!)
      if (Number.isNaN(error)) continue
      sums[i]! += error
      counts[i]!++
    }
  }
}
