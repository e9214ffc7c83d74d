import { connect, type Socket } from 'node:net'

/** An answer as it came; `undefined` body bytes never occur, an empty body is empty. */
export type Answer = {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** What became of what was sent. */
export type Exchange =
  | { readonly kind: 'answer'; readonly answer: Answer; readonly ms: number }
  /** The server closed the connection without an answer. */
  | { readonly kind: 'closed'; readonly ms: number }
  | { readonly kind: 'silent'; readonly ms: number }

type SendOptions = {
  readonly bytes: Buffer
  /** A HEAD's answer has no body, whatever its headers say. */
  readonly isHead: boolean
  /** Ends our side after the bytes, so that nothing more can be hoped for. */
  readonly thenEnd: boolean
  readonly timeoutMs: number
}

/** A plain client on bare sockets: it sends any bytes, and keeps connections as others do. */
export type HttpClient = {
  readonly send: (options: SendOptions) => Promise<Exchange>
  readonly close: () => void
}

export function createHttpClient(host: string, port: number): HttpClient {
  const idle: Socket[] = []
  const all = new Set<Socket>()
  const open = () => {
    const socket = connect({ host, port, noDelay: true })
    all.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      all.delete(socket)
      const at = idle.indexOf(socket)
      if (at >= 0) idle.splice(at, 1)
    })
    return socket
  }
  const exchange = (socket: Socket, options: SendOptions) =>
    new Promise<Exchange>((resolve) => {
      const startedMs = performance.now()
      const ms = () => performance.now() - startedMs
      let received: Buffer = Buffer.alloc(0)
      const end = (result: Exchange, isReusable: boolean) => {
        clearTimeout(timer)
        socket.off('data', onData)
        socket.off('close', onClose)
        socket.off('end', onClose)
        if (isReusable && !options.thenEnd && !socket.destroyed) idle.push(socket)
        else socket.destroy()
        resolve(result)
      }
      const look = (hasEnded: boolean) => {
        const found = parseAnswer(received, options.isHead, hasEnded)
        if (found === undefined) return
        end({ kind: 'answer', answer: found.answer, ms: ms() }, found.isReusable)
        return true
      }
      const onData = (chunk: Buffer) => {
        received = received.byteLength === 0 ? chunk : Buffer.concat([received, chunk])
        look(false)
      }
      const onClose = () => {
        if (!look(true)) end({ kind: 'closed', ms: ms() }, false)
      }
      const timer = setTimeout(() => end({ kind: 'silent', ms: ms() }, false), options.timeoutMs)
      socket.on('data', onData)
      socket.on('close', onClose)
      socket.on('end', onClose)
      socket.write(options.bytes)
      if (options.thenEnd) socket.end()
    })
  return {
    send: async (options) => {
      const kept = idle.pop()
      const result = await exchange(kept ?? open(), options)
      // A kept connection may have been closed meanwhile, as with every client.
      if (kept && result.kind === 'closed') return exchange(open(), options)
      return result
    },
    close: () => {
      for (const socket of all) socket.destroy()
    },
  }
}

type Parsed = { readonly answer: Answer; readonly isReusable: boolean }

/** The first final answer in the bytes, or undefined when it is not complete. */
function parseAnswer(bytes: Buffer, isHead: boolean, hasEnded: boolean): Parsed | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? 0)
  const rest = bytes.subarray(headEnd + 4)
  if (status >= 100 && status < 200 && status !== 101) return parseAnswer(rest, isHead, hasEnded)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  const body = bodyOf(rest, status, headers, isHead, hasEnded)
  if (body === undefined) return undefined
  const isLast = headers.get('connection')?.toLowerCase() === 'close'
  // Bytes beyond the answer answer something that we did not mean to ask.
  const isReusable = !isLast && !hasEnded && body.usedBytes === rest.byteLength
  return { answer: { status, headers, body: body.content }, isReusable }
}

function bodyOf(
  rest: Buffer,
  status: number,
  headers: ReadonlyMap<string, string>,
  isHead: boolean,
  hasEnded: boolean,
): { readonly content: Buffer; readonly usedBytes: number } | undefined {
  if (isHead || status === 304 || status === 204) return { content: Buffer.alloc(0), usedBytes: 0 }
  if (headers.get('transfer-encoding') === 'chunked') return unchunked(rest)
  const length = headers.get('content-length')
  if (length === undefined)
    return hasEnded ? { content: rest, usedBytes: rest.byteLength } : undefined
  const size = Number(length)
  if (rest.byteLength < size) return undefined
  return { content: rest.subarray(0, size), usedBytes: size }
}

function unchunked(rest: Buffer): { content: Buffer; usedBytes: number } | undefined {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16)
    const begin = lineEnd + 2
    if (rest.byteLength < begin + size + 2) return undefined
    if (size === 0) return { content: Buffer.concat(parts), usedBytes: begin + 2 }
    parts.push(rest.subarray(begin, begin + size))
    at = begin + size + 2
  }
}
