import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Connection } from '../../bench/serving/load/connection.ts'

/** What the server writes for each request, with a pause between the parts. */
let script: (socket: Socket) => Promise<void> | void = () => {}
let opened = 0
const sockets = new Set<Socket>()
const server = createServer((socket) => {
  opened++
  sockets.add(socket)
  socket.on('data', () => void script(socket)).on('error', () => {})
})

beforeEach(async () => {
  opened = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  server.close()
  await once(server, 'close')
})

const connection = () =>
  new Connection({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
const ask = (to: Connection) =>
  new Promise<number>((done) => to.send('GET / HTTP/1.1\r\nhost: x\r\n\r\n', done))

async function inParts(socket: Socket, text: string, size: number): Promise<void> {
  for (let at = 0; at < text.length; at += size) {
    socket.write(text.slice(at, at + size))
    await new Promise((done) => setImmediate(done))
  }
}

describe('an answer ends', () => {
  const counted = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef'
  const chunked = 'HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\r\n\r\n0\r\n\r\n'
  test.each([
    ['after its length', counted, 200],
    ['with its last chunk', chunked, 422],
    ['at once, without a body', 'HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n', 503],
  ])('%s, however it comes, and the next one comes on the same connection', async (_, text, is) => {
    const to = connection()
    for (const size of [1_000, 7, 3, 1]) {
      script = (socket) => inParts(socket, text, size)
      expect(await ask(to)).toBe(is)
    }
    expect(opened).toBe(1)
  })

  test.each([
    ['by its version', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab'],
    ['by its head', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab'],
    ['without a length', 'HTTP/1.0 200 OK\r\n\r\nab'],
  ])('with its connection, %s, and the next one has a new one', async (_, text) => {
    const to = connection()
    script = (socket) => void socket.end(text)
    expect([await ask(to), await ask(to)]).toEqual([200, 200])
    expect(opened).toBe(2)
  })
})

describe('there is no answer', () => {
  test.each([
    ['to a request whose connection breaks', ''],
    ['when it breaks off in the head', 'HTTP/1.1 200 OK\r\nConte'],
    ['when it breaks off in the body', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc'],
    ['in other words', 'SSH-2.0\r\n\r\n'],
    ['in more than it says', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc'],
    ['in a head without end', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(5_000)}`],
  ])('%s; the next one has a new connection', async (_, text) => {
    const to = connection()
    script = (socket) => void socket.end(text)
    expect(await ask(to)).toBe(0)
    script = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    expect(await ask(to)).toBe(200)
    expect(opened).toBe(2)
  })

  test('where nobody listens', async () => {
    const to = new Connection({ host: '127.0.0.1', port: 1 })
    expect([await ask(to), await ask(to)]).toEqual([0, 0])
  })
})
