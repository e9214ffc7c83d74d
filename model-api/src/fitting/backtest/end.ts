import {
  absent,
  type BacktestState,
  type BlobRef,
  claimKey,
  codecs,
  createdAt,
  Damaged,
  type FailureRecord,
  type JobRecord,
  jobKey,
  type Lease,
  Missing,
  modifiedAt,
  put,
  remove,
  Unavailable,
  unreachable,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { untilAvailable } from '../../base/patience.ts'
import { applyUnder, type Effect } from '../apply.ts'
import { claimOnce, releaseLease } from '../claim.ts'
import type { FitParts } from '../fit-attempt.ts'
import { FitStopped, watchForStop } from '../stop.ts'
import { deletedRecords, type ShardSubject } from '../subject.ts'
import { joinResults } from './join.ts'

/** The right to end a backtest: nothing but its job is touched by it. */
type EndClaim = {
  readonly of: ShardSubject['of']
  readonly job: JobRecord
  /** The create revision of the claim, at which the job was changed last. */
  readonly fence: number
  readonly lease: Lease
}

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
    const claim = await takeEndClaim(context, subject, lease, drain)
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

/** The claim of a job is that of its end; undefined when somebody was faster. */
async function takeEndClaim(
  context: NodeContext,
  { of, job: held }: ShardSubject,
  lease: Lease,
  signal: AbortSignal,
): Promise<EndClaim | undefined> {
  const { node, instance, clock } = context
  const job: JobRecord = {
    ...held.value,
    ...{ state: 'running', attempts: held.value.attempts + 1 },
    progress: { phase: 'joining', fraction: 1 },
  }
  const key = claimKey(job.id)
  const when = [absent(key), modifiedAt(jobKey(job.id), held.modRevision)]
  const claim = codecs.claim.encode({ node, instance, since: clock.wallTime() })
  const then = [put(key, claim, lease.id), put(jobKey(job.id), codecs.job.encode(job))]
  const claimed = await claimOnce(context, { when, then }, { key, lease }, signal)
  return claimed.succeeded ? { of, job, fence: claimed.revision, lease } : undefined
}

async function end(parts: FitParts, claim: EndClaim): Promise<Effect> {
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
        return await fail(context, claim, joined)
      case 'open':
        return await giveBack(context, claim)
      default:
        return unreachable(joined)
    }
  } catch (error) {
    if (signal.aborted) return await afterStop(context, claim, signal.reason)
    if (error instanceof Damaged || error instanceof Missing || error instanceof RangeError)
      return await fail(context, claim, { reason: 'bad-result', detail: error.message })
    context.logger.error({ event: 'backtest-not-ended', job: claim.job.id, err: error })
    return await settle(context, claim, { ...claim.job })
  } finally {
    stop.done()
  }
}

async function afterStop(context: NodeContext, claim: EndClaim, reason: unknown): Promise<Effect> {
  const why = reason instanceof FitStopped ? reason.why : 'claim-lost'
  if (why === 'claim-lost') return 'unknown'
  if (why === 'deleted')
    return settle(
      context,
      claim,
      deletedRecords(claim.job, undefined, context.clock.wallTime()).job,
    )
  return await giveBack(context, claim)
}

function finish(
  context: NodeContext,
  claim: EndClaim,
  made: Pick<BacktestState, 'result' | 'scores'>,
): Promise<Effect> {
  const { job } = claim
  const endedAt = context.clock.wallTime()
  return settle(context, claim, {
    ...job,
    ...{ state: 'done', progress: { phase: 'done', fraction: 1 }, endedAt },
    backtest: { ...job.backtest!, ...made },
  })
}

function fail(
  context: NodeContext,
  claim: EndClaim,
  { reason, detail }: { readonly reason: string; readonly detail: string },
): Promise<Effect> {
  const error: FailureRecord = {
    phase: 'backtest',
    reason: reason.slice(0, 100),
    detail: detail.slice(0, 2_000),
  }
  const endedAt = context.clock.wallTime()
  return settle(context, claim, { ...claim.job, state: 'failed', error, endedAt })
}

/** Leaves the end to another turn, with its attempt. */
function giveBack(context: NodeContext, claim: EndClaim): Promise<Effect> {
  const { job } = claim
  const progress = { phase: 'judging', fraction: 0 }
  return settle(context, claim, { ...job, attempts: job.attempts - 1, progress })
}

/** How the claim ends: job and claim in one transaction that the fence guards. */
async function settle(
  context: NodeContext,
  { lease, fence }: EndClaim,
  job: JobRecord,
): Promise<Effect> {
  const key = jobKey(job.id)
  const value = codecs.job.encode(job)
  const when = [createdAt(claimKey(job.id), fence), modifiedAt(key, fence)]
  const then = [put(key, value), remove(claimKey(job.id))]
  return await applyUnder(context, lease, { when, then }, { key, value })
}
