import { limits } from '@almanac/shared'
import { retryWaitMs } from '../base/patience.ts'
import { bounds } from '../config/bounds.ts'
import { attemptFit, type FitOutcome, type FitParts } from './fit-attempt.ts'
import { returnAttempt } from './return-attempt.ts'

type Accepted = 'accepted' | 'already-here' | 'full' | 'draining'

/** Fits that wait in this node, a bounded number, and fits under way, as many as workers. */
export type FitQueue = {
  /** Takes a job by its id; `full` when it should go elsewhere. */
  accept(job: string): Accepted
  busy(): number
  /** Forgets what waits (nobody has claimed it) and resolves when nothing is under way. */
  drained(): Promise<void>
}

export function createFitQueue(
  given: Omit<FitParts, 'onSpent'>,
  options: { readonly workers: number; readonly onChange: () => void },
): FitQueue {
  const { context, drain } = given
  let returns = 0
  const parts: FitParts = {
    ...given,
    onSpent: async (spent) => {
      if (returns >= bounds.returnsMax) return
      returns += 1
      await returnAttempt(context, spent, drain)
      returns -= 1
    },
  }
  const waiting: string[] = []
  const running = new Map<string, Promise<void>>()

  const changed = () => {
    context.metrics.fitsBusy.set({ state: 'waiting' }, waiting.length)
    context.metrics.fitsBusy.set({ state: 'running' }, running.size)
    options.onChange()
  }
  const next = () => {
    while (!drain.aborted && running.size < options.workers && waiting.length > 0) {
      const job = waiting.shift()!
      const ended = run(parts, job).then(() => {
        running.delete(job)
        next()
        changed()
      })
      running.set(job, ended)
    }
  }
  return {
    accept(job) {
      if (drain.aborted) return 'draining'
      if (running.has(job) || waiting.includes(job)) return 'already-here'
      const full = running.size >= options.workers && waiting.length >= limits.queuedFitsMax
      if (full) return 'full'
      waiting.push(job)
      next()
      changed()
      return 'accepted'
    },
    busy: () => waiting.length + running.size,
    async drained() {
      waiting.length = 0
      await Promise.all(running.values())
    },
  }
}

/** Never rejects. An order that cannot be claimed is dropped: brokers order again. */
async function run(parts: FitParts, job: string): Promise<void> {
  const { context, drain } = parts
  for (let tries = 1; !drain.aborted; tries++) {
    try {
      const outcome: FitOutcome = await attemptFit(parts, job)
      context.logger.debug({ event: 'fit-order-ended', job, outcome })
      return
    } catch (error) {
      if (drain.aborted) return
      context.logger.warn({ event: 'fit-not-claimed', job, tries, err: error })
      if (tries >= bounds.claimTriesMax) return
      await context.clock.sleep(retryWaitMs(tries, context.random), drain).catch(() => {})
    }
  }
}
