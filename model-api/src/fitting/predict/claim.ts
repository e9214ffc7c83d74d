import {
  absent,
  claimKey,
  codecs,
  createdAt,
  eventOf,
  type FailureRecord,
  type FilePrediction,
  type FilePredictionResult,
  type JobEvent,
  type JobRecord,
  jobKey,
  type Lease,
  modifiedAt,
  noted,
  present,
  put,
  remove,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { applyUnder, type Effect } from '../apply.ts'
import { claimedBy, claimOnce, lostBefore } from '../claim.ts'
import type { JobClaim } from '../effects.ts'
import { deletedRecords, type ShardSubject } from '../subject.ts'

/** The right to predict a file: nothing but its job is touched by it. */
export type PredictionClaim = JobClaim & {
  readonly job: JobRecord & { readonly prediction: FilePrediction }
}

/** Claim and attempt in one transaction; undefined when somebody was faster. */
export async function takePredictionClaim(
  context: NodeContext,
  { of, job: held }: ShardSubject,
  lease: Lease,
  signal: AbortSignal,
): Promise<PredictionClaim | undefined> {
  const { node, instance, clock } = context
  const { prediction, attempts: before } = held.value
  if (prediction === undefined) return undefined
  const now = clock.wallTime()
  const attempts = before + 1
  const events = [...lostBefore(held.value, now), claimedBy(now, node, attempts)]
  const job = {
    ...noted(held.value, ...events),
    ...{ state: 'running' as const, attempts, prediction },
    progress: { phase: 'reading', fraction: 0 },
  }
  const key = claimKey(job.id)
  const when = [absent(key), modifiedAt(jobKey(job.id), held.modRevision)]
  const claim = codecs.claim.encode({ node, instance, since: now })
  const then = [put(key, claim, lease.id), put(jobKey(job.id), codecs.job.encode(job))]
  const { succeeded, revision } = await claimOnce(context, { when, then }, { key, lease }, signal)
  return succeeded ? { of, job, fence: revision, lease, journal: [] } : undefined
}

/** The file is whole and in its place. */
export function finish(
  context: NodeContext,
  claim: PredictionClaim,
  result: FilePredictionResult,
): Promise<Effect> {
  const { job } = claim
  const endedAt = context.clock.wallTime()
  const { rows, predicted } = result
  const text = `Stored ${job.prediction.into}: ${rows} rows, ${predicted} of them predicted.`
  return settle(
    context,
    claim,
    {
      ...job,
      ...{ state: 'done', endedAt, prediction: { ...job.prediction, result } },
      progress: { phase: 'done', fraction: 1, rows },
    },
    eventOf(endedAt, 'stored', text, context.node),
  )
}

/** It would be no better elsewhere. */
export function fail(
  context: NodeContext,
  claim: PredictionClaim,
  { reason, detail }: { readonly reason: string; readonly detail: string },
): Promise<Effect> {
  const endedAt = context.clock.wallTime()
  const error: FailureRecord = {
    phase: 'predict',
    reason: reason.slice(0, 100),
    detail: detail.slice(0, 2_000),
  }
  const text = `Failed for good: ${reason}. ${detail}`
  const job: JobRecord = { ...claim.job, state: 'failed', error, endedAt }
  return settle(context, claim, job, eventOf(endedAt, 'failed', text, context.node))
}

/** The model was deleted under it. */
export function endAsDeleted(context: NodeContext, claim: PredictionClaim): Promise<Effect> {
  const { job } = deletedRecords(claim.job, undefined, context.clock.wallTime())
  return settle(context, claim, job)
}

/** Leaves it to another node; with its attempt when this one ended through no fault of it. */
export function giveBack(
  context: NodeContext,
  claim: PredictionClaim,
  attempt: 'returned' | 'spent',
  why: string,
): Promise<Effect> {
  const attempts = attempt === 'returned' ? claim.job.attempts - 1 : claim.job.attempts
  const counts = attempt === 'returned' ? 'does not count' : 'counts'
  const text = `Given back; the attempt ${counts}. ${why}`
  const event = eventOf(context.clock.wallTime(), 'given-back', text, context.node)
  const progress = { phase: 'queued', fraction: 0 }
  return settle(context, claim, { ...claim.job, state: 'queued', attempts, progress }, event)
}

/** How the claim ends: job and claim in one transaction that the fence guards. */
async function settle(
  context: NodeContext,
  { lease, fence, journal }: PredictionClaim,
  job: JobRecord,
  ...events: readonly JobEvent[]
): Promise<Effect> {
  const key = jobKey(job.id)
  const value = codecs.job.encode(noted(job, ...journal, ...events))
  const when = [createdAt(claimKey(job.id), fence), present(key)]
  const then = [put(key, value), remove(claimKey(job.id))]
  return await applyUnder(context, lease, { when, then }, { key, value })
}
