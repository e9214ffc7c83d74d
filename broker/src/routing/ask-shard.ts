import { type Clock, codec, type ModelName, modelId, Problem, Refused } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { Whose } from './ask.ts'
import { type Cancel, flyAlone } from './flight.ts'
import { overloaded, unavailable } from './forecaster.ts'
import {
  type Attempt,
  type Errand,
  type Tried,
  type TryParts,
  tryNodes,
  withAll,
} from './try-nodes.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** What is asked of a version. */
export type VersionAsk = ModelName & Whose & { readonly version: number }

/** What is asked of one shard of a version: its place in the version's index. */
export type ShardAsk = VersionAsk & { readonly shard: number }

export type ShardCourse = {
  /** What nodes have an order for: see `shardText`. Undefined: any will do. */
  readonly text: string | undefined
  readonly requestId: string
  readonly signal: AbortSignal
  /** For so long nodes are asked again. */
  readonly patienceMs: number
}

/**
 * Asks nodes about a version, or a shard of it, until one of them answers. Throws `Refused` where none does in time, and
 * at once where asking again would be of no use.
 */
export type AskShard = <Q extends VersionAsk, T>(
  errand: Errand<Q, T>,
  ask: Q,
  course: ShardCourse,
) => Promise<T>

export type AskShardParts = TryParts & {
  readonly room: WaitingRoom
  readonly bounds: Bounds
  readonly clock: Pick<Clock, 'monotonicMs'>
}

export function createAskShard(parts: AskShardParts): AskShard {
  const { bounds, budget, clock, random, room } = parts
  return async (errand, ask, { text, requestId, signal, patienceMs }) => {
    const endMs = clock.monotonicMs() + patienceMs
    const { version } = ask
    const attempt = { errand, ask, shard: text, version, requestId, endMs }
    let before: Before = { sentBefore: 0, brokenBefore: nobody, whyBefore: undefined }
    budget.request()
    for (let round = 0; ; round++) {
      const start = (cancel: Cancel) => tryNodes(parts, { ...attempt, ...before, cancel })
      const tried = await untilAborted(start, signal)
      if (tried.kind === 'answer') return tried.answer
      if (!isWorthWaiting(tried) || clock.monotonicMs() >= endMs) throw refusalOf(tried)
      before = {
        sentBefore: before.sentBefore + tried.sent,
        brokenBefore: withAll(before.brokenBefore, tried.broken),
        whyBefore: tried.kind === 'nobody' ? tried.why : before.whyBefore,
      }
      const capMs = Math.min(bounds.waitPauseMaxMs, bounds.waitPauseMs * 2 ** Math.min(round, 30))
      await room.pause(modelId(ask), capMs * (0.5 + random() / 2), signal)
    }
  }
}

/** What came of asking before. */
type Before = Pick<Attempt, 'sentBefore' | 'brokenBefore' | 'whyBefore'>

const nobody: Tried['broken'] = []

/** Rejects with the signal's reason when it aborts, and tells the node that nobody waits. */
async function untilAborted<T>(
  start: (cancel: Cancel) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted()
  const { outcome, leave } = flyAlone(start)
  signal.addEventListener('abort', leave, { once: true })
  const result = await outcome
  signal.removeEventListener('abort', leave)
  signal.throwIfAborted()
  return result
}

type Failed = Exclude<Tried<unknown>, { readonly kind: 'answer' }>

/** A node that is overloaded, or cannot reach the store, may soon be well. */
function isWorthWaiting(tried: Failed): boolean {
  if (tried.kind === 'forward') return tried.status === 503 || tried.status === 429
  return tried.kind !== 'exhausted'
}

const problems = codec(Problem)

function refusalOf(tried: Failed): Refused {
  switch (tried.kind) {
    case 'forward':
      return refusalOfNode(tried.status, tried.body)
    case 'busy':
      return overloaded
    case 'moved':
      return unavailable('moving', 'The model keeps moving on.')
    case 'nobody':
      return unavailable('no-node', `No node answers for this part of the model: ${tried.why}.`)
    case 'exhausted':
      return unavailable('no-answer', `No node answered: ${tried.why}.`)
  }
}

/** What a node said, in its own words. */
export function refusalOfNode(status: number, body: Buffer): Refused {
  const problem = problems.decode(body.toString('utf8'))
  if (!problem.ok) return new Refused(502, 'no-answer', `A node answered with ${status}.`)
  const { type, detail, field, remedy } = problem.value
  return new Refused(status, type.slice(type.lastIndexOf(':') + 1), detail, {
    ...(field === undefined ? {} : { field }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(status === 503 || status === 429 ? { retryAfterSeconds: 1 } : {}),
  })
}
