import { modelId } from '@almanac/shared'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { type Cancelled, cancelJob, cancelledReason, endedOtherwise } from '../jobs/cancel.ts'
import { answerWhenMade, readIdempotency } from './fit-answer.ts'
import { findJob } from './operation-routes.ts'
import type { ApiParts } from './parts.ts'
import { retryFilePrediction } from './predictions/files.ts'
import { presentJob, presentJobLog } from './present.ts'
import { FitAnswer, JobLogView, JobParams, JobView, problems, problemsWithBody } from './schemas.ts'

const nothing = Buffer.alloc(0)

/** What can be done to one job, and what happened to it. */
export function addJobRoutes(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  server.get(
    '/jobs/:id/log',
    {
      schema: {
        summary: 'What happened to a job, in order; of very much the first and the last',
        params: JobParams,
        response: { 200: JobLogView, ...problems(400, 404) },
      },
    },
    async (request) => presentJobLog(parts.state(), await findJob(parts, request.params.id)),
  )
  server.post(
    '/jobs/:id/cancel',
    {
      schema: {
        summary: 'Ends a job that is not finished; what serves goes on serving',
        params: JobParams,
        response: { 200: JobView, ...problemsWithBody(404, 409) },
      },
    },
    async (request) => {
      const { id } = request.params
      const job = await findJob(parts, id)
      const cancelled = (await cancelJob(parts, id, parts.who)) ?? endedLongAgo(job)
      if (job.endedAt === null)
        parts.metrics.jobsEnded.inc({ kind: job.kind, outcome: cancelledReason })
      await seen(parts, cancelled)
      const { model, version } = job.subject
      parts.logger.info({ event: 'job-cancelled', job: id, model, version, requestId: request.id })
      return { ...presentJob(parts.state(), cancelled.job), node: null }
    },
  )
  server.post(
    '/jobs/:id/retry',
    {
      schema: {
        summary: 'Begins a failed job again, as a new version of the same data or a new prediction',
        params: JobParams,
        response: { 200: FitAnswer, 202: FitAnswer, ...problemsWithBody(404, 409, 410, 422) },
      },
    },
    (request, reply) =>
      answerWhenMade(parts, request, reply, async () => {
        const { id } = request.params
        const job = await findJob(parts, id)
        const { tenant, model } = job.subject
        const key = request.headers['idempotency-key']
        const idempotency = readIdempotency(key, ['retry', id], nothing)
        const again = { job, requestId: request.id, idempotency }
        const isVersion = job.kind !== 'predict'
        const begun = isVersion
          ? await parts.fits.retry(again)
          : await retryFilePrediction(parts, again)
        return { of: { tenant, model }, ...begun, isVersion }
      }),
  )
}

/** A job that the coordinator has no more. Throws a 409 unless it was cancelled. */
function endedLongAgo(job: Cancelled['job']): Cancelled {
  if (job.error?.reason !== cancelledReason) throw endedOtherwise(job)
  return { job, revision: 0 }
}

/** Seen here too before it is told, so that the next request finds it so. */
async function seen(parts: ApiParts, { job, revision }: Cancelled): Promise<void> {
  const { coordinatorCallMs } = parts.bounds
  const look = () => (parts.state().revision >= revision ? true : undefined)
  const signal = AbortSignal.timeout(coordinatorCallMs)
  await parts.waiters.until(modelId(job.subject), look, coordinatorCallMs, signal)
}
