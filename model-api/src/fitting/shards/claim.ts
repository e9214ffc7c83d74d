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
import type { ShardSubject } from '../subject.ts'
import type { OpenShard } from './look.ts'

/** The right to work on one shard of a job; the others are anybody's. */
export type ShardClaim = {
  readonly of: ModelName
  readonly job: JobRecord
  /** That the job makes; null where it makes none. */
  readonly version: VersionRecord | null
  readonly shard: OpenShard
  /** The create revision of the claim. */
  readonly fence: number
  /** The record that stays as it is until the job ends: that of the version, or else of the job. */
  readonly guard: { readonly key: string; readonly revision: number }
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
  { of, job: heldJob, version: heldVersion }: ShardSubject,
  shard: OpenShard,
  lease: Lease,
  signal: AbortSignal,
): Promise<ShardClaim | undefined> {
  const { node, instance, clock } = context
  const now = clock.wallTime()
  const id = heldJob.value.id
  const guarded = heldVersion ?? heldJob
  const name = heldVersion ? versionKey(of, heldVersion.value.version) : jobKey(id)
  const key = shardClaimKey(id, shard.number)
  const record = { ...shard.record, attempts: shard.record.attempts + 1 }
  const when = [
    absent(key),
    absent(claimKey(id)),
    modifiedAt(shardKey(id, shard.number), shard.modRevision),
    modifiedAt(name, guarded.modRevision),
  ]
  const then: Operation[] = [
    put(key, codecs.claim.encode({ node, instance, since: now }), lease.id),
    put(shardKey(id, shard.number), codecs.shard.encode(record)),
  ]
  const isFirst = guarded.value.state === 'queued'
  const job = isFirst ? begunJob(heldJob.value, now, node) : heldJob.value
  const version =
    isFirst && heldVersion ? begunVersion(heldVersion.value, now) : (heldVersion?.value ?? null)
  if (isFirst) then.push(put(jobKey(id), codecs.job.encode(job)))
  if (isFirst && version) {
    when.push(modifiedAt(jobKey(id), heldJob.modRevision))
    then.push(put(name, codecs.version.encode(version)))
  }
  const claimed = claimOnce(context, { when, then }, { key, lease }, signal)
  const { succeeded, revision } = await claimed.catch((error) => {
    throw error instanceof Unavailable ? new ShardClaimUnknown(id, shard, error) : error
  })
  if (!succeeded) return undefined
  return {
    ...{ of, job, version },
    ...{ shard: { number: shard.number, record, modRevision: revision }, fence: revision, lease },
    guard: { key: name, revision: isFirst ? revision : guarded.modRevision },
  }
}

function begunJob(job: JobRecord, now: string, node: string): JobRecord {
  const phase = job.kind === 'backtest' ? 'judging' : 'fitting'
  const event = eventOf(now, 'claimed', `The first shard is claimed, by ${node}.`, node)
  return { ...noted(job, event), state: 'running', progress: { phase, fraction: 0 } }
}

function begunVersion(version: VersionRecord, now: string): VersionRecord {
  return { ...version, state: 'fitting', times: { ...version.times, fittingAt: now } }
}
