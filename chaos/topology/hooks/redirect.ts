import { Socket } from 'node:net'

/** `host:port` of what a process believes to reach, and of the proxy on its way there. */
export type Redirects = Readonly<Record<string, string>>

type Target = { port?: number | string; host?: string }

/**
 * From now on connections to the addresses listed go to the proxies in their place: the process
 * and all libraries in it go on calling the other side by its own name.
 */
export function redirectConnections(redirects: Redirects): void {
  const connect = Socket.prototype.connect as (...args: unknown[]) => Socket
  const redirected = function (this: Socket, ...args: unknown[]): Socket {
    const [first, ...others] = args
    // `net.connect` calls it with the list of arguments that it has sorted out, in place.
    if (Array.isArray(first)) first[0] = throughProxy(first[0] as Target, redirects)
    else if (typeof first === 'object' && first !== null)
      return connect.call(this, throughProxy(first as Target, redirects), ...others)
    else if (isPort(first)) {
      const [host, ...rest] = typeof others[0] === 'string' ? others : ['localhost', ...others]
      const target = throughProxy({ port: first, host: host as string }, redirects)
      return connect.call(this, target, ...rest)
    }
    return connect.apply(this, args)
  }
  Socket.prototype.connect = redirected as typeof Socket.prototype.connect
}

/** Other texts are paths of local sockets. */
const isPort = (value: unknown): value is number | string =>
  typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))

function throughProxy(target: Target, redirects: Redirects): Target {
  const proxy = redirects[`${target.host ?? 'localhost'}:${target.port}`]
  if (proxy === undefined) return target
  const [host, port] = proxy.split(':')
  return { ...target, host: host as string, port: Number(port) }
}
