import { limits } from '@almanac/shared'
import { type Attack, drip, listen, openSocket, slackMs, statusesIn, times } from './attack.ts'

/** A header a byte at a time, as slowloris does it. */
export const slowHeaders: Attack = {
  name: 'slow headers',
  isSlow: true,
  run: async (place, signal) => {
    const boundMs = limits.headersMs + limits.connectionsCheckMs + slackMs
    const all = times(200, async () => {
      const socket = openSocket(place, signal)
      socket.write('GET /api/forecast/1 HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
      drip(socket, 500, () => 'a')
      return listen(socket, boundMs)
    })
    return faultsOfSlow(await Promise.all(all), boundMs)
  },
}

export const slowBodies: Attack = {
  name: 'slow bodies',
  isSlow: true,
  run: async (place, signal) => {
    const boundMs = limits.requestMs + limits.connectionsCheckMs + slackMs
    const all = times(100, async (i) => {
      const socket = openSocket(place, signal)
      const isChunked = i % 2 === 0
      const framing = isChunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 1000'
      socket.write(`${fitHead}${framing}\r\n\r\n`)
      drip(socket, 500, () => (isChunked ? '1\r\n \r\n' : ' '))
      return listen(socket, boundMs)
    })
    return faultsOfSlow(await Promise.all(all), boundMs)
  },
}

/** Connections that never say anything; the more the merrier. */
export const silence: Attack = {
  name: 'silence',
  isSlow: true,
  run: async (place, signal) => {
    const boundMs = limits.headersMs + limits.connectionsCheckMs + slackMs
    const all: ReturnType<typeof listen>[] = []
    for (let i = 0; i < silentConnections && !signal.aborted; i += 500) {
      for (let n = 0; n < 500; n++)
        all.push(listen(openSocket(place, signal), boundMs + openingMsMax))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return faultsOfSlow(await Promise.all(all), boundMs)
  },
}

const silentConnections = 10_000
const openingMsMax = 5_000

/** Asks for much, again and again, and reads nothing of it. */
export const neverReading: Attack = {
  name: 'never reading',
  isSlow: true,
  run: (place, signal) => askAndPause(place, signal, 20_000, false),
}

/** The same for so long that the connection has to be closed. */
export const neverReadingForLong: Attack = {
  name: 'never reading for long',
  isSlow: true,
  isLong: true,
  run: (place, signal) =>
    askAndPause(place, signal, limits.silentConnectionMs + slackMs + 5_000, true),
}

async function askAndPause(
  place: Parameters<Attack['run']>[0],
  signal: AbortSignal,
  forMs: number,
  mustClose: boolean,
): Promise<readonly string[]> {
  const question = 'GET /api/models/kept-1/forecast/10000?level=50,80,90,95 HTTP/1.1'
  const sockets = times(50, () => {
    const socket = openSocket(place, signal)
    socket.pause()
    socket.write(`${question}\r\nHost: localhost\r\n\r\n`.repeat(60))
    return socket
  })
  await new Promise((resolve) => setTimeout(resolve, forMs))
  // A paused socket does not notice that it was closed; one that writes does.
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 500))
  const open = sockets.filter((socket) => !socket.destroyed).length
  for (const socket of sockets) socket.destroy()
  return mustClose && open > 0 ? [`${open} connections that read nothing stay open`] : []
}

/** A request and then nothing, as of a client that keeps its connection for later. */
export const keptForNothing: Attack = {
  name: 'kept for nothing',
  isSlow: true,
  isLong: true,
  run: async (place, signal) => {
    const boundMs = limits.keepAliveMs + limits.connectionsCheckMs + slackMs
    const all = times(500, () => {
      const socket = openSocket(place, signal)
      socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
      return listen(socket, boundMs)
    })
    const open = (await Promise.all(all)).filter(({ closedMs }) => closedMs === null).length
    return open > 0 ? [`${open} idle connections stay open beyond ${boundMs} ms`] : []
  },
}

export const fitHead =
  'POST /api/models/m1/fit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

function faultsOfSlow(
  all: readonly { readonly text: string; readonly closedMs: number | null }[],
  boundMs: number,
): readonly string[] {
  const open = all.filter(({ closedMs }) => closedMs === null).length
  const odd = all.find(({ text }) => text !== '' && statusesIn(text)[0] !== 408)
  return [
    ...(open > 0 ? [`${open} of ${all.length} connections are open after ${boundMs} ms`] : []),
    ...(odd ? [`a slow client is told ${odd.text.slice(0, 100)}`] : []),
  ]
}
