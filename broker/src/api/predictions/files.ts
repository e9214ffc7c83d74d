import {
  type FilePrediction,
  type JobRecord,
  jobKey,
  type ModelName,
  Refused,
} from '@almanac/shared'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Allocated, Idempotency } from '../../jobs/allocate.ts'
import { filesOf } from '../file-routes.ts'
import { readIdempotency, readPatience } from '../fit-answer.ts'
import { findJob } from '../operation-routes.ts'
import type { ApiParts } from '../parts.ts'
import { type FileAsk, readFileAsk } from './file-body.ts'
import { mustBeFree } from './must-be-free.ts'
import { predictionCourse } from './question.ts'
import { patienceOf } from './routes.ts'
import type { FilePredictionView } from './schemas.ts'

type Asked = FastifyRequest<{ Params: { model: string }; Querystring: Record<string, unknown> }>

/** Begins a prediction from file to file, and answers when it has ended, or patience has. */
export async function predictFile(
  parts: ApiParts,
  request: Asked,
  reply: FastifyReply,
  body: Readonly<Record<string, unknown>>,
  bytes: Buffer,
) {
  const { params, query, id: requestId, headers } = request
  const asked = readFileAsk(body)
  const waitMs = readPatience(headers.prefer, parts.bounds.fitWaitMs)
  const what = ['predict', params.model, JSON.stringify(query)]
  const idempotency = readIdempotency(headers['idempotency-key'], what, bytes)
  const signal = patienceOf(reply)
  const of = { tenant: parts.tenant, model: params.model }
  const begun =
    (await parts.filePredictions.earlier(of, idempotency)) ??
    (await parts.filePredictions.begin({
      ...{ requestId, idempotency },
      ...(await courseOfFile(parts, of, query, asked, requestId, signal)),
    }))
  return await answer(parts, reply, begun, waitMs, signal)
}

export type FileCourseParts = Pick<
  ApiParts,
  'forecaster' | 'state' | 'coordinator' | 'tenant' | 'files' | 'bounds'
>

/** What is known before anything is begun: the version, the file, and that both are there. */
export async function courseOfFile(
  parts: FileCourseParts,
  of: ModelName,
  query: Readonly<Record<string, unknown>>,
  asked: FileAsk,
  requestId: string,
  signal: AbortSignal,
) {
  const { ask } = await predictionCourse(parts, of.model, query, requestId, signal)
  const { version } = ask
  return { of, version, ...asked, etag: await etagOf(parts, asked) }
}

/** A failed one again, of the file as it is now. Throws `Refused`: 409 where it did not fail. */
export async function retryFilePrediction(
  parts: Pick<ApiParts, 'files' | 'bounds' | 'filePredictions'>,
  again: {
    readonly job: JobRecord
    readonly requestId: string
    readonly idempotency: Idempotency | null
  },
): Promise<Allocated> {
  const { job, requestId, idempotency } = again
  const { id, state, subject, prediction } = job
  if (state === 'done' || prediction === undefined)
    throw new Refused(409, 'job-succeeded', `Job ${id} did not fail: there is nothing to repeat.`)
  if (state !== 'failed')
    throw new Refused(409, 'job-open', `Job ${id} is not finished yet.`, {
      retryAfterSeconds: 1,
      remedy: 'Wait for its end, or cancel it: POST /api/jobs/{id}/cancel.',
    })
  const { tenant, model, version } = subject
  const { file, into } = prediction
  const etag = await etagOf(parts, { file, into })
  return await parts.filePredictions.begin({
    ...{ of: { tenant, model }, version, file, etag, into, requestId, idempotency },
    why: `It is job ${id} again.`,
  })
}

/** Of the file that is read; the other one can be written. */
async function etagOf(
  parts: Pick<ApiParts, 'files' | 'bounds'>,
  { file, into }: FileAsk,
): Promise<string> {
  const signal = AbortSignal.timeout(parts.bounds.fileCallMs)
  const files = filesOf(parts)
  const info = await files.info(file, signal)
  if (info !== undefined) {
    await mustBeFree(files, into, signal)
    return info.etag
  }
  throw new Refused(422, 'no-such-file', `There is no file ${file}.`, {
    field: '/file',
    remedy: `Upload it first: PUT /api/files/${file}.`,
  })
}

async function answer(
  parts: ApiParts,
  reply: FastifyReply,
  begun: Allocated,
  waitMs: number,
  signal: AbortSignal,
) {
  const look = () => {
    const known = parts.state().jobs.get(begun.job)?.value
    return known?.endedAt ? known : undefined
  }
  // One that was asked for before may be over, and gone from here.
  const earlier = begun.isNew ? undefined : await findJob(parts, begun.job)
  const ended = earlier?.endedAt
    ? earlier
    : await parts.waiters.until(jobKey(begun.job), look, waitMs, signal)
  const job = ended ?? (await findJob(parts, begun.job))
  reply.header('x-model-version', String(job.subject.version))
  reply.header('location', `/api/jobs/${job.id}`)
  if (job.state === 'failed') throw failure(job)
  return await reply.code(job.state === 'done' ? 200 : 202).send(viewOf(job))
}

function failure({ id, error }: JobRecord): Refused {
  const { reason = 'unknown', detail = '' } = error ?? {}
  return new Refused(422, `prediction-${reason}`, `The prediction ${id} failed. ${detail}`.trim())
}

function viewOf(job: JobRecord): Static<typeof FilePredictionView> {
  const { id, subject, state, progress, prediction } = job
  const { file, into, result } = prediction as FilePrediction
  const { model, version } = subject
  return { job: id, model, version, state, file, into, progress, result }
}
