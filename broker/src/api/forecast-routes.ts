import type { ServerResponse } from 'node:http'
import { headers as names } from '@almanac/shared'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Ask, etagOf } from '../routing/ask.ts'
import type { Outcome } from '../routing/forecaster.ts'
import type { Answer } from '../routing/response-cache.ts'
import type { ApiParts } from './parts.ts'
import { readAsk } from './question.ts'
import {
  ForecastBody,
  ForecastQuery,
  HorizonParams,
  ModelHorizonParams,
  problems,
} from './schemas.ts'

type Route = { Params: { model?: string; horizon: string }; Querystring: Record<string, unknown> }

/** `GET /api/forecast/:horizon` and the same for a named model. */
export function addForecastRoutes(server: FastifyInstance, parts: ApiParts): void {
  const handler = (request: FastifyRequest<Route>, reply: FastifyReply) =>
    answer(parts, request, reply)
  const response = { 200: ForecastBody, ...problems(400, 404, 406, 409, 410, 422) }
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

function answer(parts: ApiParts, request: FastifyRequest<Route>, reply: FastifyReply) {
  const { model = 'default', horizon } = request.params
  const ask = readAsk(parts.tenant, model, horizon, request.query)
  const { forecaster, metrics } = parts
  const version = forecaster.versionNow(ask)
  if (version !== undefined) {
    if (request.headers['if-none-match'] === etagOf(ask, version)) {
      metrics.cacheHits.inc()
      return sendNotModified(parts, request, reply, ask, version)
    }
    const kept = forecaster.kept(ask, version)
    if (kept) {
      metrics.cacheHits.inc()
      return sendAnswer(parts, request, reply, kept)
    }
  }
  metrics.cacheMisses.inc()
  return askNodes(parts, request, reply, ask)
}

async function askNodes(
  parts: ApiParts,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
  ask: Ask,
) {
  const left = new AbortController()
  const leave = () => left.abort(new Error('the client left'))
  reply.raw.once('close', leave)
  try {
    const outcome = await parts.forecaster.answer(ask, request.id, left.signal)
    return sendOutcome(parts, request, reply, ask, outcome)
  } catch (error) {
    // Nobody is there to be told.
    if (left.signal.aborted) return reply.hijack()
    throw error
  } finally {
    reply.raw.off('close', leave)
  }
}

function sendOutcome(
  parts: ApiParts,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
  ask: Ask,
  outcome: Outcome,
) {
  if (outcome.kind === 'answer') {
    const { etag, version } = outcome.answer
    if (matches(request.headers['if-none-match'], etag))
      return sendNotModified(parts, request, reply, ask, version)
    return sendAnswer(parts, request, reply, outcome.answer)
  }
  const { status, contentType, body, version } = outcome
  const list = baseHeaders(parts, request, contentType, body.byteLength, version)
  if (status === 503 || status === 429) list.push('retry-after', '1')
  return write(reply, status, list, body)
}

function matches(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false
  return given.split(',').some((part) => {
    const one = part.trim().replace(/^W\//, '')
    return one === etag || one === '*'
  })
}

function sendAnswer(
  parts: ApiParts,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
  { contentType, body, version, etag }: Answer,
) {
  const list = baseHeaders(parts, request, contentType, body.byteLength, version)
  list.push('etag', etag, 'cache-control', 'no-cache')
  return write(reply, 200, list, body)
}

function sendNotModified(
  parts: ApiParts,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
  ask: Ask,
  version: number,
) {
  const list = [names.modelVersion, String(version), names.requestId, request.id]
  list.push('etag', etagOf(ask, version), 'cache-control', 'no-cache')
  if (parts.isDraining()) list.push('connection', 'close')
  return write(reply, 304, list, undefined)
}

function baseHeaders(
  parts: ApiParts,
  request: FastifyRequest<Route>,
  contentType: string,
  length: number,
  version: number,
): string[] {
  const list = ['content-type', contentType, 'content-length', String(length)]
  list.push(names.modelVersion, String(version), names.requestId, request.id)
  if (parts.isDraining()) list.push('connection', 'close')
  return list
}

/** One write of head and body, past the framework: there is nothing left to serialise. */
function write(reply: FastifyReply, status: number, list: string[], body: Buffer | undefined) {
  reply.hijack()
  const raw: ServerResponse = reply.raw
  if (raw.destroyed) return reply
  raw.writeHead(status, list)
  raw.end(body)
  return reply
}
