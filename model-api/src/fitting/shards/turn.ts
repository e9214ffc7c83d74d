import { unreachable } from '@almanac/shared'
import { bounds } from '../../config/bounds.ts'
import { endBacktest } from '../backtest/end.ts'
import { releaseLease } from '../claim.ts'
import { attemptFit, type FitParts } from '../fit-attempt.ts'
import { attemptShard } from './attempt.ts'
import { type ShardClaim, ShardClaimUnknown, takeShardClaim } from './claim.ts'
import { lookForShard } from './look.ts'

/** Whether there may be more of the job for this node. */
export type Turn = 'more' | 'none'

/**
 * One shard of a job, from claim to end; or the end of the job, when all shards are. Rejects with
 * `Unavailable` when the coordinator did not answer before a claim.
 */
export async function takeTurn(parts: FitParts, job: string): Promise<Turn> {
  const look = await lookForShard(parts.context, job, parts.drain)
  switch (look.kind) {
    case 'nothing':
      return 'none'
    case 'settled':
      await (look.subject.version ? attemptFit(parts, job) : endBacktest(parts, look.subject))
      return 'none'
    case 'open':
      return await takeShard(parts, look)
    default:
      return unreachable(look)
  }
}

type Open = Extract<Awaited<ReturnType<typeof lookForShard>>, { kind: 'open' }>

async function takeShard(parts: FitParts, { subject, shard }: Open): Promise<Turn> {
  const { context, drain } = parts
  const { coordinator, timing, clock, random } = context
  const job = subject.job.value.id
  const lease = await coordinator.grantLease(timing.leaseTtlMs, drain)
  try {
    const claim = await takeShardClaim(context, subject, shard, lease, drain)
    if (claim === undefined) {
      // Others are faster, for now: not all of them at once again.
      await clock.sleep(bounds.contendedShardMs * random(), drain)
      return 'more'
    }
    return await attemptClaimed(parts, claim)
  } catch (error) {
    const { attempts } = shard.record
    if (error instanceof ShardClaimUnknown)
      void parts.onSpent({ job, shard: shard.number, attempts: attempts + 1 })
    throw error
  } finally {
    releaseLease(lease).catch(() => {})
  }
}

async function attemptClaimed(parts: FitParts, claim: ShardClaim): Promise<Turn> {
  const { context } = parts
  const startedMs = context.clock.monotonicMs()
  const outcome = await attemptShard(parts, claim)
  const { number, record } = claim.shard
  const seconds = (context.clock.monotonicMs() - startedMs) / 1_000
  context.metrics.shards.inc({ outcome })
  const what = { job: claim.job.id, shard: number, attempt: record.attempts, outcome, seconds }
  context.logger.info({
    event: 'shard-ended',
    ...claim.of,
    version: claim.job.subject.version,
    ...what,
  })
  if (outcome === 'claim-lost')
    void parts.onSpent({ job: claim.job.id, shard: number, attempts: record.attempts })
  return outcome === 'deleted' || outcome === 'ended' ? 'none' : 'more'
}
