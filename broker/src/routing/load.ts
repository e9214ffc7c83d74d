import type { Bounds } from '../config/bounds.ts'

/**
 * How busy this broker keeps one node, counted in the node's own answers: what a fast node does in
 * a millisecond and a slow one in a second looks the same here.
 *
 * A queue is no overload: bursts, pauses, cold code and a busy machine make one that is soon gone
 * again. One that grows faster than the node answers, three times in a row, will not go by itself;
 * nor will one that grows at all when it already takes as long as a try may take. From then on the
 * node is given so few requests at once that it is never idle and none of them waits for long. A
 * stretch of answers in which it was not full allows more of them, one in which it was, fewer:
 * under overload it is always full, soon after it hardly ever. Who asks for so little that a
 * stretch takes seconds does not overload it.
 */
export type Load = {
  /** The stretch of answers that is being counted: since when, how many, open at its start. */
  sinceMs: number
  answers: number
  openAtStart: number
  /** Whether in this stretch it had all that it may have. */
  wasFull: boolean
  /** Stretches in a row in which the queue grew. */
  growths: number
  /** Answers in a millisecond, in the last whole stretch. */
  perMs: number
  /** About the least time of an answer while there was no overload: the way there and back. */
  leastMs: number
  /** Requests that it may have open besides those on their way; infinite without overload. */
  openMax: number
}

export type LoadBounds = Pick<
  Bounds,
  'nodeRequestsMax' | 'overloadRequestsMax' | 'overloadQueueMs' | 'overloadCalmMs' | 'tryTimeoutMs'
>

export const createLoad = (): Load => ({
  sinceMs: 0,
  answers: 0,
  openAtStart: 0,
  wasFull: false,
  growths: 0,
  perMs: 0,
  leastMs: 0,
  openMax: Number.POSITIVE_INFINITY,
})

/** Requests that a node may have open now. */
export function openMax(load: Load, nowMs: number, bounds: LoadBounds): number {
  if (nowMs - load.sinceMs > bounds.overloadCalmMs) return bounds.nodeRequestsMax
  // Besides those that wait: as many as are on their way at any time.
  const underWay = Math.ceil(load.perMs * load.leastMs)
  return Math.min(bounds.nodeRequestsMax, load.openMax + underWay)
}

/** Fewer say little about a tendency, more let a queue grow for long. */
const stretchAnswers = 16
/** A busy broker sees answers in heaps: one stretch has to hold some of them. */
const stretchMs = 25
const growthsMax = 3
/** Requests that a queue grows by for each one answered: more than twice as many come as go. */
const steepGrowth = 1.25
/** The least time is forgotten as slowly as this, in case the way has become longer. */
const leastGrowth = 1.0005
/** What an overloaded node may have open changes by this factor with each stretch. */
const openGrowth = 1.5

/** The node has answered, and so many requests are still open. */
export function noteAnswer(
  load: Load,
  answer: { readonly open: number; readonly tookMs: number; readonly nowMs: number },
  bounds: LoadBounds,
): void {
  const { open, tookMs, nowMs } = answer
  if (load.openMax === Number.POSITIVE_INFINITY)
    load.leastMs = load.leastMs === 0 ? tookMs : Math.min(tookMs, load.leastMs * leastGrowth)
  if (open + 1 >= openMax(load, nowMs, bounds)) load.wasFull = true
  load.answers += 1
  if (load.answers < stretchAnswers || nowMs - load.sinceMs < stretchMs) return
  load.perMs = load.answers / Math.max(nowMs - load.sinceMs, 0.001)
  const growth = (open - load.openAtStart) / load.answers
  const queueMs = open / load.perMs
  const isSteep = growth >= steepGrowth && queueMs >= bounds.overloadQueueMs
  const isLate = growth > 0 && queueMs >= bounds.tryTimeoutMs
  load.growths = isSteep || isLate ? load.growths + 1 : 0
  load.openMax = openMaxAfter(load, nowMs, bounds)
  load.sinceMs = nowMs
  load.answers = 0
  load.openAtStart = open
  load.wasFull = false
}

function openMaxAfter(load: Load, nowMs: number, bounds: LoadBounds): number {
  const { nodeRequestsMax, overloadRequestsMax, overloadCalmMs } = bounds
  if (nowMs - load.sinceMs > overloadCalmMs) return Number.POSITIVE_INFINITY
  const isNew = load.openMax === Number.POSITIVE_INFINITY
  if (load.growths >= growthsMax || (isNew && load.wasFull)) return overloadRequestsMax
  if (load.wasFull) return Math.max(overloadRequestsMax, load.openMax / openGrowth)
  const next = load.openMax * openGrowth
  return next >= nodeRequestsMax ? Number.POSITIVE_INFINITY : next
}
