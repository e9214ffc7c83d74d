import {
  absent,
  claimKey,
  codecs,
  eventOf,
  type JobEvent,
  type JobRecord,
  jobKey,
  type Lease,
  limits,
  type ModelName,
  modifiedAt,
  noted,
  put,
  type Transaction,
  Unavailable,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { retryWaitMs } from '../base/patience.ts'
import { bounds } from '../config/bounds.ts'
import { readSubject, type Subject, type Unclaimed } from './subject.ts'

/** The right to work on one fit. `fence` is compared in everything that it writes. */
export type Claim = {
  readonly of: ModelName
  readonly job: JobRecord
  readonly version: VersionRecord
  /** The create revision of the claim, and of the last change of job and version. */
  readonly fence: number
  readonly lease: Lease
  /** What happened under it and is not written yet: goes with what is written next. */
  readonly journal: JobEvent[]
}

export type Claiming =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  | { readonly kind: 'unclaimed'; readonly why: Unclaimed }

/** Whether the claim was made cannot be said: the coordinator did not answer. */
export class ClaimUnknown extends Unavailable {
  override name = 'ClaimUnknown'
  readonly of: ModelName
  readonly version: number
  /** The version as the claim would have left it. */
  readonly claimedAs: string
  constructor(of: ModelName, version: VersionRecord, cause: Unavailable) {
    super('coordinator', cause.message, { cause })
    this.of = of
    this.version = version.version
    this.claimedAs = codecs.version.encode(version)
  }
}

/**
 * Claims a job: claim key, attempt and `queued → fitting` are one transaction under a lease of the
 * claim's own. Rejects with `Unavailable` when the coordinator does not answer; with `ClaimUnknown`
 * when it may have heard.
 */
export async function takeClaim(
  context: NodeContext,
  id: string,
  signal: AbortSignal,
): Promise<Claiming> {
  const granting = context.coordinator.grantLease(context.timing.leaseTtlMs, signal)
  // It may reject before anybody waits for it.
  granting.catch(() => {})
  let claimed = false
  try {
    for (let tries = 1; ; tries++) {
      const subject = await readSubject(context, id, signal)
      if ('why' in subject) return { kind: 'unclaimed', why: subject.why }
      const claiming = await tryClaim(context, subject, await granting, signal)
      claimed = claiming.kind === 'claimed'
      const again = claiming.kind === 'unclaimed' && claiming.why === 'contended'
      if (!again || tries >= bounds.claimTriesMax) return claiming
      await context.clock.sleep(retryWaitMs(tries, context.random), signal)
    }
  } finally {
    if (!claimed) granting.then((lease) => releaseLease(lease)).catch(() => {})
  }
}

/** Ends a lease, or leaves it to end by itself where the coordinator does not answer. */
export async function releaseLease(lease: Lease): Promise<void> {
  await lease.revoke(AbortSignal.timeout(limits.coordinatorCallMs)).catch(() => {})
}

async function tryClaim(
  context: NodeContext,
  { of, job: heldJob, version: heldVersion }: Subject,
  lease: Lease,
  signal: AbortSignal,
): Promise<Claiming> {
  const now = context.clock.wallTime()
  const { node, instance, coordinator } = context
  const attempt = heldJob.value.attempts + 1
  const job: JobRecord = {
    ...noted(heldJob.value, ...lostBefore(heldJob.value, now), claimedBy(now, node, attempt)),
    state: 'running',
    attempts: attempt,
    progress: { phase: 'reading', fraction: 0 },
  }
  const { times } = heldVersion.value
  const version: VersionRecord = {
    ...heldVersion.value,
    state: 'fitting',
    // The end of a job of shards is not where it began.
    times: { ...times, fittingAt: job.kind === 'fit-shards' ? (times.fittingAt ?? now) : now },
  }
  const claim = codecs.claim.encode({ node, instance, since: now })
  const key = claimKey(job.id)
  const { succeeded, revision } = await claimOnce(
    context,
    {
      when: [
        absent(key),
        modifiedAt(jobKey(job.id), heldJob.modRevision),
        modifiedAt(versionKey(of, version.version), heldVersion.modRevision),
      ],
      then: [
        put(key, claim, lease.id),
        put(jobKey(job.id), codecs.job.encode(job)),
        put(versionKey(of, version.version), codecs.version.encode(version)),
      ],
    },
    { key, lease },
    signal,
  ).catch((error) => {
    throw error instanceof Unavailable ? new ClaimUnknown(of, version, error) : error
  })
  if (succeeded) {
    const claim: Claim = { of, job, version, fence: revision, lease, journal: [] }
    return { kind: 'claimed', claim }
  }
  const holder = await coordinator.get(key, signal)
  return { kind: 'unclaimed', why: holder ? 'another-has-it' : 'contended' }
}

export const claimedBy = (now: string, node: string, attempt: number): JobEvent =>
  eventOf(now, 'claimed', `Claimed by ${node}, attempt ${attempt}.`, node)

/** Who ends in order says so. Nobody can say it for one that was lost, but who comes after it. */
export function lostBefore({ state, attempts }: JobRecord, now: string): JobEvent[] {
  if (state !== 'running' || attempts === 0) return []
  const text = `Attempt ${attempts} did not end in order: its node or its claim was lost.`
  return [eventOf(now, 'lost', text)]
}

/** A claim whose outcome is unknown is read back: its lease is nobody else's. */
export async function claimOnce(
  { coordinator }: NodeContext,
  transaction: Transaction,
  { key, lease }: { key: string; lease: Lease },
  signal: AbortSignal,
): Promise<{ succeeded: boolean; revision: number }> {
  try {
    return await coordinator.transact(transaction, signal)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    const entry = await coordinator.get(key, signal)
    const ours = entry?.lease === lease.id
    return { succeeded: ours, revision: ours ? entry.createRevision : 0 }
  }
}
