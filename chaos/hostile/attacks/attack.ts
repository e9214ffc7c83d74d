import { connect, type Socket } from 'node:net'

export type Place = { readonly host: string; readonly port: number }

/** One way of being a bad client. Tells what the server should not have let it do. */
export type Attack = {
  readonly name: string
  /** Mostly waiting: goes on beside the others, which come one after another. */
  readonly isSlow?: boolean
  /** Only where there is time for it. */
  readonly isLong?: boolean
  readonly run: (place: Place, signal: AbortSignal) => Promise<readonly string[]>
}

/** What came back on one connection, and when it was closed. */
export type Conversation = {
  readonly text: string
  readonly closedMs: number | null
  readonly sentBytes: number
}

/** A socket whose errors are no surprise; ended with the signal at the latest. */
export function openSocket({ host, port }: Place, signal: AbortSignal): Socket {
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
  socket.on('error', () => socket.destroy())
  const end = () => socket.destroy()
  signal.addEventListener('abort', end, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', end))
  return socket
}

/** Listens until the connection is closed, or for so long. */
export function listen(socket: Socket, timeoutMs: number): Promise<Conversation> {
  const startedMs = performance.now()
  const parts: Buffer[] = []
  return new Promise((resolve) => {
    const end = (closedMs: number | null) => {
      clearTimeout(timer)
      const text = Buffer.concat(parts).toString('latin1')
      resolve({ text, closedMs, sentBytes: socket.bytesWritten })
      socket.destroy()
    }
    const timer = setTimeout(() => end(null), timeoutMs)
    const closed = () => end(performance.now() - startedMs)
    socket.on('data', (chunk) => parts.push(chunk))
    socket.once('end', closed)
    socket.once('close', closed)
  })
}

/** Sends bytes and listens. */
export function say(
  place: Place,
  signal: AbortSignal,
  bytes: string | Buffer,
  timeoutMs: number,
): Promise<Conversation> {
  const socket = openSocket(place, signal)
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  return listen(socket, timeoutMs)
}

/** Sends what `next` gives, piece by piece, for as long as the connection takes it. */
export function drip(socket: Socket, everyMs: number, next: () => string | Buffer): void {
  const timer = setInterval(() => {
    if (socket.writable) socket.write(next())
  }, everyMs)
  socket.once('close', () => clearInterval(timer))
}

export const statusesIn = (text: string): readonly number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

export const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

/** For what is refused at once, on such a machine, too. */
export const quickMs = 5_000

/** For a machine that has other things to do. */
export const slackMs = 5_000
