import { afterEach, describe, expect, test } from 'vitest'
import {
  createLogger,
  createRegistry,
  createServer,
  namePattern,
  Refused,
  type ServerOptions,
} from '../../src/index.ts'

type Server = ReturnType<typeof createServer>
let server: Server
afterEach(() => server.close())

function open(options: Partial<ServerOptions> = {}): Server {
  server = createServer({
    logger: createLogger({ process: 'test', level: 'silent' }),
    registry: createRegistry('broker'),
    bodyBytesMax: 100,
    readiness: () => ({ ready: true }),
    ...options,
  })
  const body = {
    type: 'object',
    additionalProperties: false,
    properties: { n: { type: 'number', default: 1 } },
  }
  server.post('/things', { schema: { body } }, async (request) => request.body)
  const named = { type: 'object', required: ['name'] }
  server.post('/named', { schema: { body: named } }, async (request) => request.body)
  server.post('/order', async (request) => ({ body: request.body ?? null }))
  server.register(async (rows) => {
    rows.removeAllContentTypeParsers()
    for (const type of ['text/csv', 'multipart/form-data'])
      rows.addContentTypeParser(type, (_request, body, done) => done(null, body))
    rows.post('/rows', async () => '')
  })
  server.get('/bug', async () => {
    throw new Error('a secret detail')
  })
  server.get('/refused', async () => {
    throw new Refused(429, 'full', 'Too much.', { field: 'f', remedy: 'r', retryAfterSeconds: 7 })
  })
  return server
}

const post = (payload: string, type = 'application/json') =>
  server.inject({ method: 'POST', url: '/things', payload, headers: { 'content-type': type } })

describe('what brokers and nodes have in common', () => {
  test.each([
    ['{"n":', 'application/json', 400, 'not-json'],
    ['', 'application/json', 400, 'no-body'],
    ['{"n":"1"}', 'application/json', 400, 'invalid'],
    ['{"m":1}', 'application/json', 400, 'invalid'],
    ['n=1', 'application/x-www-form-urlencoded', 415, 'content-type'],
    ['{"n":1}', 'text/plain', 415, 'content-type'],
    [`{"n":${'1'.repeat(200)}}`, 'application/json', 413, 'body-too-large'],
    ['{"__proto__":{"n":1}}', 'application/json', 400, 'not-json'],
  ])('the body %j as %s is refused with %i %s', async (payload, type, status, code) => {
    open()
    const answer = await post(payload, type)
    expect(answer.statusCode, answer.body).toBe(status)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json()).toMatchObject({ status, type: `urn:almanac:problem:${code}` })
  })

  test('a route that takes no body is content with none, whatever its type is said to be', async () => {
    open()
    const order = (payload: string) => {
      const headers = { 'content-type': 'application/json' }
      return server.inject({ method: 'POST', url: '/order', payload, headers })
    }
    expect((await order('')).json()).toEqual({ body: null })
    expect((await order('{}')).statusCode).toBe(200)
    expect((await order('{')).statusCode).toBe(400)
  })

  test('a body of another type is told what the route takes', async () => {
    open()
    const remedy = 'Send it with the header content-type: application/json.'
    expect((await post('a', 'text/plain')).json()).toMatchObject({ remedy })
    const csv = await server.inject({
      ...{ method: 'POST', url: '/rows', payload: 'a' },
      headers: { 'content-type': 'text/plain' },
    })
    expect(csv.json()).toMatchObject({
      detail: 'The body must be CSV or a form with a file.',
      remedy: 'Send it with the header content-type: text/csv or multipart/form-data.',
    })
  })

  test('a body that is too large is told how much there may be, and what to do', async () => {
    open()
    const { detail, remedy } = (await post(`{"n":${'1'.repeat(200)}}`)).json()
    expect(detail).toBe('The body has more than 100 bytes.')
    expect(remedy).toContain('PUT /api/files/{name}')
  })

  test('a field that is missing is named', async () => {
    open()
    const answer = await server.inject({ method: 'POST', url: '/named', payload: {} })
    expect(answer.json()).toMatchObject({ field: '/name', detail: '/name is missing.' })
  })

  test('a field that is not known is named', async () => {
    open()
    expect((await post('{"m":1}')).json()).toMatchObject({ field: '/m' })
  })

  test('a name that is none is told the rule of names, not its pattern', async () => {
    const params = {
      type: 'object',
      properties: { model: { type: 'string', pattern: namePattern } },
    }
    open().get('/models/:model', { schema: { params } }, async () => ({}))
    const answer = (await server.inject('/models/Sales')).json()
    expect(answer).toMatchObject({
      status: 400,
      field: '/model',
      detail: '/model has to be a name.',
    })
    expect(answer.remedy).toContain('small letters')
  })

  test('a refusal says all that it knows', async () => {
    open()
    const answer = await server.inject('/refused')
    expect(answer.headers['retry-after']).toBe('7')
    expect(answer.json()).toMatchObject({
      status: 429,
      field: 'f',
      remedy: 'r',
      detail: 'Too much.',
    })
  })

  test('a bug is a 500 that tells nothing of its inside', async () => {
    open()
    const answer = await server.inject('/bug')
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('secret')
  })

  test('an unknown route is a problem document', async () => {
    open()
    const answer = await server.inject('/nowhere?token=x')
    expect(answer.json()).toMatchObject({ status: 404, detail: 'There is no GET /nowhere.' })
  })

  test('a plain request id is kept and any other is replaced', async () => {
    open()
    const ask = async (id: string) =>
      (await server.inject({ url: '/healthz', headers: { 'x-request-id': id } })).headers[
        'x-request-id'
      ]
    expect(await ask('mine-1')).toBe('mine-1')
    expect(await ask('a b')).toMatch(/^[0-9a-f-]{36}$/)
    expect(await ask('x'.repeat(101))).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('readiness is told with its reason, health regardless of it', async () => {
    open({ readiness: () => ({ ready: false, reason: 'It is early.' }) })
    const ready = await server.inject('/readyz')
    expect(ready.statusCode).toBe(503)
    expect(ready.json()).toMatchObject({ detail: 'It is early.' })
    expect((await server.inject('/healthz')).statusCode).toBe(200)
  })

  test('requests are counted by route and status, never by path', async () => {
    open()
    await server.inject('/nowhere-1')
    await server.inject('/refused')
    const { body } = await server.inject('/metrics')
    expect(body).toMatch(/almanac_http_request_seconds_count\{[^}]*route="\/refused",status="429"/)
    expect(body).toContain('route="none"')
    expect(body).not.toContain('nowhere-1')
  })
})
