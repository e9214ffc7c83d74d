import {
  absent,
  claimKey,
  codecs,
  eventOf,
  type JobRecord,
  jobKey,
  type Lease,
  type ModelName,
  modifiedAt,
  noted,
  type Operation,
  put,
  shardClaimKey,
  shardKey,
  Unavailable,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { claimOnce } from '../claim.ts'
import type { Subject } from '../subject.ts'
import type { OpenShard } from './look.ts'

/** The right to work on one shard of a job; the others are anybody's. */
export type ShardClaim = {
  readonly of: ModelName
  readonly job: JobRecord
  readonly version: VersionRecord
  readonly shard: OpenShard
  /** The create revision of the claim. */
  readonly fence: number
  /** Of the version, which stays as it is until the job ends. */
  readonly versionRevision: number
  readonly lease: Lease
}

/** Whether the claim was made cannot be said; if it was, an attempt was counted. */
export class ShardClaimUnknown extends Unavailable {
  override name = 'ShardClaimUnknown'
  readonly job: string
  readonly shard: number
  readonly attempts: number
  constructor(job: string, { number, record }: OpenShard, cause: Unavailable) {
    super('coordinator', cause.message, { cause })
    this.job = job
    this.shard = number
    this.attempts = record.attempts + 1
  }
}

/**
 * Claims a shard and counts the attempt in one transaction; the first claim of a job says that it
 * is being fitted. Undefined when somebody was faster. Rejects with `ShardClaimUnknown`.
 */
export async function takeShardClaim(
  context: NodeContext,
  { of, job: heldJob, version: heldVersion }: Subject,
  shard: OpenShard,
  lease: Lease,
  signal: AbortSignal,
): Promise<ShardClaim | undefined> {
  const { node, instance, clock } = context
  const now = clock.wallTime()
  const id = heldJob.value.id
  const name = versionKey(of, heldVersion.value.version)
  const key = shardClaimKey(id, shard.number)
  const record = { ...shard.record, attempts: shard.record.attempts + 1 }
  const when = [
    absent(key),
    absent(claimKey(id)),
    modifiedAt(shardKey(id, shard.number), shard.modRevision),
    modifiedAt(name, heldVersion.modRevision),
  ]
  const then: Operation[] = [
    put(key, codecs.claim.encode({ node, instance, since: now }), lease.id),
    put(shardKey(id, shard.number), codecs.shard.encode(record)),
  ]
  const isFirst = heldVersion.value.state === 'queued'
  const { job, version } = isFirst ? begun(heldJob.value, heldVersion.value, now, node) : {}
  if (job && version) {
    when.push(modifiedAt(jobKey(id), heldJob.modRevision))
    then.push(put(jobKey(id), codecs.job.encode(job)), put(name, codecs.version.encode(version)))
  }
  const claimed = claimOnce(context, { when, then }, { key, lease }, signal)
  const { succeeded, revision } = await claimed.catch((error) => {
    throw error instanceof Unavailable ? new ShardClaimUnknown(id, shard, error) : error
  })
  if (!succeeded) return undefined
  return {
    ...{ of, job: job ?? heldJob.value, version: version ?? heldVersion.value },
    ...{ shard: { number: shard.number, record, modRevision: revision }, fence: revision, lease },
    versionRevision: isFirst ? revision : heldVersion.modRevision,
  }
}

function begun(job: JobRecord, version: VersionRecord, now: string, node: string) {
  const times = { ...version.times, fittingAt: now }
  const progress = { phase: 'fitting', fraction: 0 }
  const event = eventOf(now, 'claimed', `The first shard is claimed, by ${node}.`, node)
  return {
    job: { ...noted(job, event), state: 'running', progress } satisfies JobRecord,
    version: { ...version, state: 'fitting', times } satisfies VersionRecord,
  }
}
