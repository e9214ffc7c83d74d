import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { limits } from '../base/limits.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Registry } from '../telemetry/metrics.ts'
import { headers } from '../wire/internal.ts'
import { namePattern } from '../wire/keys.ts'
import { problemContentType, problemOf, Refused } from '../wire/problem.ts'
import { boundArrivingBodies } from './arriving-bodies.ts'
import { boundConnections, connectionOptions, faultOfHead, hasMuchToCome } from './connections.ts'
import { rememberMethods } from './known-methods.ts'
import { refuseProtocolError } from './protocol-errors.ts'
import { createRequestTimes, type RequestTimes } from './request-times.ts'

export type ServerOptions = {
  readonly logger: Logger
  readonly registry: Registry
  readonly bodyBytesMax: number
  /** What to tell those who ask for a route that is not there. */
  readonly routesRemedy?: string
  /** Whether the process can do its work now, and why not. */
  readonly readiness: () => { readonly ready: true } | { readonly ready: false; reason: string }
  /** Whoever answers requests beside the framework's routes tells their times here. */
  readonly times?: RequestTimes
  /** Sees every request before the framework does; true when it has taken the request over. */
  readonly first?: First
}

export type First = (...exchange: Parameters<RequestListener>) => boolean

/**
 * What a broker's and a node's HTTP server have in common: request ids, problem documents, health,
 * metrics. Only JSON bodies are parsed; nothing is coerced or removed to make a body fit.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const server = Fastify({
    logger: false,
    bodyLimit: options.bodyBytesMax,
    genReqId: (request) => requestIdOf(request.headers[headers.requestId]),
    serverFactory: serverWith(options),
    clientErrorHandler: refuseProtocolError,
    frameworkErrors: (error, request, reply) => {
      reply.header(headers.requestId, request.id)
      return sendError(error, request, reply, options.logger)
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: limits.pathPartCharactersMax },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: true } },
  })
  // The framework would take it as text; nothing here does.
  server.removeContentTypeParser('text/plain')
  takeNoBodyAsNone(server)
  server.addHook('onRequest', (request, reply, done) => {
    reply.header(headers.requestId, request.id)
    // Before a body is read, which would be in vain.
    done(faultOfHead(request.raw) ?? (request.is404 ? strayed(request, reply) : undefined))
  })
  boundArrivingBodies(server, limits.arrivingBodyBytesMax)
  const methodsOf = rememberMethods(server)
  server.setErrorHandler((error, request, reply) =>
    sendError(error, request, reply, options.logger),
  )
  const strayed = (request: FastifyRequest, reply: FastifyReply) => {
    const methods = methodsOf(path(request))
    if (methods.length > 0) reply.header('allow', methods.join(', '))
    return notFound(request, methods, options)
  }
  server.setNotFoundHandler((request, reply) => {
    throw strayed(request, reply)
  })
  addOperations(server, options)
  return server
}

/** Many clients say of every request that it is JSON, also of those that have no body to send. */
function takeNoBodyAsNone(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error')
  server.removeContentTypeParser('application/json')
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const isNone = body === '' && request.routeOptions.schema?.body === undefined
    if (isNone) done(null, undefined)
    else parse(request, String(body), done)
  })
}

/** The framework's own server, bounded, with somebody before it. */
function serverWith({ first, bodyBytesMax }: ServerOptions) {
  return (framework: RequestListener) => {
    const server = createHttpServer(connectionOptions, (request, response) => {
      if (!first?.(request, response)) framework(request, response)
    })
    boundConnections(server, bodyBytesMax)
    return server
  }
}

function notFound(
  request: FastifyRequest,
  methods: readonly string[],
  { routesRemedy }: ServerOptions,
): Refused {
  const more = routesRemedy ? { remedy: routesRemedy } : {}
  const shown = path(request).slice(0, limits.pathPartCharactersMax)
  if (methods.length === 0)
    return new Refused(404, 'no-such-route', `There is no ${request.method} ${shown}.`, more)
  const detail = `${shown} has no ${request.method}, only ${methods.join(', ')}.`
  return new Refused(405, 'method', detail, more)
}

/** Sends a refusal as a problem document. */
export function sendProblem(refused: Refused, request: FastifyRequest, reply: FastifyReply) {
  if (refused.retryAfterSeconds !== undefined)
    reply.header('retry-after', String(refused.retryAfterSeconds))
  // Else all of a body that nobody wants would be read, for another request may follow it.
  if (hasMuchToCome(request.raw)) reply.header('connection', 'close')
  return reply
    .code(refused.status)
    .type(problemContentType)
    .send(JSON.stringify(problemOf(refused, request.id)))
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger) {
  return sendProblem(refusalOf(error, request, logger), request, reply)
}

type RefusedRequest = {
  readonly id: string
  readonly url?: string | undefined
  /** That of the route, which knows what it takes. */
  readonly server?: { readonly hasContentTypeParser: (type: string) => boolean }
  readonly routeOptions?: { readonly bodyLimit?: number | undefined }
}

