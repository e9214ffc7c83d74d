import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answer, questionOf } from './forecasts.ts'
import type { HotPath } from './hot-path.ts'
import type { ApiParts } from './parts.ts'
import { readAsk } from './question.ts'
import {
  ForecastBody,
  ForecastQuery,
  HorizonParams,
  ModelHorizonParams,
  NotModified,
  problems,
} from './schemas.ts'

type Route = { Params: { model?: string; horizon: string }; Querystring: Record<string, unknown> }

/** `GET /api/forecast/:horizon` and the same for a named model. */
export function addForecastRoutes(
  server: FastifyInstance,
  parts: ApiParts,
  hotPath: Pick<HotPath, 'learn'>,
): void {
  const handler = async (request: FastifyRequest<Route>, reply: FastifyReply) => {
    const { model = 'default', horizon } = request.params
    const ask = readAsk(parts.tenant, model, horizon, request.query)
    const question = questionOf(ask, request.routeOptions.url ?? '')
    hotPath.learn(request.raw, question)
    reply.hijack()
    answer(parts, question, {
      request: request.raw,
      response: reply.raw,
      id: request.id,
      onEnd: undefined,
    })
    return reply
  }
  const response = {
    200: ForecastBody,
    304: NotModified,
    ...problems(400, 404, 409, 410, 422, 429),
  }
  const summary = 'Forecasts of the version that serves, or of the one that is asked for'
  // The schemas describe; the checks are in `readAsk`, which names what is wrong and costs little.
  const unchecked = { validatorCompiler: () => () => true }
  server.get<Route>(
    '/forecast/:horizon',
    {
      ...unchecked,
      schema: { summary, params: HorizonParams, querystring: ForecastQuery, response },
    },
    handler,
  )
  server.get<Route>(
    '/models/:model/forecast/:horizon',
    {
      ...unchecked,
      schema: { summary, params: ModelHorizonParams, querystring: ForecastQuery, response },
    },
    handler,
  )
}
