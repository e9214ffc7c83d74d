import {
  absent,
  type Comparison,
  codec,
  codecs,
  eventOf,
  type FilePrediction,
  type JobRecord,
  jobKey,
  type Logger,
  type ModelName,
  modifiedAt,
  type Operation,
  put,
  Refused,
  RequestRecord,
  requestKey,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import {
  type Allocated,
  type AllocateParts,
  BaseMoved,
  type FitRequest,
  findEarlier,
  type Idempotency,
  transactOnce,
} from './allocate.ts'
import { contention } from './contention.ts'
import { mustDecode } from './unreadable.ts'

type FilePredictionAsked = Pick<FilePrediction, 'file' | 'etag' | 'into'> & {
  readonly of: ModelName
  readonly version: number
  readonly requestId: string
  readonly idempotency: Idempotency | null
  /** As those of a `FitRequest`. */
  readonly why?: string | undefined
  readonly also?: FitRequest['also']
}

export type FilePredictions = {
  /** The job that this request made before under its `Idempotency-Key`, if it did. */
  readonly earlier: (
    of: ModelName,
    idempotency: Idempotency | null,
  ) => Promise<Allocated | undefined>
  /**
   * Makes a prediction from file to file durable. Throws `Refused` where the version is not there,
   * and what `allocate` does.
   */
  readonly begin: (asked: FilePredictionAsked) => Promise<Allocated>
}

type Parts = AllocateParts & {
  readonly logger: Logger
  readonly onAccepted: (job: string) => void
  /** An id that was never used. */
  readonly mintId: () => string
}

const requests = codec(RequestRecord)

export function createFilePredictions(parts: Parts): FilePredictions {
  const { coordinator, bounds, logger } = parts
  const deadline = () => AbortSignal.timeout(bounds.coordinatorCallMs)
  const tryOnce = async (asked: FilePredictionAsked): Promise<Allocated | undefined> => {
    const { of, version, idempotency, requestId } = asked
    const held = await readVersion(parts, of, version)
    const job = jobRecord(parts, asked, held.model)
    const when: Comparison[] = [absent(jobKey(job.id)), held.when]
    const then: Operation[] = [put(jobKey(job.id), codecs.job.encode(job))]
    if (idempotency) {
      const key = requestKey(of.tenant, idempotency.hash)
      const before = await coordinator.get(key, deadline())
      const made = { job: job.id, model: of.model, version, body: idempotency.body }
      when.push(modifiedAt(key, before?.modRevision ?? 0))
      then.push(put(key, requests.encode({ ...made, createdAt: job.createdAt } as RequestRecord)))
    }
    const also = asked.also?.({ job: job.id, version, at: job.createdAt })
    const revision = await transactOnce(parts, job.id, {
      when: [...when, ...(also?.when ?? [])],
      then: [...then, ...(also?.then ?? [])],
    })
    if (revision === undefined && also) throw new BaseMoved()
    if (revision === undefined) return undefined
    logger.info({ event: 'prediction-accepted', ...of, version, job: job.id, requestId })
    parts.onAccepted(job.id)
    return { job: job.id, version, isNew: true, revision }
  }
  const earlier = (of: ModelName, idempotency: Idempotency | null) =>
    findEarlier(parts, of.tenant, idempotency, deadline())
  return {
    earlier,
    begin: async (asked) => {
      // A version changes only a few times, and then not again.
      for (let tries = 1; tries <= triesMax; tries += 1) {
        const made = (await earlier(asked.of, asked.idempotency)) ?? (await tryOnce(asked))
        if (made) return made
      }
      throw contention(`the versions of ${asked.of.model}`)
    },
  }
}

const triesMax = 3

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
  const { blob, sha256, state }: VersionRecord = mustDecode(codecs.version, entry)
  if (state !== 'stored' || blob === null || sha256 === null)
    throw new Refused(409, 'not-stored', `${name} is ${state}: it cannot predict.`, {
      field: 'version',
    })
  return { model: { blob, sha256 }, when: modifiedAt(key, entry.modRevision) }
}

function jobRecord(
  { clock, mintId }: Parts,
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