/** What a client is told of an error; what nobody foresaw is logged. */
export function refusalOf(error: unknown, request: RefusedRequest, logger: Logger): Refused {
  const refused = error instanceof Refused ? error : refusalOfFramework(error, request)
  if (refused) return refused
  logger.error({ event: 'request-failed', requestId: request.id, path: path(request), err: error })
  return new Refused(500, 'internal', 'An unexpected error was logged with this request id.')
}

/** The framework's own 4xx errors, in our words. */
function refusalOfFramework(error: unknown, request: RefusedRequest): Refused | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { statusCode, code, message, validation, validationContext } = error as Partial<{
    statusCode: number
    code: string
    message: string
    validation: readonly { instancePath: string; message?: string; params?: object }[]
    validationContext: string
  }>
  if (validation) return refusalOfValidation(validation, validationContext ?? 'request')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return refusalOfType(request)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refusalOfSize(request)
  if (code === 'FST_ERR_BAD_URL')
    return new Refused(400, 'path', 'The path is not well encoded: % and two hexadecimal digits.')
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') {
    const most = limits.pathPartCharactersMax
    return new Refused(414, 'path', `A part of the path has more than ${most} characters.`)
  }
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH')
    return new Refused(400, 'not-http', 'The body is not as long as its content-length says.')
  if (code === 'FST_ERR_CTP_EMPTY_JSON_BODY')
    return new Refused(400, 'no-body', 'The body is empty.', { remedy: 'Send a JSON object.' })
  if (statusCode === 400)
    return new Refused(400, 'not-json', 'The body is not JSON that is taken here.', {
      remedy: 'Check quotes, commas and brackets; no field can be named __proto__ or constructor.',
    })
  if (statusCode !== undefined && statusCode > 400 && statusCode < 500)
    return new Refused(statusCode, 'refused', message ?? 'The request was refused.')
  return undefined
}

function refusalOfSize({ routeOptions }: RefusedRequest): Refused {
  const most = routeOptions?.bodyLimit
  const detail = most ? `The body has more than ${most} bytes.` : 'The body is too large.'
  return new Refused(413, 'body-too-large', detail, {
    remedy: 'Send less at once, or name a file that was uploaded: PUT /api/files/{name}.',
  })
}

/** Names what the route takes: there is more than JSON. */
function refusalOfType({ server }: RefusedRequest): Refused {
  const taken = bodyTypes.filter(({ type }) => server?.hasContentTypeParser(type) ?? false)
  const some = taken.length === 0 ? bodyTypes.slice(0, 1) : taken
  const what = some.map(({ name }) => name).join(' or ')
  return new Refused(415, 'content-type', `The body must be ${what}.`, {
    field: 'content-type',
    remedy: `Send it with the header content-type: ${some.map(({ type }) => type).join(' or ')}.`,
  })
}

const bodyTypes = [
  { type: 'application/json', name: 'JSON' },
  { type: 'text/csv', name: 'CSV' },
  { type: 'multipart/form-data', name: 'a form with a file' },
]

function refusalOfValidation(
  faults: readonly { instancePath: string; message?: string; params?: object }[],
  context: string,
): Refused {
  const [first] = faults
  type Params = Partial<{
    additionalProperty: string
    missingProperty: string
    pattern: string
    allowedValues: readonly unknown[]
  }>
  const params = first?.params as Params | undefined
  if (params?.missingProperty) {
    const field = `${first?.instancePath}/${params.missingProperty}`
    return new Refused(400, 'invalid', `${field} is missing.`, { field })
  }
  const extra = params?.additionalProperty?.slice(0, 100)
  const allowed = params?.allowedValues?.join(', ')
  const field = extra ? `${first?.instancePath}/${extra}` : first?.instancePath || context
  if (params?.pattern === namePattern)
    return new Refused(400, 'invalid', `${field} has to be a name.`, {
      field,
      remedy: 'Give at most 63 small letters, digits, dots, dashes and underscores.',
    })
  const what = extra ? 'is not a known field here' : (first?.message ?? 'is not valid')
  if (allowed) return new Refused(400, 'invalid', `${field} must be one of ${allowed}.`, { field })
  return new Refused(400, 'invalid', `${field} ${what}.`, { field })
}

function addOperations(server: FastifyInstance, options: ServerOptions): void {
  const { registry, readiness, times = createRequestTimes(registry) } = options
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    times(request.method, route, reply.statusCode)(reply.elapsedTime / 1_000)
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
export function requestIdOf(given: string | string[] | undefined): string {
  if (typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given)) return given
  idsGiven += 1
  return `${idStart}${idsGiven.toString(16).padStart(12, '0')}`
}

/** Chance once for the process, then counting: nobody else has these, and they cost little. */
const idStart = randomUUID().slice(0, 24)
let idsGiven = 0

function path({ url = '' }: { readonly url?: string | undefined }): string {
  return url.split('?', 1)[0] ?? url
}
