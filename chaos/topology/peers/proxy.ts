import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { PeerWays } from './start.ts'

/**
 * The HTTP proxy through which one member of etcd calls the others: since every member has one of
 * its own, who calls whom can be told apart, which peer addresses alone do not say. Streams stay
 * open for as long as either end wants; an end that breaks off breaks the other.
 */
export function peerProxy(ways: PeerWays) {
  const agent = new Agent({ keepAlive: true })
  return createServer((incoming, outgoing) => {
    const { host, pathname, search } = new URL(incoming.url ?? '', 'http://nowhere.invalid')
    const port = ways[host]
    if (port === undefined) outgoing.writeHead(404).end(`there is no way to ${host}`)
    else passOn(incoming, outgoing, { agent, port, path: pathname + search })
  })
}

function passOn(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  to: { readonly agent: Agent; readonly port: number; readonly path: string },
): void {
  const { method, headers } = incoming
  const onward = request({ ...to, host: '127.0.0.1', method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    // A stream's head is waited for long before anything is said in it.
    outgoing.flushHeaders()
    answer.on('error', () => outgoing.destroy()).pipe(outgoing)
  })
  onward.on('error', () => outgoing.destroy())
  incoming.on('error', () => onward.destroy()).pipe(onward)
  outgoing.on('close', () => onward.destroy())
}
