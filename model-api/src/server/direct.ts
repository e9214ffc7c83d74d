import type { IncomingHttpHeaders } from 'node:http'
import { parse } from 'node:querystring'
import {
  type Logger,
  headers as names,
  problemContentType,
  problemOf,
  type RequestTimes,
  refusalOf,
  requestIdOf,
} from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import { type AnswerForecast, type Asked, forecastRoute } from '../routes/forecast.ts'
import type { Guard } from '../routes/guard.ts'

/** A request as it would go over the wire. */
type DirectRequest = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body?: string
}

export type DirectReply = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Asks this node from within its process. Undefined when it does not listen; never throws. */
export type Direct = (request: DirectRequest) => DirectReply | Promise<DirectReply> | undefined

export type DirectParts = {
  readonly server: FastifyInstance
  readonly answer: AnswerForecast
  /** Those of the forecast route, in their order. */
  readonly guards: readonly Guard[]
  readonly times: RequestTimes
  readonly logger: Logger
}

/** Where the internal API begins. */
export const internalPrefix = '/internal/v1'
const forecastPath = new RegExp(`^${internalPrefix}${forecastRoute.replace(/:\w+/g, '([^/?%]+)')}$`)

/**
 * Forecasts go from the path to what the route says, by its guards and its function; everything
 * else is left to the framework, which can be asked without a connection.
 */
export function createDirect(parts: DirectParts): Direct {
  const { server, times } = parts
  return (request) => {
    if (!server.server.listening) return undefined
    const [path = '', query = ''] = request.path.split('?', 2)
    const asked = request.method === 'GET' ? readAsked(path) : undefined
    const headers = recordOf(request.headers)
    if (asked === undefined) return viaFramework(server, request, headers)
    const startedMs = performance.now()
    const observed = (reply: DirectReply) => {
      const seconds = (performance.now() - startedMs) / 1_000
      times('GET', internalPrefix + forecastRoute, reply.status)(seconds)
      return reply
    }
    const refused = (error: unknown) => observed(refusal(parts, headers, path, error))
    try {
      for (const guard of parts.guards) guard(headers)
      const said = parts.answer(asked, parse(query))
      return said instanceof Promise ? said.then(observed, refused) : observed(said)
    } catch (error) {
      return refused(error)
    }
  }
}

function readAsked(path: string): Asked | undefined {
  const match = forecastPath.exec(path)
  if (match === null) return undefined
  const [, tenant = '', model = '', version = '', horizon = ''] = match
  return { tenant, model, version, horizon }
}

async function viaFramework(
  server: FastifyInstance,
  { method, path, body }: DirectRequest,
  headers: Record<string, string>,
): Promise<DirectReply> {
  const more = body === undefined ? {} : { payload: body }
  const reply = await server.inject({ method, url: path, headers, ...more })
  const said = Object.entries(reply.headers).map(([field, value]) => [field, String(value)])
  return {
    status: reply.statusCode,
    headers: Object.fromEntries(said) as IncomingHttpHeaders,
    body: reply.rawPayload,
  }
}

/** As the framework's error handler would say it. */
function refusal(
  { logger }: Pick<DirectParts, 'logger'>,
  headers: IncomingHttpHeaders,
  url: string,
  error: unknown,
): DirectReply {
  const id = requestIdOf(headers[names.requestId])
  const refused = refusalOf(error, { id, url }, logger)
  const { status, retryAfterSeconds } = refused
  const later = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return {
    status,
    headers: { ...later, 'content-type': `${problemContentType}; charset=utf-8` },
    body: Buffer.from(JSON.stringify(problemOf(refused, id))),
  }
}

function recordOf(list: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {}
  for (let i = 0; i + 1 < list.length; i += 2) record[list[i]!] = list[i + 1]!
  return record
}
