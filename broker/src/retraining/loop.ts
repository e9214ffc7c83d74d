import {
  backoffMs,
  type Clock,
  type ClusterState,
  claimKey,
  createdAt,
  type Logger,
  type ModelName,
  type Random,
  type RetrainingRecord,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { underClaim } from '../jobs/under-claim.ts'
import type { Retrainings } from '../view/retraining-fold.ts'
import { type Acted, type ActParts, act } from './act.ts'
import { findRetraining } from './edit.ts'
import { judge } from './judge.ts'

export type RetrainerParts = ActParts & {
  readonly state: () => ClusterState
  readonly retrainings: () => Retrainings
  readonly clock: Pick<Clock, 'wallTime' | 'monotonicMs'>
  readonly random: Random
  readonly who: string
  readonly logger: Logger
  readonly mintId: () => string
  readonly bounds: Bounds
  /** `begun`, `refused`, or `away`: then it is tried again. */
  readonly onOutcome: (outcome: string) => void
}

/**
 * Has models fitted again whose live accuracy decays. Every broker judges what it sees; the one
 * that has the claim acts.
 */
export function startRetrainer(parts: RetrainerParts): { readonly stop: () => void } {
  const { bounds, logger } = parts
  const stopped = new AbortController()
  const rests = createRests(parts)
  const inTurn = createTurns(parts)
  let isAtWork = false

  const round = async () => {
    const rules = inTurn()
    const due = rules.flatMap(([key, { of, record }]) => {
      if (!isDue(parts, of, record)) rests.forget(key)
      else if (!rests.isResting(key)) return [[key, of] as const]
      return []
    })
    if (due.length === 0) return
    await underClaim(parts, 'retraining', stopped.signal, async (signal, fence) => {
      for (const [key, of] of due) {
        signal.throwIfAborted()
        const outcome = await tried(parts, of, fence)
        if (outcome === 'begun' || outcome === 'refused') rests.forget(key)
        else rests.add(key)
        if (outcome !== 'moved') parts.onOutcome(outcome)
      }
    })
  }
  const timer = setInterval(() => {
    if (isAtWork) return
    isAtWork = true
    rests.keepOnly(parts.retrainings())
    round()
      .catch((error: Error) => {
        if (!stopped.signal.aborted)
          logger.warn({ event: 'retraining-waits', cause: error.message })
      })
      .finally(() => {
        isAtWork = false
      })
  }, bounds.retrainingLookMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      stopped.abort()
    },
  }
}

/** So many rules at a look, one after another: requests wait while they are judged. */
function createTurns({ retrainings, bounds }: RetrainerParts) {
  let next = 0
  return () => {
    const all = [...retrainings()]
    const start = next < all.length ? next : 0
    next = start + bounds.retrainingsJudgedMax
    return all.slice(start, next)
  }
}

function isDue({ state, clock, bounds }: RetrainerParts, of: ModelName, rule: RetrainingRecord) {
  return judge(state(), of, rule, Date.parse(clock.wallTime()), bounds).kind === 'due'
}

async function tried(
  parts: RetrainerParts,
  of: ModelName,
  fence: number,
): Promise<Acted['outcome'] | 'away'> {
  const { logger } = parts
  const { model } = of
  try {
    const came = await actOn(parts, of, fence)
    if (came.outcome === 'begun') logger.info({ event: 'retraining-began', model, ...came })
    if (came.outcome === 'refused') logger.warn({ event: 'retraining-refused', model, ...came })
    return came.outcome
  } catch (error) {
    logger.warn({ event: 'retraining-waits', model, cause: (error as Error).message })
    return 'away'
  }
}

/** By the rule as it is at the coordinator: another broker may have acted on it. */
async function actOn(parts: RetrainerParts, of: ModelName, fence: number): Promise<Acted> {
  const { state, clock, bounds, mintId } = parts
  const held = await findRetraining(parts, of)
  if (held === undefined) return { outcome: 'moved' }
  const verdict = judge(state(), of, held.record, Date.parse(clock.wallTime()), bounds)
  if (verdict.kind !== 'due') return { outcome: 'moved' }
  return await act(parts, held, verdict.judged, {
    requestId: `retraining-${mintId()}`,
    when: [createdAt(claimKey('retraining'), fence)],
  })
}

/** Models whose last try came to nothing, each with a wait that doubles. */
function createRests({ clock, random, bounds }: RetrainerParts) {
  const { retrainingLookMs, retrainingBackoffMs } = bounds
  const all = new Map<string, { readonly tries: number; readonly untilMs: number }>()
  return {
    isResting: (key: string) => (all.get(key)?.untilMs ?? 0) > clock.monotonicMs(),
    add: (key: string) => {
      const tries = (all.get(key)?.tries ?? 0) + 1
      const waitMs = backoffMs(tries, retrainingLookMs, retrainingBackoffMs, random)
      all.set(key, { tries, untilMs: clock.monotonicMs() + waitMs })
    },
    forget: (key: string) => {
      all.delete(key)
    },
    keepOnly: (rules: Retrainings) => {
      for (const key of all.keys()) if (!rules.has(key)) all.delete(key)
    },
  }
}
