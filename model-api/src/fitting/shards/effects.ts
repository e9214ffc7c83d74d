import {
  codecs,
  createdAt,
  modifiedAt,
  put,
  remove,
  type ShardRecord,
  shardClaimKey,
  shardKey,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { applyUnder, type Effect } from '../apply.ts'
import type { ShardClaim } from './claim.ts'

/** The shard is done, whatever becomes of the node from here on; the claim ends. */
export function keepShard(
  context: NodeContext,
  claim: ShardClaim,
  fitted: NonNullable<ShardRecord['fitted']>,
): Promise<Effect> {
  return settle(context, claim, { ...claim.shard.record, fitted, ended: endedBy(context) })
}

/** Nobody can fit it: the job is to fail. */
export function endShard(
  context: NodeContext,
  claim: ShardClaim,
  error: NonNullable<ShardRecord['error']>,
): Promise<Effect> {
  return settle(context, claim, { ...claim.shard.record, error, ended: endedBy(context) })
}

/** Leaves the shard to another turn; with its attempt, where it was no fault of the shard. */
export function giveShardBack(
  context: NodeContext,
  claim: ShardClaim,
  attempt: 'returned' | 'spent',
): Promise<Effect> {
  const { record } = claim.shard
  const attempts = attempt === 'returned' ? record.attempts - 1 : record.attempts
  return settle(context, claim, { ...record, attempts })
}

const endedBy = ({ node, clock }: NodeContext) => ({ at: clock.wallTime(), node })

/**
 * How far the shard is, or, without progress, only a question. False where it is not this node's
 * any more, or nobody asks for it.
 */
export async function tellProgress(
  { coordinator }: NodeContext,
  { job, shard, fence, guard, lease }: ShardClaim,
  progress: number | undefined,
): Promise<boolean> {
  const when = [
    createdAt(shardClaimKey(job.id, shard.number), fence),
    modifiedAt(guard.key, guard.revision),
  ]
  const told = progress === undefined ? shard.record : { ...shard.record, progress }
  const value = codecs.shard.encode(told)
  const then = progress === undefined ? [] : [put(shardKey(job.id, shard.number), value)]
  return (await coordinator.transact({ when, then }, lease.lost)).succeeded
}

async function settle(
  context: NodeContext,
  { job, shard, fence, guard, lease }: ShardClaim,
  record: ShardRecord,
): Promise<Effect> {
  const key = shardKey(job.id, shard.number)
  const claim = shardClaimKey(job.id, shard.number)
  const value = codecs.shard.encode(record)
  // What has changed was deleted, or the job has ended: nobody asks for the shard.
  const when = [createdAt(claim, fence), modifiedAt(guard.key, guard.revision)]
  const then = [put(key, value), remove(claim)]
  return await applyUnder(context, lease, { when, then }, { key, value })
}
