import {
  type BacktestState,
  Damaged,
  decodeBacktestInput,
  decodeBacktestResult,
  type JobRecord,
  jobKey,
  Missing,
  Refused,
} from '@almanac/shared'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { listJobs } from '../jobs/list-jobs.ts'
import { askOfVersion } from '../routing/ask.ts'
import { readBacktestBody } from './backtest-body.ts'
import {
  BacktestParams,
  BacktestRequest,
  type BacktestSummary,
  BacktestsPage,
  BacktestView,
} from './backtest-schemas.ts'
import { readIdempotency, readPatience } from './fit-answer.ts'
import { findModel } from './model-routes.ts'
import { findJob } from './operation-routes.ts'
import { readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { presentJob } from './present.ts'
import { readModelName } from './question.ts'
import { ModelParams, PageQuery, problems, problemsWithBody } from './schemas.ts'
import { refusedBody } from './series-body.ts'

type Route = { Params: { model: string }; Body: Buffer }

/** `/api/models/:model/backtests`: how good forecasts of a version's data would have been. */
export function addBacktestRoutes(instance: FastifyInstance, parts: ApiParts): void {
  const server = instance.withTypeProvider<TypeBoxTypeProvider>()
  addRequest(instance, parts)
  server.get(
    '/models/:model/backtests',
    {
      schema: {
        summary: 'The backtests of a model, newest first',
        params: ModelParams,
        querystring: PageQuery,
        response: { 200: BacktestsPage, ...problems(400, 404) },
      },
    },
    async (request) => {
      const { model } = request.params
      await findModel(parts, model)
      const isWanted = (job: JobRecord): job is Backtest =>
        isBacktest(job) && job.subject.model === model
      const { items, next } = await listJobs(parts, readPage(request.query, idShape), isWanted)
      return { backtests: items.map((job) => summaryOf(parts, job)), next }
    },
  )
  server.get(
    '/models/:model/backtests/:job',
    {
      schema: {
        summary: 'A backtest: how it is done, how far it is, and what it came to',
        params: BacktestParams,
        response: { 200: BacktestView, ...problems(400, 404, 410) },
      },
    },
    async (request) => {
      const { model, job } = request.params
      return await viewOf(parts, await findBacktest(parts, model, job))
    },
  )
}

const idShape = /^[A-Za-z0-9._-]{1,64}$/

function addRequest(server: FastifyInstance, parts: ApiParts): void {
  server.register(async (scope) => {
    scope.removeContentTypeParser('application/json')
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    scope.post<Route>(
      '/models/:model/backtests',
      {
        bodyLimit: parts.bounds.backtestBodyBytesMax,
        // The schema describes; the checks are in `readBacktestBody`.
        validatorCompiler: () => () => true,
        schema: {
          summary: 'Judges a spec by forecasts of what came after rolling origins in the past',
          params: ModelParams,
          body: BacktestRequest,
          response: { 200: BacktestView, 202: BacktestView, ...problemsWithBody(404, 410, 422) },
        },
      },
      (request, reply) => begin(parts, request, reply),
    )
  })
}

/** Begins a backtest, and answers when it is done or failed, or the client's patience ends. */
async function begin(parts: ApiParts, request: FastifyRequest<Route>, reply: FastifyReply) {
  const { headers, id: requestId } = request
  const of = { tenant: parts.tenant, model: readModelName(request.params.model) }
  const bytes = request.body ?? Buffer.alloc(0)
  const asked = readBacktestBody(bytes)
  if (asked.kind === 'fault') throw refusedBody(asked)
  const waitMs = readPatience(headers.prefer, parts.bounds.fitWaitMs)
  const key = headers['idempotency-key']
  const idempotency = readIdempotency(key, ['backtest', of.model], bytes)
  const left = new AbortController()
  reply.raw.once('close', () => left.abort(new Error('the client left')))
  const { spec, settings } = asked
  const begun =
    (await parts.backtests.earlier(of, idempotency)) ??
    (await parts.backtests.begin({
      ...{ of, spec, settings, requestId, idempotency },
      version: await parts.forecaster.version(
        askOfVersion(of, asked.version),
        requestId,
        left.signal,
      ),
    }))
  const look = () => {
    const known = parts.state().jobs.get(begun.job)?.value
    return known?.endedAt ? known : undefined
  }
  // One that was asked for before may be over, and gone from here.
  const earlier = begun.isNew ? undefined : await findBacktest(parts, of.model, begun.job)
  const ended = earlier?.endedAt
    ? earlier
    : await parts.waiters.until(jobKey(begun.job), look, waitMs, left.signal)
  const job = ended ?? (await findBacktest(parts, of.model, begun.job))
  reply.header('x-model-version', String(job.subject.version))
  reply.header('location', `/api/jobs/${job.id}`)
  if (job.state === 'failed') throw failure(job)
  return await reply.code(job.state === 'done' ? 200 : 202).send(await viewOf(parts, job))
}

function failure({ id, error }: JobRecord): Refused {
  const { reason = 'unknown', detail = '' } = error ?? {}
  return new Refused(422, `backtest-${reason}`, `The backtest ${id} failed. ${detail}`.trim())
}

export type Backtest = JobRecord & { readonly backtest: BacktestState }

/** A backtest of a model that is there. Throws `Refused` where there is none. */
export async function findBacktest(parts: ApiParts, model: string, id: string): Promise<Backtest> {
  const { floor } = await findModel(parts, model)
  const job = await findJob(parts, id).catch((error) => {
    if (error instanceof Refused && error.status === 404) return undefined
    throw error
  })
  if (job === undefined || !isBacktest(job) || job.subject.model !== model)
    throw new Refused(404, 'no-such-backtest', `${model} has no backtest ${id.slice(0, 64)}.`, {
      field: 'job',
    })
  if (job.subject.version > floor) return job
  throw new Refused(410, 'version-gone', `${id} belonged to a model that was deleted.`)
}

const isBacktest = (job: JobRecord): job is Backtest =>
  job.kind === 'backtest' && job.backtest !== undefined

function summaryOf(parts: ApiParts, job: Backtest): Static<typeof BacktestSummary> {
  const { id, model, version, state, progress, error, ...times } = presentJob(parts.state(), job)
  const { createdAt, endedAt } = times
  const { settings, scores } = job.backtest
  return { job: id, model, version, state, progress, settings, scores, error, createdAt, endedAt }
}

/** With what is in its blobs, as far as they are kept. */
async function viewOf(parts: ApiParts, job: JobRecord): Promise<Static<typeof BacktestView>> {
  if (!isBacktest(job)) throw new Error(`${job.id} is no backtest`)
  const { input, result } = job.backtest
  const [made, came] = await Promise.all([
    readKept(parts, input),
    result && readKept(parts, result.blob),
  ])
  const known = made && decodeBacktestInput(made)
  const index = came ? decodeBacktestResult(came) : undefined
  return {
    ...summaryOf(parts, job),
    spec: known?.ok ? known.value.spec : null,
    steps: index?.ok ? index.value.steps : null,
  }
}

/** Undefined where it is not there any more, or of no use. */
async function readKept({ store, bounds }: ApiParts, id: string): Promise<Uint8Array | undefined> {
  const signal = AbortSignal.timeout(bounds.storeCallMs)
  return await store.readBlob({ kind: 'dataset', id }, signal).catch((error) => {
    if (error instanceof Missing || error instanceof Damaged) return undefined
    throw error
  })
}
