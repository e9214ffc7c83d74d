import {
  claimKey,
  codecs,
  createdAt,
  eventOf,
  type FailureRecord,
  type JobEvent,
  type JobRecord,
  jobKey,
  type Manifest,
  modifiedAt,
  noted,
  type Operation,
  present,
  put,
  remove,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { figuresOf } from './accuracy.ts'
import { applyUnder, type Effect } from './apply.ts'
import type { Claim } from './claim.ts'
import { deletedRecords } from './subject.ts'
import type { Calendar } from './worker-protocol.ts'

export type FittedModel = {
  readonly manifest: Manifest
  readonly metrics: VersionRecord['metrics']
  readonly calendar: Calendar | null
  /** How many there are, where they are told apart by keys. */
  readonly series?: number
  readonly accuracy?: VersionRecord['accuracy']
  /** Where it was made of a table at once: what is known of that by now. */
  readonly made?: Pick<VersionRecord, 'dataset' | 'table'>
}

/** Makes the version `stored`, the job `done` and the claim gone, in one transaction. */
export function publish(
  context: NodeContext,
  claim: Claim,
  { manifest, metrics, calendar, series, accuracy, made }: FittedModel,
): Promise<Effect> {
  const now = context.clock.wallTime()
  const version: VersionRecord = {
    ...claim.version,
    state: 'stored',
    blob: manifest.id,
    sha256: manifest.sha256,
    sizeBytes: manifest.sizeBytes,
    metrics: { ...claim.version.metrics, ...metrics, ...figuresOf(accuracy, claim.version) },
    ...(accuracy ? { accuracy } : {}),
    times: { ...claim.version.times, storedAt: now },
    ...(calendar ? { calendar } : {}),
    ...(series === undefined ? {} : { series }),
    ...made,
  }
  const job: JobRecord = {
    ...claim.job,
    state: 'done',
    progress: { phase: 'done', fraction: 1 },
    endedAt: now,
  }
  const text = `Stored: ${manifest.sizeBytes} bytes.`
  return settle(context, claim, job, version, eventOf(now, 'stored', text, context.node))
}

/** Its series are stored, as one: from here on the job is one of shards, for all nodes. */
export function handOver(
  context: NodeContext,
  claim: Claim,
  {
    shards,
    ...made
  }: Pick<VersionRecord, 'dataset' | 'series' | 'table' | 'metrics'> & {
    readonly shards: number
  },
): Promise<Effect> {
  const { parts: _, ...before } = claim.version
  const version: VersionRecord = { ...before, ...made }
  const job: JobRecord = {
    ...claim.job,
    ...{ kind: 'fit-shards', shards, attempts: 0 },
    progress: { phase: 'fitting', fraction: 0 },
  }
  const what = claim.job.kind === 'fit-parts' ? 'Joined: there are' : 'The table has'
  const text = `${what} ${made.series ?? 0} series, in ${shards} shards for all nodes.`
  const now = context.clock.wallTime()
  return settle(context, claim, job, version, eventOf(now, 'handed-over', text, context.node))
}

/** The fit cannot succeed: the version stays `failed` for good. */
export function failForGood(
  context: NodeContext,
  claim: Claim,
  error: FailureRecord,
): Promise<Effect> {
  const now = context.clock.wallTime()
  const times = { ...claim.version.times, failedAt: now }
  const version: VersionRecord = { ...claim.version, state: 'failed', error, times }
  const job: JobRecord = { ...claim.job, state: 'failed', error, endedAt: now }
  return settle(context, claim, job, version, failedFor(now, error, context.node))
}

/** The model was deleted under the fit. */
export function endAsDeleted(context: NodeContext, claim: Claim): Promise<Effect> {
  const now = context.clock.wallTime()
  const ended = deletedRecords(claim.job, claim.version, now)
  return settle(context, claim, ended.job, ended.version)
}

/**
 * Leaves the fit to another node; with its attempt when this one ended through no fault of it. `why`
 * is for the log.
 */
export function giveBack(
  context: NodeContext,
  claim: Claim,
  attempt: 'returned' | 'spent',
  why: string,
): Promise<Effect> {
  const version: VersionRecord = {
    ...claim.version,
    state: 'queued',
    times: { ...claim.version.times, fittingAt: null },
  }
  const attempts = attempt === 'returned' ? claim.job.attempts - 1 : claim.job.attempts
  const progress = { phase: 'queued', fraction: 0 }
  const job: JobRecord = { ...claim.job, state: 'queued', attempts, progress }
  const counts = attempt === 'returned' ? 'does not count' : 'counts'
  const text = `Given back; the attempt ${counts}. ${why}`
  const now = context.clock.wallTime()
  return settle(context, claim, job, version, eventOf(now, 'given-back', text, context.node))
}

/** The part of a claim that is of its job alone. */
export type JobClaim = Pick<Claim, 'of' | 'job' | 'fence' | 'lease' | 'journal'>

/**
 * One write, not repeated: the next one says more. Without progress it only asks whether claim and
 * job still stand.
 */
export async function writeProgress(
  { coordinator }: NodeContext,
  { job, fence, journal }: JobClaim,
  progress: JobRecord['progress'] | undefined,
  signal: AbortSignal,
): Promise<Effect> {
  const key = jobKey(job.id)
  const when = [createdAt(claimKey(job.id), fence), present(key)]
  const record = () => codecs.job.encode(noted({ ...job, progress: progress! }, ...journal))
  const then = progress ? [put(key, record())] : []
  const { succeeded } = await coordinator.transact({ when, then }, signal)
  return succeeded ? 'applied' : 'refused'
}

const failedFor = (now: string, { reason, detail }: FailureRecord, node: string): JobEvent =>
  eventOf(now, 'failed', `Failed for good: ${reason}. ${detail}`, node)

/** How the claim ends: job, version and claim in one transaction that the fence guards. */
async function settle(
  context: NodeContext,
  { of, job: { id }, lease, fence, version: { version }, journal }: Claim,
  job: JobRecord,
  record: VersionRecord | undefined,
  ...events: readonly JobEvent[]
): Promise<Effect> {
  const name = versionKey(of, version)
  const value = codecs.job.encode(noted(job, ...journal, ...events))
  const then: Operation[] = [put(jobKey(id), value), remove(claimKey(id))]
  if (record) then.push(put(name, codecs.version.encode(record)))
  const when = [createdAt(claimKey(id), fence), modifiedAt(name, fence)]
  return await applyUnder(context, lease, { when, then }, { key: jobKey(id), value })
}
