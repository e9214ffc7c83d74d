import { engineLimits } from '@almanac/engine'
import {
  type AccuracyRecord,
  type ClusterState,
  type Held,
  type ModelName,
  type ModelRecord,
  modelId,
  type RetrainingRecord,
  type VersionRecord,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'

/** The newest observations that a version foresaw before it had them, in whole updates. */
export type Window = {
  readonly observations: number
  /** Null where there are none. */
  readonly liveMase: number | null
  /** The update that has the oldest of them. */
  readonly since: number | null
  /** Whether there are as many as asked for, or no more are kept. */
  readonly isFull: boolean
  /** What `liveMase` can be at most; null where it has no bound. */
  readonly most: number | null
}

/** What a rule was judged by, as it was seen. */
export type Judged = {
  readonly model: Held<ModelRecord>
  readonly version: VersionRecord
  /** The last version that was allocated, as far as is seen here. */
  readonly last: number
  readonly window: Window & { readonly liveMase: number }
}

/** Whether a model is to be fitted again, or why not. */
export type Verdict =
  | { readonly kind: 'due'; readonly judged: Judged }
  | { readonly kind: 'resting'; readonly window: Window; readonly until: string }
  | {
      readonly kind: 'off' | 'no-version' | 'held' | 'open' | 'too-few' | 'below' | 'acted'
      readonly window: Window | null
    }

/**
 * Judges the newest version that did not fail, which has all there is. Pure. `now`: wall time, in
 * milliseconds since 1970.
 */
export function judge(
  state: ClusterState,
  of: ModelName,
  rule: RetrainingRecord,
  now: number,
  bounds: Pick<Bounds, 'accuracyUpdatesMax'>,
): Verdict {
  const model = state.models.get(modelId(of))
  const { newest, last } = newestOf(state, of, model?.value)
  const window = newest ? windowOf(newest, rule.observations, bounds) : null
  if (!rule.enabled) return { kind: 'off', window }
  if (model === undefined || newest === undefined || window === null)
    return { kind: 'no-version', window: null }
  if (model.value.hold) return { kind: 'held', window }
  if (newest.state !== 'stored') return { kind: 'open', window }
  const { liveMase } = window
  if (!window.isFull || liveMase === null) return { kind: 'too-few', window }
  if (liveMase <= rule.liveMase) return { kind: 'below', window }
  if (newest.version === rule.acted) return { kind: 'acted', window }
  const until = restOf(rule, now)
  if (until !== null) return { kind: 'resting', window, until }
  return { kind: 'due', judged: { model, version: newest, last, window: { ...window, liveMase } } }
}

/** Whole updates, from the newest on, until they have so many observations. */
export function windowOf(
  version: Pick<VersionRecord, 'accuracy' | 'series'>,
  wanted: number,
  { accuracyUpdatesMax }: Pick<Bounds, 'accuracyUpdatesMax'>,
): Window {
  const updates = judgedOf(version)
  let [observations, scaled] = [0, 0]
  let since: number | null = null
  for (const update of updates) {
    if (observations >= wanted) break
    observations += update.count
    scaled += update.scaled
    since = update.version
  }
  const isFull = observations >= wanted || updates.length >= accuracyUpdatesMax
  // Sums of huge errors overflow, and what is not finite cannot be written down.
  const liveMase = observations === 0 ? null : Math.min(scaled / observations, Number.MAX_VALUE)
  const most = version.series === undefined ? null : engineLimits.liveErrorMax
  return { observations, liveMase, since, isFull, most }
}

/**
 * Of many series none that an earlier release recorded, where one series can outweigh all others:
 * a fit by these would be one for nothing, and the next update tells more.
 */
function judgedOf({
  accuracy,
  series,
}: Pick<VersionRecord, 'accuracy' | 'series'>): AccuracyRecord['updates'] {
  const updates = accuracy?.updates ?? []
  return series === undefined ? updates : updates.filter(({ errorMax }) => errorMax !== undefined)
}

/** What a person reads of it. */
export function decayed(
  { model }: ModelName,
  { liveMase, observations }: Judged['window'],
  limit: number,
): string {
  const [was, is] = toldApart(liveMase, limit)
  const over = `the last ${observations} observations`
  return `Live accuracy of ${model} was ${was} over ${over}; the limit is ${is}.`
}

function newestOf(
  state: ClusterState,
  of: ModelName,
  model: ModelRecord | undefined,
): { readonly newest: VersionRecord | undefined; readonly last: number } {
  let last = 0
  let newest: VersionRecord | undefined
  if (model === undefined || model.deletedAt !== null) return { newest, last }
  for (const { value } of state.versions.get(modelId(of))?.values() ?? []) {
    last = Math.max(last, value.version)
    if (value.version <= model.floor || value.state === 'failed') continue
    if (newest === undefined || value.version > newest.version) newest = value
  }
  return { newest, last }
}

/**
 * The end of the rest after the last retraining; null where it is over. What was begun further
 * ahead than a whole rest was so by a clock that went wrong: nobody waits for that.
 */
function restOf({ begunAt, restSeconds }: RetrainingRecord, now: number): string | null {
  if (begunAt === null) return null
  const restMs = restSeconds * 1_000
  const restedMs = now - Date.parse(begunAt)
  const isOver = !(restedMs < restMs) || restedMs < -restMs
  return isOver ? null : new Date(now - restedMs + restMs).toISOString()
}

/** Both in as few digits as tell them apart. */
function toldApart(a: number, b: number): readonly [string, string] {
  for (let digits = 3; ; digits += 1) {
    const [one, other] = [rounded(a, digits), rounded(b, digits)]
    if (one !== other || digits === 17) return [one, other]
  }
}

const rounded = (value: number, digits: number) => String(Number(value.toPrecision(digits)))
