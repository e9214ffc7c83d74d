import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback whose network can be broken in the ways that networks break. */
export interface TcpProxy {
  readonly endpoint: string
  /** Connections accepted so far. */
  readonly accepted: number
  /** Resets all connections of now; new ones are served. */
  cut(): void
  /** Resets all connections once so many more bytes of answers have passed. */
  cutAfter(bytes: number): void
  /** From now on connections are reset as soon as they are accepted. */
  refuse(): void
  /** From now on nothing passes in either direction and nobody is told. */
  swallow(): void
  /** From now on requests pass and answers do not. */
  swallowAnswers(): void
  /** From now on only the answers' HTTP/2 DATA frames are dropped: pings and headers pass. */
  swallowAnswerData(): void
  /** New connections go to another server. */
  retarget(target: string): void
  /** Everything passes again, with a delay in each direction; what was swallowed stays lost. */
  pass(delayMs?: number): void
  close(): Promise<void>
}

type Mode = 'pass' | 'refuse' | 'swallow' | 'swallow-answers' | 'swallow-answer-data'

/** Frames are told apart only in HTTP/2; other protocols pass through as they are. */
export async function startTcpProxy(
  target: string,
  protocol: 'http2' | 'other' = 'http2',
): Promise<TcpProxy> {
  let { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let mode: Mode = 'pass'
  let delayMs = 0
  let accepted = 0
  let bytesLeft = Number.POSITIVE_INFINITY

  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
    sockets.clear()
  }
  const pump = (from: Socket, to: Socket, isAnswer: boolean) => {
    const isFollowed = isAnswer && protocol === 'http2'
    const frames = isFollowed ? createFrameFilter(() => mode === 'swallow-answer-data') : undefined
    from.on('data', (received) => {
      // Frames are followed from the first byte on, whatever the mode is.
      const data = frames ? frames(received) : received
      if (mode === 'swallow' || (mode === 'swallow-answers' && isAnswer)) return
      if (isAnswer) bytesLeft -= data.length
      if (bytesLeft < 0) {
        bytesLeft = Number.POSITIVE_INFINITY
        return cut()
      }
      if (delayMs > 0) setTimeout(() => to.write(data), delayMs)
      else to.write(data)
    })
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      // What has come already is for the other side.
      to.destroySoon()
    })
  }
  const server = createServer((client) => {
    accepted += 1
    if (mode === 'refuse') {
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ host: hostname, port: Number(port) })
    sockets.add(client).add(upstream)
    pump(client, upstream, false)
    pump(upstream, client, true)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as AddressInfo

  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    get accepted() {
      return accepted
    },
    cut,
    cutAfter(bytes) {
      bytesLeft = bytes
    },
    refuse() {
      mode = 'refuse'
      cut()
    },
    swallow() {
      mode = 'swallow'
    },
    swallowAnswerData() {
      mode = 'swallow-answer-data'
    },
    swallowAnswers() {
      mode = 'swallow-answers'
    },
    retarget(next) {
      const url = new URL(next)
      hostname = url.hostname
      port = url.port
    },
    pass(nextDelayMs = 0) {
      mode = 'pass'
      delayMs = nextDelayMs
    },
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}

/**
 * Cuts a server's HTTP/2 bytes into frames (RFC 9113, section 4.1: 24 bits of length, 8 of type,
 * 40 of flags and stream) and leaves out those of DATA while it is told to.
 */
function createFrameFilter(dropsData: () => boolean): (received: Buffer) => Buffer {
  let pending: Buffer = Buffer.alloc(0)
  return (received) => {
    pending = Buffer.concat([pending, received])
    const passed: Buffer[] = []
    while (pending.length >= 9) {
      const length = 9 + pending.readUIntBE(0, 3)
      if (pending.length < length) break
      const isData = pending[3] === 0
      if (!isData || !dropsData()) passed.push(pending.subarray(0, length))
      pending = pending.subarray(length)
    }
    return Buffer.concat(passed)
  }
}
