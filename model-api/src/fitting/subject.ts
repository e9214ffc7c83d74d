import {
  absent,
  type Codec,
  claimKey,
  codecs,
  eventOf,
  type Held,
  type JobRecord,
  jobKey,
  limits,
  type ModelName,
  type ModelRecord,
  makesVersion,
  modelKey,
  modifiedAt,
  noted,
  put,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'

/** Why nobody needs to work on it here and now. */
export type Unclaimed =
  | 'gone'
  | 'ended'
  | 'another-has-it'
  | 'attempts-exhausted'
  | 'contended'
  /** It predicts by a version that is there. */
  | 'predicts'

export type Subject = {
  readonly of: ModelName
  readonly job: Held<JobRecord>
  readonly version: Held<VersionRecord>
}

/** The same of any job; one that makes no version does not need the one that it is of. */
export type ShardSubject = Omit<Subject, 'version'> & {
  readonly version: Subject['version'] | null
}

/** The job and what it is to make, read one after the other: the transaction compares both. */
export async function readSubject(
  context: NodeContext,
  id: string,
  signal: AbortSignal,
): Promise<Subject | { readonly why: Unclaimed }> {
  const job = await readOpenJob(context, id, signal)
  if ('why' in job) return job
  if (job.value.kind === 'predict') return { why: 'predicts' }
  // A node of an earlier order may have it for a fit.
  return job.value.kind === 'backtest' ? { why: 'gone' } : await subjectOf(context, job, signal)
}

/** The same of a job of shards. */
export async function readShardSubject(
  context: NodeContext,
  id: string,
  signal: AbortSignal,
): Promise<ShardSubject | { readonly why: Unclaimed }> {
  const job = await readOpenJob(context, id, signal)
  if ('why' in job) return job
  if (makesVersion(job.value.kind)) return await subjectOf(context, job, signal)
  return await subjectAlone(context, job, signal)
}

/** The same of a prediction from file to file. */
export async function readPredictionSubject(
  context: NodeContext,
  id: string,
  signal: AbortSignal,
): Promise<ShardSubject | { readonly why: Unclaimed }> {
  const job = await readOpenJob(context, id, signal)
  if ('why' in job) return job
  return job.value.prediction ? await subjectAlone(context, job, signal) : { why: 'gone' }
}

/** Of a job that makes no version. */
async function subjectAlone(
  context: NodeContext,
  job: Held<JobRecord>,
  signal: AbortSignal,
): Promise<ShardSubject | { readonly why: Unclaimed }> {
  const { subject: of } = job.value
  const model = await read(context, modelKey(of), codecs.model, signal)
  if (isDeleted(model?.value, of.version)) {
    await endDeleted(context, job, null, signal)
    return { why: 'gone' }
  }
  if (job.value.attempts >= limits.fitAttemptsMax) return { why: 'attempts-exhausted' }
  return { of, job, version: null }
}

async function readOpenJob(
  context: NodeContext,
  id: string,
  signal: AbortSignal,
): Promise<Held<JobRecord> | { readonly why: Unclaimed }> {
  const job = await read(context, jobKey(id), codecs.job, signal)
  if (job === undefined) return { why: 'gone' }
  return job.value.state === 'done' || job.value.state === 'failed' ? { why: 'ended' } : job
}

async function subjectOf(
  context: NodeContext,
  job: Held<JobRecord>,
  signal: AbortSignal,
): Promise<Subject | { readonly why: Unclaimed }> {
  const { subject } = job.value
  const [version, model] = await Promise.all([
    read(context, versionKey(subject, subject.version), codecs.version, signal),
    read(context, modelKey(subject), codecs.model, signal),
  ])
  if (isDeleted(model?.value, subject.version) || version === undefined) {
    await endDeleted(context, job, version, signal)
    return { why: 'gone' }
  }
  if (job.value.attempts >= limits.fitAttemptsMax) return { why: 'attempts-exhausted' }
  if (version.value.state === 'stored' || version.value.state === 'failed') return { why: 'ended' }
  return { of: subject, job, version }
}

/** A model is deleted for a version when it has a tombstone or was made anew after the version. */
export function isDeleted(record: ModelRecord | undefined, version: number): boolean {
  return record !== undefined && (record.deletedAt !== null || version <= record.floor)
}

/** The end of a job whose model was deleted before anybody claimed it; null: it has no version. */
async function endDeleted(
  context: NodeContext,
  job: Held<JobRecord>,
  version: Held<VersionRecord> | undefined | null,
  signal: AbortSignal,
): Promise<void> {
  const ended = deletedRecords(job.value, version?.value, context.clock.wallTime())
  const { subject } = job.value
  const name = versionKey(subject, subject.version)
  await context.coordinator.transact(
    {
      when: [
        absent(claimKey(job.value.id)),
        modifiedAt(jobKey(job.value.id), job.modRevision),
        ...(version === null ? [] : [modifiedAt(name, version?.modRevision ?? 0)]),
      ],
      then: [
        put(jobKey(job.value.id), codecs.job.encode(ended.job)),
        ...(ended.version ? [put(name, codecs.version.encode(ended.version))] : []),
      ],
    },
    signal,
  )
}

/** Job and version as they are once their model was found deleted. */
export function deletedRecords(job: JobRecord, version: VersionRecord | undefined, now: string) {
  const error = {
    phase: 'deleted' as const,
    reason: 'deleted',
    detail: 'The model was deleted before this was done.',
  }
  const open = version?.state === 'queued' || version?.state === 'fitting'
  return {
    job: {
      ...noted(job, eventOf(now, 'failed', error.detail)),
      ...{ state: 'failed' as const, error, endedAt: now },
    },
    version: open
      ? { ...version, state: 'failed' as const, error, times: { ...version.times, failedAt: now } }
      : undefined,
  }
}

async function read<T>(
  { coordinator, logger }: NodeContext,
  key: string,
  values: Codec<T>,
  signal: AbortSignal,
): Promise<Held<T> | undefined> {
  const entry = await coordinator.get(key, signal)
  if (entry === undefined) return undefined
  const decoded = values.decode(entry.value)
  const { createRevision, modRevision, lease, value: text } = entry
  if (decoded.ok) return { value: decoded.value, text, createRevision, modRevision, lease }
  logger.warn({ event: 'bad-record-skipped', key, fault: decoded.fault })
  return undefined
}
