import { createRequestTimes, createServer, Refused, type Registry } from '@almanac/shared'
import { fastifySwagger } from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { addBacktestRoutes } from '../api/backtest-routes.ts'
import { addBacktestSeriesRoute } from '../api/backtest-series.ts'
import { addPipelineRoutes } from '../api/earlier/pipeline-routes.ts'
import { addSalesRoutes } from '../api/earlier/sales-routes.ts'
import { asRefused } from '../api/exchange.ts'
import { addFileRoutes, wantsContent } from '../api/file-routes.ts'
import { addFitRoutes } from '../api/fit-routes.ts'
import { addForecastRoutes } from '../api/forecast-routes.ts'
import { guardHosts, unacceptable } from '../api/guards.ts'
import { createHotPath, type HotPath } from '../api/hot-path.ts'
import { addJobRoutes } from '../api/job-routes.ts'
import { addLookRoutes } from '../api/look-routes.ts'
import { addMessageRoutes } from '../api/message-routes.ts'
import { addModelRoutes } from '../api/model-routes.ts'
import { addOperationRoutes } from '../api/operation-routes.ts'
import type { ApiParts } from '../api/parts.ts'
import { createPlaces, type Places } from '../api/places.ts'
import { addPredictionRoutes } from '../api/predictions/routes.ts'
import { addRetrainingRoutes } from '../api/retraining-routes.ts'
import { addScheduleRoutes } from '../api/schedule-routes.ts'
import { addSeriesRoutes, addStreamRoutes } from '../api/series-routes.ts'
import { addRejectsRoute, addTableRoutes } from '../api/table-routes.ts'
import { addVersionRoutes } from '../api/version-routes.ts'

export type ApiServerOptions = {
  readonly parts: ApiParts
  readonly registry: Registry
  /** The address that it will listen on. */
  readonly host: string
  /** The names that it answers for; null: those of loopback, or any. */
  readonly allowedHosts: readonly string[] | null
}

/** The public HTTP API, not listening yet. */
export async function createApiServer(options: ApiServerOptions): Promise<FastifyInstance> {
  const { parts, registry, host } = options
  const times = createRequestTimes(registry)
  const hotPath = createHotPath(parts, times)
  const server = createServer({
    logger: parts.logger,
    registry,
    times,
    first: hotPath.first,
    bodyBytesMax: parts.bounds.bodyBytesMax,
    routesRemedy: 'GET /api/openapi.json describes every call.',
    readiness: () => {
      if (parts.isDraining()) return { ready: false, reason: 'This broker is about to stop.' }
      if (parts.isReady()) return { ready: true }
      return { ready: false, reason: 'The cluster has not been seen yet.' }
    },
  })
  guardHosts(server, host, options.allowedHosts)
  server.addHook('onSend', async (_request, reply) => {
    if (parts.isDraining()) reply.header('connection', 'close')
  })
  await server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Almanac',
        description: 'Keeps forecasting models trained and served.',
        version: '1',
      },
    },
    // A name with slashes: the document has no other way to say it.
    transform: ({ schema, url }) => ({ schema, url: url.replace('*', ':name') }),
  })
  // Whoever asks, and under whatever path: so many at once.
  const { uploadsMax, predictionsMax } = parts.bounds
  const places = {
    uploads: createPlaces('uploads', uploadsMax),
    predictions: createPlaces('predictions', predictionsMax),
  }
  await server.register(async (api) => addApi(api, parts, hotPath, places), { prefix: '/api' })
  await server.register(async (earlier) => addEarlier(earlier, parts, places))
  return server
}

type AllPlaces = { readonly uploads: Places; readonly predictions: Places }

/** The paths of earlier systems: docs/earlier-paths.md. */
function addEarlier(earlier: FastifyInstance, parts: ApiParts, places: AllPlaces): void {
  earlier.setErrorHandler((error) => {
    throw asRefused(error)
  })
  earlier.addHook('onRequest', (_request, _reply, done) => {
    done(parts.isReady() ? undefined : notReady)
  })
  addSalesRoutes(earlier, parts)
  addPipelineRoutes(earlier, parts, places)
}

function addApi(api: FastifyInstance, parts: ApiParts, hotPath: HotPath, places: AllPlaces): void {
  api.setErrorHandler((error) => {
    throw asRefused(error)
  })
  const unready = () => (parts.isReady() ? undefined : notReady)
  api.register(async (streams) => {
    streams.addHook('onRequest', (_request, _reply, done) => done(unready()))
    addStreamRoutes(streams, parts)
    addRejectsRoute(streams, parts)
    addBacktestSeriesRoute(streams, parts)
  })
  api.register(async (predictions) => {
    predictions.addHook('onRequest', (_request, _reply, done) => done(unready()))
    addPredictionRoutes(predictions, parts, places.predictions)
  })
  api.register(async (files) => {
    files.addHook('onRequest', (request, _reply, done) => {
      done((wantsContent(request) ? undefined : unacceptable(request)) ?? unready())
    })
    addFileRoutes(files, parts, places.uploads)
  })
  api.register(async (plain) => {
    plain.addHook('onRequest', (request, _reply, done) => done(unacceptable(request) ?? unready()))
    addPlainRoutes(plain, parts, hotPath)
  })
}

const notReady = new Refused(503, 'not-ready', 'The cluster has not been seen yet.', {
  retryAfterSeconds: 1,
})

/** All of these answer in JSON. */
function addPlainRoutes(api: FastifyInstance, parts: ApiParts, hotPath: HotPath): void {
  addForecastRoutes(api, parts, hotPath)
  addFitRoutes(api, parts)
  addBacktestRoutes(api, parts)
  addModelRoutes(api, parts)
  addVersionRoutes(api, parts)
  addSeriesRoutes(api, parts)
  addTableRoutes(api, parts)
  addLookRoutes(api, parts)
  addOperationRoutes(api, parts)
  addMessageRoutes(api, parts)
  addJobRoutes(api, parts)
  addScheduleRoutes(api, parts)
  addRetrainingRoutes(api, parts)
  api.get('/openapi.json', { schema: { hide: true } as object }, async () => api.swagger())
}
