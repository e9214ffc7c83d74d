import {
  type Clock,
  type Comparison,
  type Coordinator,
  CounterRecord,
  codec,
  counterKey,
  modelKey,
  modifiedAt,
  put,
  type RetrainingRecord,
  type RetrainingRun,
  retrainingKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { BaseMoved } from '../jobs/allocate.ts'
import type { Fits } from '../jobs/fits.ts'
import { mustDecode } from '../jobs/unreadable.ts'
import { lastingRefusal } from '../schedules/run.ts'
import { retrainingCodec } from '../view/retraining-fold.ts'
import type { HeldRetraining } from './edit.ts'
import { decayed, type Judged } from './judge.ts'

export type ActParts = {
  readonly coordinator: Coordinator
  readonly clock: Pick<Clock, 'wallTime'>
  readonly fits: Pick<Fits, 'refit'>
  readonly mustHaveFile: (file: string) => Promise<void>
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'retrainingRunsKept'>
}

/** What came of it; `moved`: something changed meanwhile, and has to be seen here first. */
export type Acted =
  | { readonly outcome: 'begun'; readonly job: string; readonly version: number }
  | { readonly outcome: 'refused'; readonly reason: string; readonly detail: string }
  | { readonly outcome: 'moved' }

const counters = codec(CounterRecord)

/**
 * Begins a fit of all data of a model, which its rule found decayed. Job and run are recorded in
 * one transaction, which compares the rule as it was read: so a version is acted on once, whoever
 * dies when. What is refused for a reason that stays is recorded, too. Throws what is only away.
 */
export async function act(
  parts: ActParts,
  held: HeldRetraining,
  judged: Judged,
  occasion: { readonly requestId: string; readonly when: readonly Comparison[] },
): Promise<Acted> {
  const { coordinator, bounds, clock, fits, mustHaveFile } = parts
  const { of, record: rule } = held
  const deadline = () => AbortSignal.timeout(bounds.coordinatorCallMs)
  const counter = await coordinator.get(counterKey(of), deadline())
  // Data is not put together for what is older than the newest.
  if (counter === undefined || mustDecode(counters, counter).last !== judged.last)
    return { outcome: 'moved' }
  const when = [
    modifiedAt(retrainingKey(of), held.modRevision),
    // Neither held nor deleted meanwhile.
    modifiedAt(modelKey(of), judged.model.modRevision),
    ...occasion.when,
  ]
  const recording = (run: RetrainingRun) => ({
    when,
    then: [put(retrainingKey(of), retrainingCodec.encode(recorded(rule, run, bounds)))],
  })
  const { version: judgedVersion, window } = judged
  const seen = {
    judged: judgedVersion.version,
    ...{ liveMase: window.liveMase, observations: window.observations, limit: rule.liveMase },
  }
  const why = decayed(of, window, rule.liveMase)
  try {
    const { job, version } = await fits.refit({
      ...{ of, mustHaveFile, requestId: occasion.requestId, why, idempotency: null },
      also: (made) => {
        if (made.version !== judged.last + 1) throw new BaseMoved()
        const { job, version, at } = made
        return recording({ at, outcome: 'begun', ...seen, job, version })
      },
    })
    return { outcome: 'begun', job, version }
  } catch (error) {
    const refused = lastingRefusal(error)
    if (refused === undefined) throw error
    const run = { at: clock.wallTime(), outcome: 'refused', ...seen, ...refused } as const
    const { succeeded } = await coordinator.transact(recording(run), deadline())
    return succeeded ? { outcome: 'refused', ...refused } : { outcome: 'moved' }
  }
}

/** Refusals for one reason are one run: they would push out what was done before them. */
function recorded(
  rule: RetrainingRecord,
  run: RetrainingRun,
  { retrainingRunsKept }: Pick<Bounds, 'retrainingRunsKept'>,
): RetrainingRecord {
  const [last, ...older] = rule.runs
  const isAgain = run.outcome === 'refused' && last?.reason === run.reason
  const runs = isAgain
    ? [{ ...run, times: (last?.times ?? 1) + 1 }, ...older]
    : [run, ...rule.runs].slice(0, retrainingRunsKept)
  const begunAt = run.outcome === 'begun' ? run.at : rule.begunAt
  return { ...rule, acted: run.judged, begunAt, runs }
}
