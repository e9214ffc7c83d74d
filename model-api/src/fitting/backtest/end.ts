import {
  type BacktestState,
  type BlobRef,
  Damaged,
  type JobRecord,
  Missing,
  Unavailable,
  unreachable,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { untilAvailable } from '../../base/patience.ts'
import type { Effect } from '../apply.ts'
import { releaseLease } from '../claim.ts'
import type { FitParts } from '../fit-attempt.ts'
import { endJobAsDeleted, failJob, type SoleClaim, settleJob, takeJobClaim } from '../job-claim.ts'
import { FitStopped, watchForStop } from '../stop.ts'
import type { ShardSubject } from '../subject.ts'
import { joinResults } from './join.ts'

/**
 * Puts the results of the shards of a backtest together, or says why there are none, under a claim
 * of the job. Rejects with `Unavailable` when the coordinator did not answer before the claim.
 */
export async function endBacktest(parts: FitParts, subject: ShardSubject): Promise<void> {
  const { context, drain } = parts
  const { value: job } = subject.job
  const lease = await context.coordinator.grantLease(context.timing.leaseTtlMs, drain)
  const spent = { job: job.id, attempts: job.attempts + 1 }
  try {
    const claim = await takeJobClaim(context, subject, beingEnded(job), lease, drain)
    if (claim === undefined) return
    const effect = await end(parts, claim)
    if (effect !== 'applied') void parts.onSpent(spent)
    context.logger.info({ event: 'backtest-ended', ...job.subject, job: job.id, effect })
  } catch (error) {
    if (error instanceof Unavailable) void parts.onSpent(spent)
    throw error
  } finally {
    releaseLease(lease).catch(() => {})
  }
}

async function end(parts: FitParts, claim: SoleClaim): Promise<Effect> {
  const { context } = parts
  const stop = watchForStop(claim, parts.drain, parts.view)
  const { signal } = stop
  const { clock, random } = context
  const patience = { clock, random, signal }
  const read = (ref: BlobRef) => untilAvailable(() => context.store.readBlob(ref, signal), patience)
  try {
    const joined = await untilAvailable(
      () => joinResults(context, claim.job, read, signal),
      patience,
    )
    switch (joined.kind) {
      case 'whole': {
        const { content, scores } = joined
        const label = `${claim.of.tenant}/${claim.of.model}/${claim.job.subject.version}`
        const upload = () =>
          context.store.writeBlob({ kind: 'dataset', id: context.mintId(), content, label }, signal)
        const { id: blob, sha256, sizeBytes } = await untilAvailable(upload, patience)
        return await finish(context, claim, { result: { blob, sha256, sizeBytes }, scores })
      }
      case 'failed':
        return await failJob(context, claim, { phase: 'backtest', ...joined })
      case 'open':
        return await giveBack(context, claim)
      default:
        return unreachable(joined)
    }
  } catch (error) {
    if (signal.aborted) return await afterStop(context, claim, signal.reason)
    if (error instanceof Damaged || error instanceof Missing || error instanceof RangeError)
      return await failJob(context, claim, {
        ...{ phase: 'backtest', reason: 'bad-result', detail: error.message },
      })
    context.logger.error({ event: 'backtest-not-ended', job: claim.job.id, err: error })
    return await settleJob(context, claim, { ...claim.job })
  } finally {
    stop.done()
  }
}

/** The claim of the job is that of its end. */
function beingEnded(held: JobRecord): Pick<SoleClaim, 'job' | 'isTold'> {
  const progress = { phase: 'joining', fraction: 1 }
  const job = { ...held, state: 'running', attempts: held.attempts + 1, progress } as const
  return { job, isTold: false }
}

async function afterStop(context: NodeContext, claim: SoleClaim, reason: unknown): Promise<Effect> {
  const why = reason instanceof FitStopped ? reason.why : 'claim-lost'
  if (why === 'claim-lost') return 'unknown'
  if (why === 'deleted') return await endJobAsDeleted(context, claim)
  return await giveBack(context, claim)
}

function finish(
  context: NodeContext,
  claim: SoleClaim,
  made: Pick<BacktestState, 'result' | 'scores'>,
): Promise<Effect> {
  const { job } = claim
  const endedAt = context.clock.wallTime()
  return settleJob(context, claim, {
    ...job,
    ...{ state: 'done', progress: { phase: 'done', fraction: 1 }, endedAt },
    backtest: { ...job.backtest!, ...made },
  })
}

/** Leaves the end to another turn, with its attempt. */
function giveBack(context: NodeContext, claim: SoleClaim): Promise<Effect> {
  const { job } = claim
  const progress = { phase: 'judging', fraction: 0 }
  return settleJob(context, claim, { ...job, attempts: job.attempts - 1, progress })
}
