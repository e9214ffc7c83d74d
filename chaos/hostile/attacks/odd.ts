import {
  type Attack,
  type Conversation,
  listen,
  openSocket,
  type Place,
  quickMs,
  say,
  statusesIn,
  times,
} from './attack.ts'

const host = 'Host: localhost\r\n'
const smuggled = `GET /api/smuggled HTTP/1.1\r\n${host}\r\n`
const post = `POST /api/models/m1/rollback HTTP/1.1\r\n${host}Content-Type: application/json\r\n`

/** Heads that a proxy and a server might take for different requests. */
const ambiguous: readonly string[] = [
  `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}${smuggled}`,
  `${post}Content-Length: 2, 40\r\n\r\n{}${smuggled}`,
  `${post}Content-Length: +2\r\n\r\n{}${smuggled}`,
  `${post}Content-Length: 0x2\r\n\r\n{}${smuggled}`,
  `${post}Content-Length: -1\r\n\r\n{}${smuggled}`,
  `${post}Content-Length: 99999999999999999999999\r\n\r\n{}${smuggled}`,
  `${post}Content-Length : 2\r\n\r\n{}${smuggled}`,
  `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding:\r\n chunked\r\nContent-Length: 2\r\n\r\n{}${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n2 \r\n{}\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n${smuggled}`,
  `GET /api/models HTTP/1.1\r\n${host}X: a\nTransfer-Encoding: chunked\r\n\r\n${smuggled}`,
  `GET /api/models HTTP/1.1\r\n${host}X: a\r\n folded: b\r\n\r\n${smuggled}`,
  `GET /api/models HTTP/1.1\r\n${host}X: a\rY: b\r\n\r\n${smuggled}`,
  `GET /api/models HTTP/1.1\r\n${host}X: a\0b\r\n\r\n${smuggled}`,
  `GET /api/models HTTP/1.1\n${host.replace('\r', '')}\n${smuggled}`,
  `GET /api/models HTTP/1.1 x\r\n${host}\r\n${smuggled}`,
  `GET /api/models HTTP/9.9\r\n${host}\r\n${smuggled}`,
  `GET /api/models\r\n\r\n${smuggled}`,
  `\0GET /api/models HTTP/1.1\r\n${host}\r\n${smuggled}`,
]

/** What is ambiguous is refused, and nothing after it is taken for a request. */
export const smuggling: Attack = {
  name: 'smuggling',
  run: async (place, signal) => {
    const all = ambiguous.map(async (bytes) => {
      const { text, closedMs } = await say(place, signal, bytes, quickMs)
      const statuses = statusesIn(text)
      const shown = JSON.stringify(bytes.slice(0, bytes.length - smuggled.length).slice(-70))
      if (closedMs === null) return [`${shown} leaves the connection open: ${statuses}`]
      const isRefused = statuses.length === 1 && statuses[0]! >= 400
      return isRefused ? [] : [`${shown} is answered ${statuses.join(' and ')}`]
    })
    return (await Promise.all(all)).flat()
  },
}

const pipelined = 5_000

/** Answers come in the order of the requests, each once. */
export const pipelining: Attack = {
  name: 'pipelining',
  run: async (place, signal) => {
    const requests = times(pipelined, (i) => {
      const path = i % 3 === 0 ? '/api/models/kept-1/forecast/7' : '/healthz'
      const last = i === pipelined - 1 ? 'Connection: close\r\n' : ''
      return `GET ${path} HTTP/1.1\r\n${host}x-request-id: n-${i}\r\n${last}\r\n`
    })
    const { text, closedMs } = await say(place, signal, requests.join(''), 20_000)
    if (closedMs === null) return ['pipelined requests are not answered in 20 s']
    const ids = [...text.matchAll(/x-request-id: n-(\d+)/gi)].map(([, id]) => Number(id))
    const isInOrder = ids.every((id, i) => id === i)
    return ids.length === pipelined && isInOrder
      ? []
      : [`of ${pipelined} pipelined requests ${ids.length} are answered, in order: ${isInOrder}`]
  },
}

/** Who ends its side has left, as for most servers: it is answered or let go, at once. */
export const halfClosed: Attack = {
  name: 'half-closed',
  run: async (place, signal) => {
    const finish = (bytes: string): Promise<Conversation> => {
      const socket = openSocket(place, signal)
      socket.end(bytes)
      return listen(socket, quickMs)
    }
    const question = `GET /api/models/kept-1/forecast/500 HTTP/1.1\r\n${host}\r\n`
    const asked = await Promise.all(times(100, () => finish(question)))
    const silent = await Promise.all(times(100, () => finish('')))
    const cut = await Promise.all(times(100, () => finish('GET /api/mod')))
    const odd = asked.filter(({ text }) => text !== '' && statusesIn(text)[0] !== 200).length
    const open = [...asked, ...silent, ...cut].filter(({ closedMs }) => closedMs === null).length
    return [
      ...(odd > 0 ? [`${odd} of 100 half-closed clients get another answer`] : []),
      ...(open > 0 ? [`${open} half-closed connections stay open`] : []),
    ]
  },
}

/** Leaves with a reset at every stage of a request. */
export const resets: Attack = {
  name: 'resets',
  run: async (place, signal) => {
    const whole = `${post}Content-Length: 20\r\n\r\n{"version": 1}      `
    for (let i = 0; i < 500 && !signal.aborted; i++) {
      const socket = openSocket(place, signal)
      const bytes = i % 2 === 0 ? whole : `GET /api/models/m3/forecast/9 HTTP/1.1\r\n${host}\r\n`
      socket.write(bytes.slice(0, 1 + (i % bytes.length)))
      setTimeout(() => socket.resetAndDestroy(), i % 20)
      if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return []
  },
}

const upgrades: readonly string[] = [
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
  'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n',
]

/** Another protocol is not spoken: the request is answered as it stands, or refused. */
export const otherProtocols: Attack = {
  name: 'other protocols',
  run: async (place, signal) => {
    const asked = upgrades.map(async (headers) => {
      const bytes = `GET /healthz HTTP/1.1\r\n${host}${headers}\r\n`
      const { text } = await say(place, signal, bytes, 1_500)
      const statuses = statusesIn(text)
      return statuses[0] === 200 || statuses[0] === 400
        ? []
        : [`${headers.slice(0, 40)} is answered ${statuses}`]
    })
    const refused = otherHellos.map((bytes) => faultOfHello(place, signal, bytes))
    return (await Promise.all([...asked, ...refused])).flat()
  },
}

const otherHellos = [
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0', 'latin1'),
  // The beginning of a TLS handshake.
  Buffer.from('160301020001000200030340', 'hex'),
  Buffer.from('SSH-2.0-OpenSSH_9.0\r\n'),
  Buffer.from('\u0005\u0001\0', 'latin1'),
  Buffer.alloc(1_000, 0xff),
]

async function faultOfHello(place: Place, signal: AbortSignal, bytes: Buffer) {
  const { text, closedMs } = await say(place, signal, bytes, quickMs)
  const [status] = statusesIn(text)
  const shown = JSON.stringify(bytes.toString('latin1').slice(0, 20))
  if (closedMs === null) return [`${shown} keeps the connection open`]
  return status === undefined || status === 400 ? [] : [`${shown} is answered ${status}`]
}
