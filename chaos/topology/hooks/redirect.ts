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
    return connect.apply(this, args)
  }
  Socket.prototype.connect = redirected as typeof Socket.prototype.connect
}

function throughProxy(target: Target, redirects: Redirects): Target {
  const proxy = redirects[`${target.host ?? 'localhost'}:${target.port}`]
  if (proxy === undefined) return target
  const [host, port] = proxy.split(':')
  return { ...target, host: host as string, port: Number(port) }
}
