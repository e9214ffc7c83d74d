import {
  eventOf,
  type FilePrediction,
  type FilePredictionResult,
  type JobRecord,
  type Lease,
  noted,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import type { Effect } from '../apply.ts'
import { claimedBy, lostBefore } from '../claim.ts'
import { type SoleClaim, settleJob, takeJobClaim } from '../job-claim.ts'
import type { ShardSubject } from '../subject.ts'

/** The right to predict a file: nothing but its job is touched by it. */
export type PredictionClaim = SoleClaim & {
  readonly job: JobRecord & { readonly prediction: FilePrediction }
}

/** Undefined when somebody was faster. */
export async function takePredictionClaim(
  context: NodeContext,
  subject: ShardSubject,
  lease: Lease,
  signal: AbortSignal,
): Promise<PredictionClaim | undefined> {
  const { value: held } = subject.job
  const { prediction } = held
  if (prediction === undefined) return undefined
  const now = context.clock.wallTime()
  const attempts = held.attempts + 1
  const events = [...lostBefore(held, now), claimedBy(now, context.node, attempts)]
  const job = {
    ...noted(held, ...events),
    ...{ state: 'running' as const, attempts, prediction },
    progress: { phase: 'reading', fraction: 0 },
  }
  return await takeJobClaim(context, subject, { job, isTold: true }, lease, signal)
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
  return settleJob(
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
  return settleJob(context, claim, { ...claim.job, state: 'queued', attempts, progress }, event)
}
