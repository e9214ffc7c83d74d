import { gzipSync } from 'node:zlib'
import { deepArray, deepObject } from '../hostile-values.ts'
import {
  type Attack,
  listen,
  openSocket,
  type Place,
  quickMs,
  say,
  statusesIn,
  times,
} from './attack.ts'
import { fitHead } from './slow.ts'

const gigabyte = 1_000_000_000

/** Sends a gigabyte as fast as it is taken. */
export const hugeBodies: Attack = {
  name: 'bodies of a gigabyte',
  run: async (place, signal) => {
    const kinds = [
      { head: `${fitHead}Content-Length: ${gigabyte}\r\n\r\n`, piece: ' '.repeat(65_536) },
      { head: `${fitHead}Transfer-Encoding: chunked\r\n\r\n`, piece: chunkOf(65_536) },
      { head: `${toNowhere}Content-Length: ${gigabyte}\r\n\r\n`, piece: ' '.repeat(65_536) },
    ]
    const all = kinds.flatMap((kind) => times(8, () => pour(place, signal, kind)))
    const faults = (await Promise.all(all)).flatMap(({ text, closedMs, sentBytes }) => {
      const [status] = statusesIn(text)
      const told = status === undefined ? [] : [status]
      return [
        ...(closedMs === null ? ['is still read after 10 s'] : []),
        ...(sentBytes > 200_000_000 ? [`was taken up to ${sentBytes} bytes`] : []),
        ...(told.some((one) => ![404, 413, 429].includes(one)) ? [`is answered ${status}`] : []),
      ]
    })
    return [...new Set(faults)].map((fault) => `a body of a gigabyte ${fault}`)
  },
}

const toNowhere = 'POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

const chunkOf = (bytes: number) => `${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`

function pour(place: Place, signal: AbortSignal, { head, piece }: { head: string; piece: string }) {
  const socket = openSocket(place, signal)
  socket.write(head)
  const bytes = Buffer.from(piece)
  const more = () => {
    while (socket.writable && socket.bytesWritten < gigabyte && socket.write(bytes)) {
      // Until the system takes no more.
    }
  }
  socket.on('connect', more)
  socket.on('drain', more)
  return listen(socket, 10_000)
}

/** Who reads while it writes sees the reason, too. */
export const toldWhy: Attack = {
  name: 'told why',
  run: async (place, signal) => {
    const asked = `${fitHead}Expect: 100-continue\r\nContent-Length: ${gigabyte}\r\n\r\n`
    const { text } = await say(place, signal, asked, quickMs)
    const [first] = statusesIn(text)
    return first === 413 ? [] : [`who asks first is told ${first}, not 413`]
  },
}

export const deepJson: Attack = {
  name: 'deep JSON',
  run: async (place, signal) => {
    const depth = 100_000
    const bodies = [
      deepArray(depth),
      deepObject(depth),
      `{"data":${deepArray(depth)}}`,
      `{"data":[1,2,3],"spec":${deepObject(depth)}}`,
      `{"data":[1,2,3],"data":${'['.repeat(depth)}`,
      `{"__proto__":{"data":[1,2,3]},"data":[1]}`,
      `{"data":[1,2,3],"spec":{"constructor":{"prototype":{"x":1}}}}`,
    ]
    const paths = ['/api/models/m1/fit', '/api/models/m1/rollback']
    const all = paths.flatMap((path) =>
      bodies.map(async (body) => {
        const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`
        const type = 'Content-Type: application/json\r\nPrefer: respond-async\r\n'
        const bytes = `${head}${type}Content-Length: ${body.length}\r\n\r\n${body}`
        const { text, closedMs } = await say(place, signal, bytes, 20_000)
        const [status] = statusesIn(text)
        const isRefused =
          closedMs !== null && status !== undefined && [400, 422, 429].includes(status)
        return isRefused ? [] : [`${path} with ${body.slice(0, 40)} is answered ${status}`]
      }),
    )
    return (await Promise.all(all)).flat()
  },
}

/** Nothing is inflated, so there is nothing to bomb. */
export const gzipBomb: Attack = {
  name: 'gzip bomb',
  run: async (place, signal) => {
    const body = gzipSync(Buffer.alloc(16_000_000, '1,'))
    const head = Buffer.from(
      `${fitHead}Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: ${body.byteLength}\r\n\r\n`,
    )
    const { text } = await say(place, signal, Buffer.concat([head, body]), quickMs)
    const [status] = statusesIn(text)
    return status === 415 ? [] : [`a gzip bomb is answered ${status}, not 415`]
  },
}

export const headerBombs: Attack = {
  name: 'header bombs',
  run: async (place, signal) => {
    const bombs = [
      'a: b\r\n'.repeat(2_000),
      ':\r\n'.repeat(5),
      `a: ${'b'.repeat(1_000_000)}\r\n`,
      `${'a'.repeat(100_000)}: b\r\n`,
      `Cookie: ${'a=b; '.repeat(10_000)}\r\n`,
      times(3_000, (i) => `x-${i}: ${i}\r\n`).join(''),
    ]
    const all = bombs.map(async (bomb) => {
      const bytes = `GET /api/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${bomb}\r\n`
      const { text, closedMs } = await say(place, signal, bytes, quickMs)
      const [status] = statusesIn(text)
      const isRefused = status === 431 || status === 400 || (status === undefined && closedMs)
      return isRefused ? [] : [`headers ${bomb.slice(0, 20)}… are answered ${status}`]
    })
    const url = `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`
    const [status] = statusesIn((await say(place, signal, url, quickMs)).text)
    const ofUrl = status === 431 || status === 414 ? [] : [`a long URL is answered ${status}`]
    return [...(await Promise.all(all)).flat(), ...ofUrl]
  },
}
