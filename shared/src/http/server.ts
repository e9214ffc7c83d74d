import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from '../telemetry/log.ts'
import { Histogram, latencyBuckets, type Registry } from '../telemetry/metrics.ts'
import { headers } from '../wire/internal.ts'
import { problemContentType, problemOf, Refused } from '../wire/problem.ts'

export type ServerOptions = {
  readonly logger: Logger
  readonly registry: Registry
  readonly bodyBytesMax: number
  /** What to tell those who ask for a route that is not there. */
  readonly routesRemedy?: string
  /** Whether the process can do its work now, and why not. */
  readonly readiness: () => { readonly ready: true } | { readonly ready: false; reason: string }
}

/**
 * What a broker's and a node's HTTP server have in common: request ids, problem documents, health,
 * metrics. Only JSON bodies are parsed; nothing is coerced or removed to make a body fit.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const server = Fastify({
    logger: false,
    bodyLimit: options.bodyBytesMax,
    genReqId: (request) => requestIdOf(request.headers[headers.requestId]),
    keepAliveTimeout: 75_000,
    requestTimeout: 30_000,
    connectionTimeout: 0,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: true } },
  })
  // The framework would take it as text; nothing here does.
  server.removeContentTypeParser('text/plain')
  server.addHook('onRequest', (request, reply, done) => {
    reply.header(headers.requestId, request.id)
    done()
  })
  server.setErrorHandler((error, request, reply) =>
    sendError(error, request, reply, options.logger),
  )
  server.setNotFoundHandler((request, reply) => {
    const { routesRemedy: remedy } = options
    const detail = `There is no ${request.method} ${path(request)}.`
    const refused = new Refused(404, 'no-such-route', detail, remedy ? { remedy } : {})
    return sendProblem(refused, request, reply)
  })
  addOperations(server, options)
  return server
}

/** Sends a refusal as a problem document. */
export function sendProblem(refused: Refused, request: FastifyRequest, reply: FastifyReply) {
  if (refused.retryAfterSeconds !== undefined)
    reply.header('retry-after', String(refused.retryAfterSeconds))
  return reply
    .code(refused.status)
    .type(problemContentType)
    .send(JSON.stringify(problemOf(refused, request.id)))
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger) {
  if (error instanceof Refused) return sendProblem(error, request, reply)
  const refused = refusalOfFramework(error)
  if (refused) return sendProblem(refused, request, reply)
  logger.error({ event: 'request-failed', requestId: request.id, path: path(request), err: error })
  const failure = new Refused(
    500,
    'internal',
    'An unexpected error was logged with this request id.',
  )
  return sendProblem(failure, request, reply)
}

/** The framework's own 4xx errors, in our words. */
function refusalOfFramework(error: unknown): Refused | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { statusCode, code, message, validation, validationContext } = error as Partial<{
    statusCode: number
    code: string
    message: string
    validation: readonly { instancePath: string; message?: string; params?: object }[]
    validationContext: string
  }>
  if (validation) return refusalOfValidation(validation, validationContext ?? 'request')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new Refused(415, 'content-type', 'The body must be JSON.', {
      field: 'content-type',
      remedy: 'Send it with the header content-type: application/json.',
    })
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new Refused(413, 'body-too-large', message ?? 'The body is too large.')
  if (code === 'FST_ERR_CTP_EMPTY_JSON_BODY')
    return new Refused(400, 'no-body', 'The body is empty.', { remedy: 'Send a JSON object.' })
  if (statusCode === 400)
    return new Refused(400, 'not-json', `The body is not JSON: ${message ?? ''}`, {
      remedy: 'Check quotes, commas and brackets; write null, not NaN, for a missing value.',
    })
  if (statusCode !== undefined && statusCode > 400 && statusCode < 500)
    return new Refused(statusCode, 'refused', message ?? 'The request was refused.')
  return undefined
}

function refusalOfValidation(
  faults: readonly { instancePath: string; message?: string; params?: object }[],
  context: string,
): Refused {
  const [first] = faults
  const extra = (first?.params as { additionalProperty?: string } | undefined)?.additionalProperty
  const field = extra ? `${first?.instancePath}/${extra}` : first?.instancePath || context
  const what = extra ? 'is not a known field here' : (first?.message ?? 'is not valid')
  return new Refused(400, 'invalid', `${field} ${what}.`, { field })
}

function addOperations(server: FastifyInstance, { registry, readiness }: ServerOptions): void {
  const duration = new Histogram({
    name: 'almanac_http_request_seconds',
    help: 'Time from the request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: latencyBuckets,
    registers: [registry],
  })
  // Looking up a child of the histogram costs more than observing with it.
  const children = new Map<string, { observe(seconds: number): void }>()
  server.addHook('onResponse', (request, reply, done) => {
    const { method } = request
    const route = request.routeOptions.url ?? 'none'
    const status = String(reply.statusCode)
    const name = `${method} ${route} ${status}`
    let child = children.get(name)
    if (child === undefined) {
      child = duration.labels({ method, route, status })
      children.set(name, child)
    }
    child.observe(reply.elapsedTime / 1_000)
    done()
  })
  server.get('/healthz', { schema: { hide: true } as object }, async () => ({ status: 'alive' }))
  server.get('/readyz', { schema: { hide: true } as object }, async () => {
    const state = readiness()
    if (state.ready) return { status: 'ready' }
    throw new Refused(503, 'not-ready', state.reason, { retryAfterSeconds: 1 })
  })
  server.get('/metrics', { schema: { hide: true } as object }, async (_request, reply) => {
    reply.type(registry.contentType)
    return registry.metrics()
  })
}

/**
 * A caller's id is kept when it is short and plain; log lines are not a place for anything else.
 */
function requestIdOf(given: string | string[] | undefined): string {
  if (typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given)) return given
  return randomUUID()
}

function path(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url
}
