import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answerWhenMade, readIdempotency } from './fit-answer.ts'
import { mustHaveFile } from './must-have-file.ts'
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
      answerWhenMade(parts, request, reply, () => beginFit(parts, request))
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
      (request, reply) =>
        answerWhenMade(parts, request, reply, () => addObservations(parts, request)),
    )
  })
}

/** Apart from the waiting, which may be long and needs nothing of the data. */
async function beginFit(parts: ApiParts, request: FastifyRequest<Route>) {
  const { of, bytes, idempotency } = read(parts, request, [])
  const { data, spec, bounds } = await parts.bodies.readFit(bytes)
  request.body = Buffer.alloc(0)
  if (data.kind === 'table') await mustHaveFile(parts, data.file)
  const input = { of, data, spec, bounds, requestId: request.id, idempotency }
  return { of, ...(await parts.fits.begin(input)) }
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
