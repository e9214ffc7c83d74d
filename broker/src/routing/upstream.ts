import type { IncomingHttpHeaders } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import type { Bounds } from '../config/bounds.ts'
import type { Peer } from './peer.ts'

/** What came back from a node, or why nothing did. */
export type Reply =
  | {
      readonly kind: 'reply'
      readonly status: number
      readonly headers: IncomingHttpHeaders
      readonly body: Buffer
    }
  /** No connection: the request reached nobody. */
  | { readonly kind: 'unreached'; readonly why: string }
  /** The connection broke, or what came was not HTTP: the node may have worked on it. */
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'late' }
  | { readonly kind: 'cancelled' }

type Call = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body?: string
  readonly timeoutMs: number
}

/** A request under way. */
type Under = { readonly reply: Promise<Reply>; readonly cancel: () => void }

export type Upstream = {
  readonly call: (peer: Peer, call: Call) => Under
  /** Closes the connections to all but these. */
  readonly keepOnly: (peers: readonly Peer[]) => void
  readonly close: () => Promise<void>
}

type UpstreamBounds = Pick<Bounds, 'nodeConnections' | 'nodeAnswerBytesMax' | 'tryTimeoutMs'>

/** Connections to nodes: one pool for each. Bodies are collected and never parsed. */
export function createUpstream(bounds: UpstreamBounds): Upstream {
  const pools = new Map<string, Pool>()
  const poolOf = (origin: string) => {
    const found = pools.get(origin)
    if (found) return found
    const pool = new Pool(origin, {
      connections: bounds.nodeConnections,
      pipelining: 1,
      // Shorter than a node keeps an idle connection, so that it is always this side that closes.
      keepAliveTimeout: 60_000,
      keepAliveMaxTimeout: 60_000,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: bounds.tryTimeoutMs },
    })
    pools.set(origin, pool)
    return pool
  }
  return {
    call: (peer, call) => {
      const collect = new Collect(call.timeoutMs, bounds.nodeAnswerBytesMax)
      const { method, path, headers, body } = call
      try {
        poolOf(peer.origin).dispatch({ method, path, headers, body: body ?? null }, collect)
      } catch (error) {
        collect.settle({ kind: 'unreached', why: textOf(error) })
      }
      return { reply: collect.reply, cancel: () => collect.giveUp({ kind: 'cancelled' }) }
    },
    keepOnly: (peers) => {
      const origins = new Set(peers.map((peer) => peer.origin))
      for (const [origin, pool] of pools) {
        if (origins.has(origin)) continue
        pools.delete(origin)
        // What is still open on it ends by itself or by its timeout.
        void pool.close().catch(() => {})
      }
    },
    close: async () => {
      const all = [...pools.values()]
      pools.clear()
      await Promise.all(all.map((pool) => pool.destroy().catch(() => {})))
    },
  }
}

/** Keeps the chunks of one answer until it is whole, so that it goes out in one write. */
class Collect implements Dispatcher.DispatchHandler {
  readonly reply: Promise<Reply>
  readonly bytesMax: number
  readonly timer: NodeJS.Timeout
  resolve: (reply: Reply) => void = () => {}
  settled = false
  controller: Dispatcher.DispatchController | undefined
  status = 0
  headers: IncomingHttpHeaders = {}
  chunks: Buffer[] = []
  bytes = 0

  constructor(timeoutMs: number, bytesMax: number) {
    this.bytesMax = bytesMax
    this.reply = new Promise((resolve) => {
      this.resolve = resolve
    })
    this.timer = setTimeout(() => this.giveUp({ kind: 'late' }), timeoutMs)
  }

  settle(reply: Reply): void {
    if (this.settled) return
    this.settled = true
    clearTimeout(this.timer)
    this.resolve(reply)
  }

  giveUp(reply: Reply): void {
    if (this.settled) return
    this.settle(reply)
    this.controller?.abort(new Error(reply.kind))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    // It waited for a connection for longer than its caller did.
    if (this.settled) controller.abort(new Error('given up'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.status = status
    this.headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.bytes += chunk.byteLength
    if (this.bytes > this.bytesMax) this.giveUp({ kind: 'lost', why: 'the answer is too large' })
    else this.chunks.push(chunk)
  }

  onResponseEnd(): void {
    const [only] = this.chunks
    const body = this.chunks.length === 1 && only ? only : Buffer.concat(this.chunks, this.bytes)
    this.settle({ kind: 'reply', status: this.status, headers: this.headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const kind = isUnreached(error) ? 'unreached' : 'lost'
    this.settle({ kind, why: textOf(error) })
  }
}

const unreachedCodes = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
])

function isUnreached(error: Error): boolean {
  const { code } = error as { code?: string }
  return code !== undefined && unreachedCodes.has(code)
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: string }
  return code ? `${code}: ${error.message}` : error.message
}
