import {
  type Coordinator,
  codecs,
  type JobRecord,
  type ModelName,
  makesVersion,
  modelKey,
  modifiedAt,
  Refused,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { FitRequest } from './allocate.ts'
import { type Base, findBase } from './base.ts'
import { readRecord } from './read-record.ts'
import { nothingSince, sourceOf } from './refit.ts'

type Parts = {
  readonly coordinator: Coordinator
  readonly bounds: Pick<Bounds, 'coordinatorCallMs' | 'baseLooksMax' | 'fitLookMs'>
}

type Again = Omit<FitRequest, 'of' | 'job' | 'requestId' | 'idempotency'>

/**
 * What a failed version was made of, for another try. Its data is there for as long as its record
 * is in the coordinator, which the new version compares. Throws `Refused`: 409 where it did not fail
 * or its base is not the newest any more, 410 where its data may be gone.
 */
export async function retryOf(parts: Parts, job: JobRecord): Promise<Again> {
  if (!makesVersion(job.kind)) throw noVersion(job)
  const signal = AbortSignal.timeout(parts.bounds.fitLookMs)
  const { tenant, model, version: number } = job.subject
  const of: ModelName = { tenant, model }
  const [live, held] = await Promise.all([
    readRecord(parts, modelKey(of), codecs.model, signal),
    readRecord(parts, versionKey(of, number), codecs.version, signal),
  ])
  const name = `Version ${number} of ${model}`
  if (live === undefined || live.record.deletedAt !== null || number <= live.record.floor)
    throw collected(`${name} belonged to a model that was deleted.`)
  if (held === undefined) throw collected(`${name} is so old that its data is not kept any more.`)
  const { record: version, modRevision } = held
  if (version.state !== 'failed') throw notFailed(name, version)
  const base = version.base ? await sameBase(parts, of, version.base, name, signal) : null
  const when = [modifiedAt(versionKey(of, number), modRevision)]
  const allUpTo = version.allUpTo ?? version.parts?.at(-1)?.version
  const also =
    allUpTo === undefined
      ? () => ({ when, then: [] })
      : nothingSince(await lastSince(parts, of, allUpTo, name), when)
  const { spec, bounds, dataset, table, calendar, series, parts: dataParts } = version
  return {
    ...{ spec, bounds, dataset, base, table, parts: dataParts },
    ...{ allUpTo, calendar, kind: job.kind },
    ...(series === undefined ? {} : { many: { series, shards: job.shards ?? 0 } }),
    ...{ why: `It is job ${job.id} again.`, also },
  }
}

/** The last version allocated, where nothing has come that the data of a refit lacks. */
async function lastSince(
  parts: Parts,
  of: ModelName,
  meant: number,
  name: string,
): Promise<number | null> {
  const { record, last } = await sourceOf(parts, of)
  if (record.version === meant) return last
  const detail = `${name} was to have all data up to version ${meant}, and ${record.version} is the newest now.`
  throw new Refused(409, 'base-moved', detail, {
    remedy: 'Begin another refit, which has what came since: POST /api/schedules/{name}/run.',
  })
}

/** What came after the base meanwhile would be lost if these went on from it, too. */
async function sameBase(
  parts: Parts,
  of: ModelName,
  meant: NonNullable<VersionRecord['base']>,
  name: string,
  signal: AbortSignal,
): Promise<Base> {
  const base = await findBase(parts, of, null, signal)
  if (base.record.version === meant.version && base.record.blob === meant.blob) return base
  const detail = `${name} was to go on from version ${meant.version}, and ${base.record.version} has come since.`
  throw new Refused(409, 'base-moved', detail, {
    remedy: 'Send its observations again: they are then added to the newest version.',
  })
}

function noVersion({ id, subject }: JobRecord): Refused {
  return new Refused(409, 'no-version', `Job ${id} is a backtest, which makes no version.`, {
    remedy: `Ask for it again: POST /api/models/${subject.model}/backtests.`,
  })
}

function notFailed(name: string, { state }: VersionRecord): Refused {
  if (state === 'stored')
    return new Refused(409, 'job-succeeded', `${name} did not fail: there is nothing to repeat.`)
  return new Refused(409, 'job-open', `${name} is not finished yet.`, {
    retryAfterSeconds: 1,
    remedy: 'Wait for its end, or cancel it: POST /api/jobs/{id}/cancel.',
  })
}

function collected(detail: string): Refused {
  const remedy = 'Send the data again: POST /api/models/{model}/fit.'
  return new Refused(410, 'collected', detail, { remedy })
}
