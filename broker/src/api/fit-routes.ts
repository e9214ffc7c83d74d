import { type ModelName, modelId, Refused, unreachable } from '@almanac/shared'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Allocated, type Idempotency, sha256Of } from '../jobs/allocate.ts'
import { type FitOutcome, fitOutcome } from '../jobs/fit-outcome.ts'
import { filesOf } from './file-routes.ts'
import type { ApiParts } from './parts.ts'
import { readModelName } from './question.ts'
import {
  FitAnswer,
  FitRequest,
  ModelParams,
  ObservationsRequest,
  problemsWithBody,
} from './schemas.ts'

type Route = { Params: { model?: string }; Body: Buffer }

/** `POST /api/fit_model`, the same for a named model, and new observations of one. */
export function addFitRoutes(server: FastifyInstance, parts: ApiParts): void {
  const schema = {
    summary: 'Fits a model and rolls it out; answers when it serves',
    body: FitRequest,
    response: { 200: FitAnswer, 202: FitAnswer, ...problemsWithBody(409, 422) },
  }
  // The schema describes; the body is read from its bytes, in a thread when it is large.
  const unchecked = { validatorCompiler: () => () => true }
  server.register(async (scope) => {
    scope.removeContentTypeParser('application/json')
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    const handler = (request: FastifyRequest<Route>, reply: FastifyReply) =>
      made(parts, request, reply, beginFit)
    scope.post<Route>('/fit_model', { ...unchecked, schema }, handler)
    scope.post<Route>(
      '/models/:model/fit',
      { ...unchecked, schema: { ...schema, params: ModelParams } },
      handler,
    )
    scope.post<Route>(
      '/models/:model/observations',
      {
        ...unchecked,
        schema: {
          ...schema,
          summary: 'Adds new observations to what a version knows, as a new version, without a fit',
          params: ModelParams,
          body: ObservationsRequest,
          response: { ...schema.response, ...problemsWithBody(404, 409, 422) },
        },
      },
      (request, reply) => made(parts, request, reply, addObservations),
    )
  })
}

type Begin = (
  parts: ApiParts,
  request: FastifyRequest<Route>,
) => Promise<Allocated & { readonly of: ModelName }>

/** Begins a version, and answers when it serves or failed, or when the client's patience ends. */
async function made(
  parts: ApiParts,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
  begin: Begin,
) {
  const waitMs = readPatience(request.headers.prefer, parts.bounds.fitWaitMs)
  const { of, job, version, revision } = await begin(parts, request)
  const { model } = of
  const left = new AbortController()
  // Who leaves cancels nothing; only the waiting ends.
  reply.raw.once('close', () => left.abort())
  const look = () => fitOutcome(parts.state(), { of, version, job, revision })
  const startedMs = parts.clock.monotonicMs()
  const outcome = await parts.waiters.until(modelId(of), look, waitMs, left.signal)
  const seconds = (parts.clock.monotonicMs() - startedMs) / 1_000
  const known = { outcome: outcome?.kind ?? 'later' }
  parts.metrics.fits.inc(known)
  parts.metrics.fitSeconds.observe(known, seconds)
  return send(parts, reply, { model, version, job }, outcome)
}

/** Apart from the waiting, which may be long and needs nothing of the data. */
async function beginFit(parts: ApiParts, request: FastifyRequest<Route>) {
  const { of, bytes, idempotency } = read(parts, request, [])
  const { data, spec } = await parts.bodies.readFit(bytes)
  request.body = Buffer.alloc(0)
  if (data.kind === 'table') await mustHaveFile(parts, data.file)
  const input = { of, data, spec, requestId: request.id, idempotency }
  return { of, ...(await parts.fits.begin(input)) }
}

/** Known before anything is begun: most who err there have not uploaded it yet. */
export async function mustHaveFile(
  parts: Pick<ApiParts, 'files' | 'bounds'>,
  file: string,
): Promise<void> {
  const signal = AbortSignal.timeout(parts.bounds.storeCallMs)
  if ((await filesOf(parts).info(file, signal)) !== undefined) return
  throw new Refused(422, 'no-such-file', `There is no file ${file}.`, {
    field: '/table/file',
    remedy: `Upload it first: PUT /api/files/${file}.`,
  })
}

async function addObservations(parts: ApiParts, request: FastifyRequest<Route>) {
  const { of, bytes, idempotency } = read(parts, request, ['observations'])
  const { news, base } = await parts.bodies.readObservations(bytes)
  request.body = Buffer.alloc(0)
  const input = { of, news, base, requestId: request.id, idempotency }
  return { of, ...(await parts.fits.add(input)) }
}

function read(parts: ApiParts, request: FastifyRequest<Route>, kind: readonly string[]) {
  const model = readModelName(request.params.model ?? 'default')
  const bytes = request.body ?? Buffer.alloc(0)
  const idempotency = readIdempotency(request.headers['idempotency-key'], [...kind, model], bytes)
  return { of: { tenant: parts.tenant, model }, bytes, idempotency }
}

function send(
  parts: ApiParts,
  reply: FastifyReply,
  fitted: { readonly model: string; readonly version: number; readonly job: string },
  outcome: FitOutcome | undefined,
) {
  const id = modelId({ tenant: parts.tenant, model: fitted.model })
  const serving = parts.state().models.get(id)?.value.serving ?? null
  const { model, version, job } = fitted
  reply.header('x-model-version', String(version)).header('location', `/api/jobs/${job}`)
  const later = () => {
    const known = parts.state().versions.get(id)?.get(version)?.value.state
    const state = known === 'fitting' || known === 'stored' ? known : 'queued'
    return reply.code(202).send({ model, version, state, job, serving })
  }
  switch (outcome?.kind) {
    case undefined:
    case 'held':
      return later()
    case 'serving':
    case 'superseded':
      return reply.code(200).send({ model, version, state: outcome.kind, job, serving })
    case 'failed': {
      const { phase, reason, detail } = outcome.error
      const text = `Version ${version} of ${model} failed (${phase}: ${reason}). ${detail}`.trim()
      const remedy = serving === null ? undefined : `Version ${serving} goes on serving.`
      throw new Refused(422, `fit-${reason}`, text, remedy ? { remedy } : {})
    }
    default:
      return unreachable(outcome)
  }
}

/** `Prefer: respond-async` waits for nothing, `Prefer: wait=10` for ten seconds (RFC 7240). */
function readPatience(prefer: string | string[] | undefined, mostMs: number): number {
  const preferences = String(prefer ?? '').split(/[,;]/)
  const named = preferences.map((text) => text.trim().toLowerCase())
  if (named.includes('respond-async')) return 0
  const wait = named.map((text) => /^wait=(\d{1,6})$/.exec(text)?.[1]).find(Boolean)
  return wait === undefined ? mostMs : Math.min(mostMs, Number(wait) * 1_000)
}

function readIdempotency(
  key: string | string[] | undefined,
  what: readonly string[],
  body: Buffer,
): Idempotency | null {
  if (key === undefined) return null
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key))
    throw new Refused(400, 'invalid', 'Idempotency-Key must be 1 to 255 printable characters.', {
      field: 'idempotency-key',
    })
  return { hash: sha256Of(key), body: sha256Of(what.join('\n'), '\n', body) }
}
