import {
  absent,
  type Comparison,
  codec,
  codecs,
  type JobRecord,
  jobKey,
  type Logger,
  type ModelName,
  modifiedAt,
  put,
  RequestRecord,
  requestKey,
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

/** What asks for a job of a version that is there, and that makes none. */
export type SoleAsked = {
  readonly of: ModelName
  readonly version: number
  readonly requestId: string
  readonly idempotency: Idempotency | null
  /** As those of a `FitRequest`. */
  readonly why?: string | undefined
  readonly also?: FitRequest['also']
}

export type SoleJobs<Asked extends SoleAsked> = {
  /** The job that this request made before under its `Idempotency-Key`, if it did. */
  readonly earlier: (
    of: ModelName,
    idempotency: Idempotency | null,
  ) => Promise<Allocated | undefined>
  /** Makes a job durable. Throws what planning it does, and what `allocate` does. */
  readonly begin: (asked: Asked) => Promise<Allocated>
}

export type SoleParts = AllocateParts & {
  readonly logger: Logger
  readonly onAccepted: (job: string) => void
  /** An id that was never used, for a blob or a job. */
  readonly mintId: () => string
}

/** A job as it is to be, and what has to hold for it. */
type Planned = { readonly job: JobRecord; readonly when: readonly Comparison[] }

const requests = codec(RequestRecord)

/** Makes jobs of one kind durable, which make no version. */
export function createSoleJobs<Asked extends SoleAsked>(
  parts: SoleParts,
  plan: (asked: Asked) => Promise<Planned>,
): SoleJobs<Asked> {
  const { coordinator, bounds, logger } = parts
  const deadline = () => AbortSignal.timeout(bounds.coordinatorCallMs)
  const named = async ({ of, version, idempotency }: Asked, { id, createdAt }: JobRecord) => {
    if (idempotency === null) return { when: [], then: [] }
    const key = requestKey(of.tenant, idempotency.hash)
    const before = await coordinator.get(key, deadline())
    const made = { job: id, model: of.model, version, body: idempotency.body, createdAt }
    return {
      when: [modifiedAt(key, before?.modRevision ?? 0)],
      then: [put(key, requests.encode(made as RequestRecord))],
    }
  }
  const tryOnce = async (asked: Asked): Promise<Allocated | undefined> => {
    const { of, version, requestId } = asked
    const { job, when } = await plan(asked)
    const request = await named(asked, job)
    const also = asked.also?.({ job: job.id, version, at: job.createdAt })
    const revision = await transactOnce(parts, job.id, {
      when: [absent(jobKey(job.id)), ...when, ...request.when, ...(also?.when ?? [])],
      then: [put(jobKey(job.id), codecs.job.encode(job)), ...request.then, ...(also?.then ?? [])],
    })
    if (revision === undefined && also) throw new BaseMoved()
    if (revision === undefined) return undefined
    const event = `${job.kind}-accepted`
    logger.info({ event, ...of, version, job: job.id, requestId })
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
