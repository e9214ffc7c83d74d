import {
  type Coordinator,
  claimKey,
  codecs,
  type Entry,
  eventOf,
  eventsOfShards,
  type FailureRecord,
  type JobRecord,
  jobKey,
  modifiedAt,
  noted,
  type Operation,
  put,
  Refused,
  remove,
  type ShardRecord,
  shardsPrefix,
  Unavailable,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { contention } from './contention.ts'
import { failedVersion, phaseOf, type SettleParts } from './settle.ts'
import { unheard } from './unheard.ts'
import { mustDecode } from './unreadable.ts'

export type CancelParts = SettleParts & {
  readonly bounds: SettleParts['bounds'] & { readonly contentionTriesMax: number }
}

/** What a cancel left behind, and since when it is so. */
export type Cancelled = { readonly job: JobRecord; readonly revision: number }

export const cancelledReason = 'cancelled'

/**
 * Ends a job, and the version that it was to make, as failed by the reason `cancelled`. In the same
 * transaction its claim goes: what a worker does from then on is refused, and workers that see it
 * stop. Doing it twice does nothing. Undefined when the coordinator has no such job. Throws
 * `Refused` (409) when it has ended otherwise, or when nobody can say what came of it.
 */
export async function cancelJob(
  parts: CancelParts,
  id: string,
  who: string,
): Promise<Cancelled | undefined> {
  for (let tries = 1; tries <= parts.bounds.contentionTriesMax; tries += 1) {
    const read = await readJob(parts, id)
    if (read === undefined) return undefined
    const { job, entry } = read
    if (job.endedAt !== null) {
      if (job.error?.reason !== cancelledReason) throw endedOtherwise(job)
      return { job, revision: entry.modRevision }
    }
    const done = await cancelOnce(parts, read, who)
    if (done) return done
  }
  throw contention(`job ${id}`)
}

/** Why a job that has ended cannot be cancelled any more. */
export function endedOtherwise({ id, state, error }: JobRecord): Refused {
  const how = state === 'done' ? 'is done' : `has failed (${error?.reason ?? 'unknown'})`
  return new Refused(409, 'job-ended', `Job ${id} ${how}: there is nothing left to cancel.`, {
    remedy:
      state === 'done'
        ? 'To serve the version before, roll back: POST /api/models/{model}/rollback.'
        : 'Begin it again, if you like: POST /api/jobs/{id}/retry.',
  })
}

type Read = { readonly job: JobRecord; readonly entry: Entry }

async function readJob({ coordinator, bounds }: CancelParts, id: string) {
  const entry = await coordinator.get(jobKey(id), AbortSignal.timeout(bounds.coordinatorCallMs))
  return entry && { job: mustDecode(codecs.job, entry), entry }
}

/** Undefined when job or version changed meanwhile: progress is written once a second. */
async function cancelOnce(
  parts: CancelParts,
  { job, entry }: Read,
  who: string,
): Promise<Cancelled | undefined> {
  const { coordinator, bounds, clock } = parts
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  const name = versionKey(job.subject, job.subject.version)
  const held = await coordinator.get(name, signal)
  const version = held && mustDecode(codecs.version, held)
  const shards = await readShards(coordinator, job, signal)
  const now = clock.wallTime()
  const ended = cancelled(job, shards, now, who)
  const when = [
    modifiedAt(jobKey(job.id), entry.modRevision),
    modifiedAt(name, held?.modRevision ?? 0),
  ]
  const then: Operation[] = [
    put(jobKey(job.id), codecs.job.encode(ended)),
    remove(claimKey(job.id)),
    ...(version && isOpen(version) ? [put(name, failedVersion(version, ended.error, now))] : []),
  ]
  try {
    const { succeeded, revision } = await coordinator.transact({ when, then }, signal)
    return succeeded ? { job: ended, revision } : undefined
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    const read = await readJob(parts, job.id).catch(() => undefined)
    if (read?.job.error?.reason === cancelledReason)
      return { job: read.job, revision: read.entry.modRevision }
    throw unheard('Cancel it again: that does no harm.')
  }
}

const isOpen = ({ state }: VersionRecord) => state === 'queued' || state === 'fitting'

function cancelled(
  job: JobRecord,
  shards: readonly [number, ShardRecord][],
  now: string,
  who: string,
) {
  const error: FailureRecord = {
    phase: phaseOf(job.kind),
    reason: cancelledReason,
    detail: 'Somebody cancelled it before it was finished.',
  }
  const events = [
    ...eventsOfShards(shards),
    eventOf(now, 'cancelled', `Cancelled through ${who}.`, who),
  ]
  return { ...noted(job, ...events), state: 'failed' as const, error, endedAt: now }
}

/** What is known of shards goes with their records, which are taken away once a job has ended. */
async function readShards(
  coordinator: Coordinator,
  { id, shards }: JobRecord,
  signal: AbortSignal,
): Promise<[number, ShardRecord][]> {
  if (shards === undefined) return []
  const prefix = shardsPrefix(id)
  const { entries } = await coordinator.list(prefix, signal)
  return entries.flatMap(({ key, value }): [number, ShardRecord][] => {
    const record = codecs.shard.decode(value)
    return record.ok ? [[Number(key.slice(prefix.length)), record.value]] : []
  })
}
