import { limits } from '@almanac/shared'
import { retryWaitMs } from '../base/patience.ts'
import { bounds } from '../config/bounds.ts'
import { attemptFit, type FitOutcome, type FitParts } from './fit-attempt.ts'
import { attemptPrediction } from './predict/attempt.ts'
import { returnAttempt } from './return-attempt.ts'
import { KeptIndexes } from './shards/read.ts'
import { takeTurn } from './shards/turn.ts'

type Accepted = 'accepted' | 'already-here' | 'full' | 'draining'

/**
 * Threads besides the workers, while a shard has one of these. Shards of slow families take minutes
 * each, and who fits one series waits for it: that fit shares a core rather than wait.
 */
export const besideShards = 1

/**
 * Fits that wait in this node, a bounded number, and fits under way, as many as workers. Jobs of
 * shards share what other fits leave: by turns, of one shard each. While they have all workers, one
 * other fit runs beside them.
 */
export type FitQueue = {
  /** Takes a job by its id; `full` when it should go elsewhere. */
  accept(job: string, isOfShards?: boolean): Accepted
  busy(): number
  /** Forgets what waits (nobody has claimed it) and resolves when nothing is under way. */
  drained(): Promise<void>
}

export function createFitQueue(
  given: Omit<FitParts, 'onSpent' | 'indexes'>,
  options: { readonly workers: number; readonly onChange: () => void },
): FitQueue {
  const { context, drain } = given
  let returns = 0
  const parts: FitParts = {
    ...given,
    indexes: new KeptIndexes(),
    onSpent: async (spent) => {
      if (returns >= bounds.returnsMax) return
      returns += 1
      await returnAttempt(context, spent, drain)
      returns -= 1
    },
  }
  const waiting: string[] = []
  /** Jobs of shards; the one that waits longest for a turn is first. */
  const byTurns = new Set<string>()
  const running = new Map<string, Promise<void>>()
  let turns = 0
  let turnsRunning = 0

  const changed = () => {
    context.metrics.fitsBusy.set({ state: 'waiting' }, waiting.length)
    context.metrics.fitsBusy.set({ state: 'running' }, running.size)
    options.onChange()
  }
  const start = (name: string, work: Promise<unknown>) => {
    const ended = work.then(() => {
      running.delete(name)
      next()
      changed()
    })
    running.set(name, ended)
  }
  const startTurn = () => {
    const [job] = byTurns
    if (job === undefined) return false
    // Behind the others.
    byTurns.delete(job)
    byTurns.add(job)
    turns += 1
    turnsRunning += 1
    const work = run(parts, job, () => takeTurn(parts, job)).then((turn) => {
      turnsRunning -= 1
      if (turn === 'more' && !drain.aborted) byTurns.add(job)
      else byTurns.delete(job)
    })
    start(`${job}/${turns}`, work)
    return true
  }
  const mostAtOnce = () => options.workers + (turnsRunning > 0 ? besideShards : 0)
  const next = () => {
    while (!drain.aborted && running.size < mostAtOnce()) {
      const job = waiting.shift()
      if (job !== undefined)
        start(
          job,
          run(parts, job, () => attempt(parts, job)),
        )
      else if (running.size >= options.workers || !startTurn()) return
    }
  }
  return {
    accept(job, isOfShards = false) {
      if (drain.aborted) return 'draining'
      if (running.has(job) || waiting.includes(job) || byTurns.has(job)) return 'already-here'
      const isFull = isOfShards
        ? byTurns.size >= bounds.shardJobsMax
        : running.size >= options.workers && waiting.length >= limits.queuedFitsMax
      if (isFull) return 'full'
      if (isOfShards) byTurns.add(job)
      else waiting.push(job)
      next()
      changed()
      return 'accepted'
    },
    busy: () => waiting.length + running.size,
    async drained() {
      waiting.length = 0
      byTurns.clear()
      await Promise.all(running.values())
    },
  }
}

/** What a job is shows when it is read. */
async function attempt(parts: FitParts, job: string): Promise<FitOutcome> {
  const outcome = await attemptFit(parts, job)
  return outcome === 'predicts' ? await attemptPrediction(parts, job) : outcome
}

/** Never rejects. An order that cannot be claimed is dropped: brokers order again. */
async function run<T>(
  { context, drain }: FitParts,
  job: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (let tries = 1; !drain.aborted; tries++) {
    try {
      const outcome = await work()
      context.logger.debug({ event: 'fit-order-ended', job, outcome })
      return outcome
    } catch (error) {
      if (drain.aborted) return undefined
      context.logger.warn({ event: 'fit-not-claimed', job, tries, err: error })
      if (tries >= bounds.claimTriesMax) return undefined
      await context.clock.sleep(retryWaitMs(tries, context.random), drain).catch(() => {})
    }
  }
  return undefined
}
