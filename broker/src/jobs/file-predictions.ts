import {
  type Comparison,
  codecs,
  eventOf,
  type FilePrediction,
  type JobRecord,
  type ModelName,
  modifiedAt,
  Refused,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { AllocateParts } from './allocate.ts'
import { createSoleJobs, type SoleAsked, type SoleJobs, type SoleParts } from './sole-jobs.ts'
import { mustDecode } from './unreadable.ts'

type FilePredictionAsked = SoleAsked & Pick<FilePrediction, 'file' | 'etag' | 'into'>

export type FilePredictions = SoleJobs<FilePredictionAsked>

/** Predictions from file to file. `begin` throws `Refused` where the version is not there. */
export function createFilePredictions(parts: SoleParts): FilePredictions {
  return createSoleJobs(parts, async (asked) => {
    const { model, when } = await readVersion(parts, asked.of, asked.version)
    return { job: jobRecord(parts, asked, model), when: [when] }
  })
}

/** What predicts, and that it is as it was: its bytes are then kept for the job. */
async function readVersion(
  { coordinator, bounds }: AllocateParts,
  of: ModelName,
  version: number,
): Promise<{ readonly model: FilePrediction['model']; readonly when: Comparison }> {
  const key = versionKey(of, version)
  const entry = await coordinator.get(key, AbortSignal.timeout(bounds.coordinatorCallMs))
  const name = `Version ${version} of ${of.model}`
  if (entry === undefined)
    throw new Refused(410, 'version-gone', `${name} is not kept any more.`, {
      field: 'version',
      remedy: 'Ask a newer version, or the one that serves.',
    })
  const record: VersionRecord = mustDecode(codecs.version, entry)
  const { blob, sha256, state, bounds: within } = record
  if (state !== 'stored' || blob === null || sha256 === null)
    throw new Refused(409, 'not-stored', `${name} is ${state}: it cannot predict.`, {
      field: 'version',
    })
  const model = { blob, sha256, ...(within ? { bounds: within } : {}) }
  return { model, when: modifiedAt(key, entry.modRevision) }
}

function jobRecord(
  { clock, mintId }: SoleParts,
  { of, version, file, etag, into, requestId, why }: FilePredictionAsked,
  model: FilePrediction['model'],
): JobRecord {
  const createdAt = clock.wallTime()
  const text = `Queued: ${file} by version ${version} of ${of.model}, into ${into}.`
  return {
    ...{ id: mintId(), kind: 'predict', subject: { ...of, version } },
    ...{ state: 'queued', attempts: 0, progress: { phase: 'queued', fraction: 0 } },
    ...{ error: null, requestId, createdAt, endedAt: null },
    ...(why === undefined ? {} : { why }),
    log: [eventOf(createdAt, 'queued', why === undefined ? text : `${text} ${why}`)],
    prediction: { file, etag, into, model, result: null },
  }
}
