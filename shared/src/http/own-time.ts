import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

const excepted = new WeakSet<Duplex>()

/**
 * Until it is answered, this request may take longer than `limits.requestMs`: for a route that
 * bounds the time of its bodies itself. Its headers have arrived by now, so that what the server
 * finds late on this connection can be nothing else.
 */
export function allowOwnTime(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  excepted.add(socket)
  response.once('close', () => excepted.delete(socket))
}

export const hasOwnTime = (socket: Duplex): boolean => excepted.has(socket)
