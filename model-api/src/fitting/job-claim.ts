import {
  absent,
  claimKey,
  codecs,
  createdAt,
  eventOf,
  type FailureRecord,
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
import type { NodeContext } from '../base/context.ts'
import { applyUnder, type Effect } from './apply.ts'
import { claimOnce } from './claim.ts'
import type { JobClaim } from './effects.ts'
import { deletedRecords, type ShardSubject } from './subject.ts'

/** The right to work on a job that makes no version: nothing but its record is touched by it. */
export type SoleClaim = JobClaim & {
  /** Whether progress is told under it. If not, nobody else may change the record. */
  readonly isTold: boolean
}

/**
 * Claim and attempt in one transaction. `job` is what its record is from then on. Undefined when
 * somebody was faster.
 */
export async function takeJobClaim<Job extends JobRecord>(
  context: NodeContext,
  { of, job: held }: ShardSubject,
  { job, isTold }: Pick<SoleClaim, 'isTold'> & { readonly job: Job },
  lease: Lease,
  signal: AbortSignal,
): Promise<(SoleClaim & { readonly job: Job }) | undefined> {
  const { node, instance, clock } = context
  const key = claimKey(job.id)
  const when = [absent(key), modifiedAt(jobKey(job.id), held.modRevision)]
  const claim = codecs.claim.encode({ node, instance, since: clock.wallTime() })
  const then = [put(key, claim, lease.id), put(jobKey(job.id), codecs.job.encode(job))]
  const { succeeded, revision } = await claimOnce(context, { when, then }, { key, lease }, signal)
  return succeeded ? { of, job, fence: revision, lease, journal: [], isTold } : undefined
}

/** It would be no better elsewhere. */
export function failJob(
  context: NodeContext,
  claim: SoleClaim,
  { phase, reason, detail }: FailureRecord,
): Promise<Effect> {
  const endedAt = context.clock.wallTime()
  const error = { phase, reason: reason.slice(0, 100), detail: detail.slice(0, 2_000) }
  const text = `Failed for good: ${reason}. ${detail}`
  const job: JobRecord = { ...claim.job, state: 'failed', error, endedAt }
  return settleJob(context, claim, job, eventOf(endedAt, 'failed', text, context.node))
}

/** Its model was deleted under it. */
export function endJobAsDeleted(context: NodeContext, claim: SoleClaim): Promise<Effect> {
  const { job } = deletedRecords(claim.job, undefined, context.clock.wallTime())
  return settleJob(context, claim, job)
}

/** How the claim ends: job and claim in one transaction that the fence guards. */
export async function settleJob(
  context: NodeContext,
  { lease, fence, journal, isTold }: SoleClaim,
  job: JobRecord,
  ...events: readonly JobEvent[]
): Promise<Effect> {
  const key = jobKey(job.id)
  const value = codecs.job.encode(noted(job, ...journal, ...events))
  const stands = isTold ? present(key) : modifiedAt(key, fence)
  const when = [createdAt(claimKey(job.id), fence), stands]
  const then = [put(key, value), remove(claimKey(job.id))]
  return await applyUnder(context, lease, { when, then }, { key, value })
}
