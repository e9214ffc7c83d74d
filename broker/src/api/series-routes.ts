import { limits, SeriesPage } from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import { askOfVersion } from '../routing/ask.ts'
import { findIndex } from './find-index.ts'
import { createStreams } from './many-forecasts.ts'
import { readManyQuestion } from './many-question.ts'
import { readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { fault, readKey, readModelName, refuseStrangers } from './question.ts'
import {
  Bytes,
  CsvBody,
  ManyForecastsQuery,
  ModelHorizonParams,
  NdjsonBody,
  problems,
  SeriesQuery,
  VersionParams,
} from './schemas.ts'
import { listSeries } from './series-list.ts'
import { readVersionNumber } from './version-routes.ts'

type StreamRoute = {
  Params: { model: string; horizon: string }
  Querystring: Record<string, unknown>
}

/** `GET /api/models/:model/forecasts/:horizon`: of all series, as lines or rows. */
export function addStreamRoutes(server: FastifyInstance, parts: ApiParts): void {
  const stream = createStreams(parts)
  const bodies = {
    'application/x-ndjson': NdjsonBody,
    'text/csv': CsvBody,
    'application/vnd.apache.arrow.stream': Bytes,
  }
  const content = Object.fromEntries(
    Object.entries(bodies).map(([type, schema]) => [type, { schema }]),
  )
  server.get<StreamRoute>(
    '/models/:model/forecasts/:horizon',
    {
      // Its head alone would cost as much as all of it.
      exposeHeadRoute: false,
      // The schemas describe; the checks are in `readManyQuestion`.
      validatorCompiler: () => () => true,
      schema: {
        summary: 'Forecasts of many series, in the order of their keys',
        params: ModelHorizonParams,
        querystring: ManyForecastsQuery,
        response: { 200: { content }, ...problems(400, 404, 409, 410, 422, 500) },
      },
    },
    async (request, reply) => {
      const { model, horizon } = request.params
      const { accept } = request.headers
      const question = readManyQuestion(parts.tenant, model, horizon, request.query, accept)
      reply.hijack()
      const exchange = { request: request.raw, response: reply.raw, id: request.id }
      await stream(question, { ...exchange, onEnd: undefined })
      return reply
    },
  )
}

/** `GET /api/models/:model/versions/:version/series`: what became of each of them. */
export function addSeriesRoutes(server: FastifyInstance, parts: ApiParts): void {
  const { askShard, bounds, forecaster, tenant } = parts
  server.get<SeriesRoute>(
    '/models/:model/versions/:version/series',
    {
      // The same: the checks are in `readSeriesQuery`.
      validatorCompiler: () => () => true,
      schema: {
        summary: 'The series of a version of many, by key',
        params: VersionParams,
        querystring: SeriesQuery,
        response: { 200: SeriesPage, ...problems(400, 404, 409, 410, 422, 500) },
      },
    },
    async (request, reply) => {
      const { id: requestId } = request
      const of = { tenant, model: readModelName(request.params.model) }
      const wanted = readVersionNumber(request.params.version)
      const page = readSeriesQuery(request.query)
      const left = new AbortController()
      reply.raw.once('close', () => left.abort(new Error('the client left')))
      const version = await forecaster.version(askOfVersion(of, wanted), requestId, left.signal)
      const index = await findIndex(parts, of, version)
      const course = { requestId, signal: left.signal, patienceMs: bounds.nodeWaitMs }
      return await listSeries(askShard, { ...of, version, index, ...page }, course)
    },
  )
}

type SeriesRoute = {
  Params: { model: string; version: string }
  Querystring: Record<string, unknown>
}

function readSeriesQuery(query: Readonly<Record<string, unknown>>) {
  refuseStrangers(query, ['cursor', 'limit', 'code'])
  const { cursor, limit = String(limits.pageItemsMax), code } = query
  if (typeof limit !== 'string' || !/^[1-9]\d{0,2}$/.test(limit))
    throw fault('limit', `a whole number from 1 to ${limits.pageItemsMax}`)
  if (code !== undefined && (typeof code !== 'string' || !/^[a-z0-9-]{1,100}$/.test(code)))
    throw fault('code', 'a result, like ok or too-short')
  return {
    ...readPage({ limit }),
    cursor: cursor === undefined ? null : readKey('cursor', cursor),
    code: code ?? null,
  }
}
