import { randomUUID } from 'node:crypto'
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { limits } from '../base/limits.ts'
import { problemContentType, problemOf, Refused } from '../wire/problem.ts'
import { hasOwnTime } from './own-time.ts'

/** Answers what never becomes a request with a problem document; then it is over. */
export function refuseProtocolError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === lateCode && hasOwnTime(socket)) return
  // Who has reset the connection is not there to be told.
  if (error.code === 'ECONNRESET' || !socket.writable || hasAnswerUnderWay(socket)) socket.destroy()
  else refuse(socket, refusalOfProtocol(error))
}

const lateCode = 'ERR_HTTP_REQUEST_TIMEOUT'

/** Answers what the framework does not see. */
export function refuseStrangeRequests(server: Server): void {
  server.on('connect', (_request: IncomingMessage, socket) =>
    refuse(socket, new Refused(405, 'method', 'CONNECT is not answered: this is no proxy.')),
  )
  server.on('checkExpectation', (request, response) => {
    const detail = 'Only the expectation 100-continue can be met.'
    const refused = new Refused(417, 'expectation', detail, { field: 'expect' })
    const { id, body, headers } = answerOf(refused)
    response.writeHead(417, ['x-request-id', id, ...headers])
    response.end(request.method === 'HEAD' ? undefined : body)
  })
}

function refusalOfProtocol({ code = '', message }: NodeJS.ErrnoException): Refused {
  if (code === lateCode)
    return new Refused(
      408,
      'too-slow',
      `Headers have to arrive within ${limits.headersMs} ms, the whole within ${limits.requestMs}.`,
    )
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Refused(
      431,
      'headers-too-large',
      `Headers and URL have at most ${limits.headersBytesMax} bytes together.`,
    )
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return new Refused(413, 'body-too-large', 'The extensions of a chunk are too long.')
  const what = message.replace(/^Parse Error:?\s*/, '').slice(0, 200)
  return new Refused(400, 'not-http', `This is not HTTP/1.1${what ? `: ${what}` : ''}.`)
}

/** Bytes of an answer that has begun would be mixed with ours. */
function hasAnswerUnderWay(socket: Duplex): boolean {
  const { _httpMessage: answer } = socket as { _httpMessage?: { headersSent?: boolean } | null }
  return answer?.headersSent === true
}

function refuse(socket: Duplex, refused: Refused): void {
  const { status } = refused
  const { id, body, headers } = answerOf(refused)
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, `x-request-id: ${id}`]
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  // Who goes on sending is not read any more, and not waited for.
  const timer = setTimeout(() => socket.destroy(), limits.lastWordsMs)
  socket.once('close', () => clearTimeout(timer))
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

function answerOf(refused: Refused) {
  const id = randomUUID()
  const body = JSON.stringify(problemOf(refused, id))
  const headers = [
    'content-type',
    problemContentType,
    'content-length',
    String(Buffer.byteLength(body)),
    'connection',
    'close',
  ]
  return { id, body, headers }
}
