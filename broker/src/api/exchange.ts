import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  headers as names,
  problemContentType,
  problemOf,
  Refused,
  refusalOf,
  Unavailable,
} from '@almanac/shared'
import type { Answer } from '../routing/response-cache.ts'
import type { ApiParts } from './parts.ts'

/** One request for a forecast and its answer, below the framework. */
export type Exchange = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly id: string
  /** Told the status when the answer has gone out, unless the framework looks after that. */
  readonly onEnd: ((status: number) => void) | undefined
}

type Parts = Pick<ApiParts, 'isDraining' | 'logger'>

/** The answer, or that the client has it already. */
export function sendAnswer(parts: Parts, exchange: Exchange, answer: Answer): void {
  const { version, etag, contentType, body } = answer
  if (matches(exchange.request.headers['if-none-match'], etag)) {
    sendNotModified(parts, exchange, version, etag)
    return
  }
  const list = headersOf(parts, exchange, contentType, body.byteLength, version)
  list.push('etag', etag, 'cache-control', 'no-cache')
  write(exchange, 200, list, body)
}

/** Whether a client has the answer that this names. */
export function matches(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false
  if (given === etag) return true
  return given.split(',').some((part) => {
    const one = part.trim().replace(/^W\//, '')
    return one === etag || one === '*'
  })
}

export function sendNotModified(
  parts: Parts,
  exchange: Exchange,
  version: number,
  etag: string,
): void {
  const list = [names.modelVersion, String(version), names.requestId, exchange.id]
  list.push('etag', etag, 'cache-control', 'no-cache')
  if (parts.isDraining()) list.push('connection', 'close')
  write(exchange, 304, list, undefined)
}

/** What a node said instead of an answer, as it said it. */
export function forward(
  parts: Parts,
  exchange: Exchange,
  said: {
    readonly status: number
    readonly contentType: string
    readonly body: Buffer
    readonly version: number
  },
): void {
  const { status, contentType, body, version } = said
  const list = headersOf(parts, exchange, contentType, body.byteLength, version)
  if (status === 503 || status === 429) list.push('retry-after', '1')
  write(exchange, status, list, body)
}

/** An error as a problem document, word for word as the framework's error handler sends it. */
export function sendProblem(parts: Parts, exchange: Exchange, error: unknown): void {
  const { id, request } = exchange
  const refused = refusalOf(asRefused(error), { id, url: request.url }, parts.logger)
  const body = Buffer.from(JSON.stringify(problemOf(refused, id)))
  const list = [names.requestId, id]
  if (refused.retryAfterSeconds !== undefined)
    list.push('retry-after', String(refused.retryAfterSeconds))
  list.push('content-type', problemContentType, 'content-length', String(body.byteLength))
  if (parts.isDraining()) list.push('connection', 'close')
  write(exchange, refused.status, list, body)
}

const backends: Readonly<Record<Unavailable['part'], string>> = {
  coordinator: 'The coordinator',
  store: 'The database',
  files: 'The place of files',
  messages: 'The place of messages',
  node: 'The node',
  spark: 'Spark',
}

/** An outage of what is behind is not this process's failure, and may soon be over. */
export function asRefused(error: unknown): unknown {
  if (!(error instanceof Unavailable)) return error
  const { part } = error
  const detail = `${backends[part]} cannot be reached at present.`
  const remedy =
    part === 'files'
      ? 'Look whether the file is there, and try again; all else goes on meanwhile.'
      : 'Nothing was begun. Try again; forecasts go on meanwhile.'
  return new Refused(503, `${part}-away`, detail, { retryAfterSeconds: 1, remedy })
}

function headersOf(
  parts: Parts,
  exchange: Exchange,
  contentType: string,
  length: number,
  version: number,
): string[] {
  const list = ['content-type', contentType, 'content-length', String(length)]
  list.push(names.modelVersion, String(version), names.requestId, exchange.id)
  if (parts.isDraining()) list.push('connection', 'close')
  return list
}

/** One write of head and body: there is nothing left to serialise. */
function write(
  { response, onEnd }: Exchange,
  status: number,
  list: string[],
  body: Buffer | undefined,
): void {
  if (response.destroyed) return
  response.writeHead(status, list)
  response.end(body)
  if (onEnd === undefined) return
  // Mostly the system has taken all of it by now; a slow client's answer ends later.
  if (response.writableLength === 0) onEnd(status)
  else response.once('finish', () => onEnd(status))
}
