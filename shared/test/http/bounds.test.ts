import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger, createRegistry, createServer, limits } from '../../src/index.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

async function open(bodyBytesMax = 100): Promise<number> {
  const server = createServer({
    logger: createLogger({ process: 'test', level: 'silent' }),
    registry: createRegistry('broker'),
    bodyBytesMax,
    readiness: () => ({ ready: true }),
  })
  server.post('/things', { schema: { body: { type: 'object' } } }, async (request) => request.body)
  server.get('/things/:name', async (request) => request.params)
  await server.listen({ host: '127.0.0.1', port: 0 })
  toClose.push(() => {
    server.server.closeAllConnections()
    return server.close()
  })
  return (server.server.address() as AddressInfo).port
}

/** Sends bytes as they are; resolves with all that comes until the server closes or `enough`. */
async function exchange(port: number, bytes: string, enough: RegExp = /\}$/): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  toClose.push(() => socket.destroy())
  socket.on('error', () => {})
  let text = ''
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      text += chunk
      if (enough.test(text)) resolve()
    })
    socket.on('close', () => resolve())
  })
  await once(socket, 'connect')
  socket.write(bytes)
  await done
  return text
}

const host = 'Host: localhost\r\n'

describe('what is no request that we take', () => {
  test.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400, 'not-http'],
    ['a header without a colon', `GET / HTTP/1.1\r\n${host}nonsense\r\n\r\n`, 400, 'not-http'],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'host'],
    ['a method that nobody knows', `FROB / HTTP/1.1\r\n${host}\r\n`, 400, 'not-http'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'not-http'],
    ['a tunnel', `CONNECT localhost:1 HTTP/1.1\r\n${host}\r\n`, 405, 'method'],
    ['a miracle', `GET / HTTP/1.1\r\n${host}Expect: a miracle\r\n\r\n`, 417, 'expectation'],
    ['a path that is badly encoded', `GET /%zz HTTP/1.1\r\n${host}\r\n`, 400, 'path'],
    [
      'a type of a body, and no body',
      `POST /things HTTP/1.1\r\n${host}Content-Type: application/json\r\n\r\n`,
      400,
      'no-body',
    ],
    [
      'a path that is too long',
      `GET /things/${'a'.repeat(limits.pathPartCharactersMax + 1)} HTTP/1.1\r\n${host}\r\n`,
      414,
      'path',
    ],
    [
      'too many headers',
      `GET /healthz HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(limits.headersMax)}\r\n`,
      431,
      'headers-too-large',
    ],
    [
      'a header that is too large',
      `GET /healthz HTTP/1.1\r\n${host}a: ${'b'.repeat(limits.headersBytesMax)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    [
      'a body that is shorter and longer than it says',
      `POST /things HTTP/1.1\r\n${host}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
      400,
      'not-http',
    ],
    [
      'a body with a length and chunks',
      `POST /things HTTP/1.1\r\n${host}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'not-http',
    ],
  ])('%s is refused with a problem document', async (_what, bytes, status, code) => {
    const text = await exchange(await open(), bytes)
    const [head = '', body = ''] = text.split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(head.toLowerCase()).toContain('content-type: application/problem+json')
    const problem = JSON.parse(body)
    expect(problem).toMatchObject({ status, type: `urn:almanac:problem:${code}` })
    expect(head).toContain(`x-request-id: ${problem.requestId}`)
  })

  test('another method of a path that exists is a 405 that names the methods', async () => {
    const text = await exchange(await open(), `DELETE /things/a HTTP/1.1\r\n${host}\r\n`)
    expect(text).toMatch(/^HTTP\/1\.1 405 /)
    expect(text).toContain('allow: GET, HEAD\r\n')
  })

  test('a path that does not exist is refused before its body arrives', async () => {
    const head = `POST /nowhere HTTP/1.1\r\n${host}Content-Type: text/csv\r\nContent-Length: 99\r\n\r\n`
    expect(await exchange(await open(), head)).toMatch(/^HTTP\/1\.1 404 /)
  })
})

describe('a body that is too large', () => {
  const head = `POST /things HTTP/1.1\r\n${host}Content-Type: application/json\r\n`

  test('is refused before it is sent, where the client asks', async () => {
    const port = await open()
    const ask = (length: number) =>
      exchange(port, `${head}Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`, /\r\n\r\n/)
    expect(await ask(1_000)).toMatch(/^HTTP\/1\.1 413 /)
    expect(await ask(10)).toMatch(/^HTTP\/1\.1 100 /)
  })

  test('is refused by its length, without waiting for it', async () => {
    const text = await exchange(await open(), `${head}Content-Length: 1000000000\r\n\r\n{`)
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(text.toLowerCase()).toContain('connection: close')
  })

  test.each([
    ['a length', 'Content-Length: 10000000'],
    ['chunks', 'Transfer-Encoding: chunked'],
  ])('with %s is not read where nothing is, and the connection is closed', async (_, framing) => {
    const bytes = `POST /nowhere HTTP/1.1\r\n${host}${framing}\r\n\r\n`
    const text = await exchange(await open(), bytes, /never/)
    expect(text).toMatch(/^HTTP\/1\.1 404 /)
  })

  test('is refused when its chunks exceed the limit, without waiting for their end', async () => {
    const chunk = `50\r\n${' '.repeat(0x50)}\r\n`
    const text = await exchange(
      await open(),
      `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(2)}`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
  })
})
