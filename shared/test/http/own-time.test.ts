import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { createLogger, createRegistry, createServer } from '../../src/index.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

/** Requests may take 0.4 s here; late ones are looked for every second. */
async function open() {
  const server = createServer({
    logger: createLogger({ process: 'test', level: 'silent' }),
    registry: createRegistry('broker'),
    bodyBytesMax: 100,
    readiness: () => ({ ready: true }),
  })
  server.addContentTypeParser('*', (_request, body, done) => done(null, body))
  const handler = async ({ body }: { body: unknown }) => {
    let bytes = 0
    for await (const piece of body as AsyncIterable<Buffer>) bytes += piece.byteLength
    return { bytes }
  }
  server.put('/streamed', { config: { streamsBody: true } }, handler)
  server.put('/plain', handler)
  server.server.requestTimeout = 400
  server.server.headersTimeout = 400
  await server.listen({ host: '127.0.0.1', port: 0 })
  toClose.push(() => {
    server.server.closeAllConnections()
    return server.close()
  })
  return (server.server.address() as AddressInfo).port
}

async function sendSlowly(port: number, path: string): Promise<number> {
  const headers = { 'content-type': 'text/csv' }
  const sent = request({ host: '127.0.0.1', port, path, method: 'PUT', headers })
  sent.on('error', () => {})
  const answer = once(sent, 'response', { signal: AbortSignal.timeout(10_000) })
  for (let i = 0; i < 26; i += 1) {
    sent.write('x'.repeat(10))
    await delay(100)
  }
  sent.end()
  const [{ statusCode }] = await answer
  return statusCode
}

test('a body that a route streams may take its time; others may not', async () => {
  const port = await open()
  const sent = ['/streamed', '/plain'].map((path) => sendSlowly(port, path))
  expect(await Promise.all(sent)).toEqual([200, 408])
})

test('a request after it, on the same connection, is bounded as any other', async () => {
  const port = await open()
  const head = (path: string, length: number) =>
    `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: ${length}\r\n\r\n`
  const socket = connect(port, '127.0.0.1')
  toClose.push(() => socket.destroy())
  let text = ''
  socket.on('data', (data) => {
    text += data
  })
  socket.write(`${head('/streamed', 2)}x`)
  await delay(2_500)
  socket.write(`x${head('/plain', 2)}x`)
  await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 408'])
})
