import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import { limits } from '../base/limits.ts'
import { Refused } from '../wire/problem.ts'
import { refuseStrangeRequests } from './protocol-errors.ts'

/** For `http.createServer`: what cannot be set later. */
export const connectionOptions: ServerOptions = {
  maxHeaderSize: limits.headersBytesMax,
  // Else a slow client would have this much longer than it is given.
  connectionsCheckingInterval: limits.connectionsCheckMs,
  // Ours says what is wrong; see `faultOfHead`.
  requireHostHeader: false,
  insecureHTTPParser: false,
  // Most requests have no body: the events of a stream that is empty were a tenth of the CPU time.
  optimizeEmptyRequests: true,
}

/**
 * Bounds what one client can take of a server: connections, and time in which nothing happens. To
 * be called once for a server, before it listens.
 */
export function boundConnections(server: Server, bodyBytesMax: number): void {
  server.headersTimeout = limits.headersMs
  server.requestTimeout = limits.requestMs
  server.keepAliveTimeout = limits.keepAliveMs
  server.timeout = limits.silentConnectionMs
  // Headers beyond this count would be left out silently; we refuse the request instead.
  server.maxHeadersCount = 0
  server.maxConnections = limits.connectionsMax
  makeRoom(server)
  refuseEarly(server, bodyBytesMax)
  refuseStrangeRequests(server)
}

/** What is wrong with a request whatever it asks for. */
export function faultOfHead(request: IncomingMessage): Refused | undefined {
  const { rawHeaders, headers, httpVersion } = request
  if (rawHeaders.length > 2 * limits.headersMax)
    return new Refused(
      431,
      'headers-too-large',
      `The request has ${rawHeaders.length / 2} headers, more than ${limits.headersMax}.`,
    )
  if (headers.host === undefined && httpVersion !== '1.0')
    return new Refused(400, 'host', 'The request has no header host.', { field: 'host' })
  return undefined
}

/** Whether a body is on its way that is long, or may be. */
export function hasMuchToCome({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false
  const length = Number(headers['content-length'] ?? 0)
  return headers['transfer-encoding'] !== undefined || length > limits.unwantedBodyBytesMax
}

/** At the limit, connections between two requests make way for new ones, as in nginx. */
function makeRoom(server: Server): void {
  let lastMs = Number.NEGATIVE_INFINITY
  server.on('drop', () => {
    const nowMs = performance.now()
    if (nowMs - lastMs < limits.connectionsCheckMs) return
    lastMs = nowMs
    server.closeIdleConnections()
  })
}

/** Who asks before it sends a body that is too large need not send it. */
function refuseEarly(server: Server, bodyBytesMax: number): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const length = Number(request.headers['content-length'] ?? 0)
    if (length <= bodyBytesMax) response.writeContinue()
    server.emit('request', request, response)
  })
}
