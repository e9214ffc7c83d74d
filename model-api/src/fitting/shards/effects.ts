import {
  codecs,
  createdAt,
  modifiedAt,
  put,
  remove,
  type ShardRecord,
  shardClaimKey,
  shardKey,
  versionKey,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { applyUnder, type Effect } from '../apply.ts'
import type { ShardClaim } from './claim.ts'

/** The shard is fitted, whatever becomes of the node from here on; the claim ends. */
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

async function settle(
  context: NodeContext,
  { of, job, version, shard, fence, versionRevision, lease }: ShardClaim,
  record: ShardRecord,
): Promise<Effect> {
  const key = shardKey(job.id, shard.number)
  const claim = shardClaimKey(job.id, shard.number)
  const value = codecs.shard.encode(record)
  // A version that has changed was deleted, or its job has ended: nobody asks for the shard.
  const when = [
    createdAt(claim, fence),
    modifiedAt(versionKey(of, version.version), versionRevision),
  ]
  const then = [put(key, value), remove(claim)]
  return await applyUnder(context, lease, { when, then }, { key, value })
}
