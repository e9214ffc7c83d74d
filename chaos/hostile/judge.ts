import { type Codec, codec, NotLoaded, Problem } from '@almanac/shared'
import type { TSchema } from 'typebox'
import type { Answer, Exchange } from './http-client.ts'
import { type JsonSchema, type Operation, operationFor } from './openapi.ts'
import { type HostileRequest, isWellFramed } from './request.ts'

/** Says what is wrong with what a request led to, or nothing. */
export type Judge = (request: HostileRequest, exchange: Exchange) => string | undefined

const problems = codec(Problem)
const notLoaded = codec(NotLoaded)

/** Refusals that come before it is known which call is meant, if any. */
const ofNoCall: ReadonlySet<string> = new Set([
  'no-such-route',
  'method',
  'path',
  'not-http',
  'headers-too-large',
  'too-slow',
  'expectation',
  'host',
  'origin',
])

/** A refusal is short, whatever was refused. */
const problemBytesMax = 4_000

/** For the public calls: what they answer is in the document. */
export function judgeByDocument(operations: readonly Operation[]): Judge {
  const schemas = new Map<JsonSchema, Codec<unknown>>()
  const decode = (schema: JsonSchema, text: string) => {
    const known = schemas.get(schema) ?? codec(schema as TSchema)
    schemas.set(schema, known)
    return known.decode(text)
  }
  return (request, exchange) =>
    judge(request, exchange, (answer, type) => {
      if (type !== undefined && ofNoCall.has(type)) return undefined
      const operation = operationFor(operations, request.method, request.path)
      if (operation === undefined) {
        if (answer.status >= 400) return 'a refusal of a call that is not in the document'
        return request.path.startsWith('/api/') && request.path !== '/api/openapi.json'
          ? 'an answer to a call that is not in the document'
          : undefined
      }
      const schema = operation.answers.get(answer.status)
      if (schema === undefined) return `the document has no status ${answer.status} here`
      if (schema === null || request.method === 'HEAD') return undefined
      // The bytes of a file are as they are.
      if (answer.headers.get('content-type') === 'application/octet-stream') return undefined
      const decoded = decode(schema, answer.body.toString())
      return decoded.ok ? undefined : `the body does not fit the document: ${decoded.fault}`
    })
}

/** For what brokers and nodes say to each other. */
export const judgeInternal: Judge = (request, exchange) => judge(request, exchange, () => undefined)

function judge(
  request: HostileRequest,
  exchange: Exchange,
  more: (answer: Answer, problemType: string | undefined) => string | undefined,
): string | undefined {
  if (exchange.kind === 'silent') return `no answer in ${Math.round(exchange.ms)} ms`
  // Without a host, CONNECT asks for a tunnel: there is nobody to answer.
  if (exchange.kind === 'closed')
    return isWellFramed(request) && request.method !== 'CONNECT'
      ? 'the connection was closed without an answer'
      : undefined
  const { answer } = exchange
  const { status } = answer
  const text = answer.body.toString()
  if (/node_modules|\n\s+at |\/src\//.test(text.slice(0, 10_000)))
    return `the answer tells of the inside: ${text.slice(0, 300)}`
  if (status >= 500 && status !== 503) return `status ${status}: ${text.slice(0, 300)}`
  if (status === 503 && !answer.headers.has('retry-after')) return '503 without Retry-After'
  if (status < 400) return more(answer, undefined)
  if (status === 409 && isNotLoaded(text, request)) return undefined
  const type = answer.headers.get('content-type') ?? ''
  if (!type.startsWith('application/problem+json'))
    return `status ${status} is ${type || 'of no type'}: ${text.slice(0, 300)}`
  if (request.method === 'HEAD') return undefined
  return faultOfProblem(answer, text) ?? more(answer, typeOf(text))
}

function faultOfProblem({ status, body, headers }: Answer, text: string): string | undefined {
  if (body.byteLength > problemBytesMax) return `a refusal of ${body.byteLength} bytes`
  const decoded = problems.decode(text)
  if (!decoded.ok) return `not a problem document (${decoded.fault}): ${text.slice(0, 300)}`
  const { value } = decoded
  if (value.status !== status) return `status ${status} says that it is ${value.status}`
  if (!/^urn:almanac:problem:[a-z0-9-]+$/.test(value.type)) return `the type ${value.type}`
  if (value.detail.length < 10 || value.title.length < 5) return `it says nothing: ${text}`
  if (value.type.endsWith(':invalid') && value.field === undefined)
    return `it does not name the field: ${text}`
  const id = headers.get('x-request-id')
  return id === undefined || id === value.requestId
    ? undefined
    : `it is of another request: ${text}`
}

const typeOf = (text: string) =>
  (JSON.parse(text) as Problem).type.slice('urn:almanac:problem:'.length)

/** A node's answer to a broker that is ahead or behind; brokers switch on it. */
const isNotLoaded = (text: string, { method, path }: HostileRequest) =>
  path.startsWith('/internal/') && (method === 'HEAD' || notLoaded.decode(text).ok)
