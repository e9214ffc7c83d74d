import {
  absent,
  type Clock,
  type ClusterState,
  type Comparison,
  type Coordinator,
  claimKey,
  codecs,
  eventOf,
  type FailureRecord,
  type Held,
  type JobRecord,
  jobKey,
  makesVersion,
  modelId,
  modifiedAt,
  noted,
  type Operation,
  put,
  remove,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'

export type SettleParts = {
  readonly coordinator: Coordinator
  readonly state: () => ClusterState
  readonly clock: Pick<Clock, 'wallTime'>
  readonly bounds: Pick<Bounds, 'coordinatorCallMs'>
}

/** Ends a job that killed every node that tried it, unless somebody works on it after all. */
export async function failExhausted(parts: SettleParts, job: Held<JobRecord>): Promise<boolean> {
  const { tenant, model, version } = job.value.subject
  const of = { tenant, model }
  // Else it was made by another job.
  const { kind } = job.value
  const held = makesVersion(kind)
    ? parts.state().versions.get(modelId(of))?.get(version)
    : undefined
  const now = parts.clock.wallTime()
  const phase = phaseOf(kind)
  const what = phase === 'predict' ? 'prediction' : phase
  const error: FailureRecord = {
    phase,
    reason: 'attempts-exhausted',
    detail: `${job.value.attempts} nodes began this ${what} and none finished it.`,
  }
  const when: Comparison[] = [
    absent(claimKey(job.value.id)),
    modifiedAt(jobKey(job.value.id), job.modRevision),
  ]
  const then: Operation[] = [put(jobKey(job.value.id), failedJob(job.value, error, now))]
  if (held) {
    when.push(modifiedAt(versionKey(of, version), held.modRevision))
    then.push(put(versionKey(of, version), failedVersion(held.value, error, now)))
  }
  return await transact(parts, when, then)
}

/** What a job fails in. A release that does not know the word does not know the kind, either. */
export function phaseOf(kind: JobRecord['kind']): FailureRecord['phase'] & string {
  return kind === 'backtest' || kind === 'predict' ? kind : 'fit'
}

/**
 * Takes away a version of a model that was deleted: the record goes, an unfinished job fails, and
 * whoever works on it loses the claim and with it the right to publish.
 */
export async function removeDeleted(
  parts: SettleParts,
  of: { readonly tenant: string; readonly model: string },
  version: Held<VersionRecord>,
): Promise<boolean> {
  const key = versionKey(of, version.value.version)
  const when: Comparison[] = [modifiedAt(key, version.modRevision)]
  const then: Operation[] = [remove(key)]
  const job = parts.state().jobs.get(version.value.job)
  if (job && job.value.state !== 'done' && job.value.state !== 'failed') {
    const error: FailureRecord = {
      phase: 'deleted',
      reason: 'deleted',
      detail: 'The model was deleted before the fit was finished.',
    }
    when.push(modifiedAt(jobKey(job.value.id), job.modRevision))
    then.push(put(jobKey(job.value.id), failedJob(job.value, error, parts.clock.wallTime())))
    then.push(remove(claimKey(job.value.id)))
  }
  return await transact(parts, when, then)
}

async function transact(
  { coordinator, bounds }: SettleParts,
  when: readonly Comparison[],
  then: readonly Operation[],
): Promise<boolean> {
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  return (await coordinator.transact({ when, then }, signal)).succeeded
}

function failedJob(job: JobRecord, error: FailureRecord, now: string): string {
  const event = eventOf(now, 'failed', `Failed for good: ${error.reason}. ${error.detail}`)
  return codecs.job.encode({ ...noted(job, event), state: 'failed', error, endedAt: now })
}

export function failedVersion(version: VersionRecord, error: FailureRecord, now: string): string {
  const times = { ...version.times, failedAt: now }
  return codecs.version.encode({ ...version, state: 'failed', error, times })
}
