import { once } from 'node:events'
import { Agent, type ClientRequest, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { boundArrivingBodies } from '../../src/http/arriving-bodies.ts'
import { Refused } from '../../src/index.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

async function open(bytesMax: number) {
  const server = Fastify({ forceCloseConnections: true })
  boundArrivingBodies(server, bytesMax)
  server.setErrorHandler((error, _request, reply) => {
    const { statusCode = 500 } = error as { statusCode?: number }
    return reply.code(error instanceof Refused ? error.status : statusCode).send({})
  })
  server.post('/things', async (asked) => ({ bytes: JSON.stringify(asked.body).length }))
  await server.listen({ host: '127.0.0.1', port: 0 })
  toClose.push(() => server.close())
  const { port } = server.server.address() as AddressInfo
  return (headers: Record<string, string> = {}, agent?: Agent): ClientRequest => {
    const sent = request({
      agent,
      host: '127.0.0.1',
      port,
      path: '/things',
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
    })
    // A client that is refused may not be able to send the rest.
    sent.on('error', () => {})
    toClose.push(() => sent.destroy())
    return sent
  }
}

async function answerTo(sent: ClientRequest): Promise<number> {
  const [answer] = await once(sent, 'response', { signal: AbortSignal.timeout(5_000) })
  answer.resume()
  return answer.statusCode
}

const text = (length: number) => `"${'x'.repeat(length - 2)}"`

test('when bodies are too many together, the largest is refused and the others arrive', async () => {
  const send = await open(100_000)
  const large = send()
  const refused = answerTo(large)
  large.write(text(70_000).slice(0, 60_000))
  const second = send()
  const accepted = answerTo(second)
  second.write(text(50_000).slice(0, 45_000))
  expect(await refused).toBe(429)
  second.end(text(50_000).slice(45_000))
  const small = send()
  small.end(text(10))
  expect([await accepted, await answerTo(small)]).toEqual([200, 200])
})

test('what has arrived, or is given up, leaves its room to others', async () => {
  const send = await open(100_000)
  for (let i = 0; i < 5; i++) {
    const whole = send()
    whole.end(text(90_000))
    expect(await answerTo(whole)).toBe(200)
    const left = send()
    left.write(text(90_000).slice(0, 80_000))
    await new Promise((resolve) => setTimeout(resolve, 20))
    left.destroy()
  }
})

test('a body that nobody reads does not keep its connection from the next request', async () => {
  const send = await open(1_000_000)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  toClose.push(() => agent.destroy())
  const csv = send({ 'content-type': 'text/csv' }, agent)
  csv.end(text(500_000))
  expect(await answerTo(csv)).toBe(415)
  const next = send({}, agent)
  next.end(text(10))
  expect(await answerTo(next)).toBe(200)
})

test.each(['gzip', 'br', 'identity, gzip', 'x'])(
  'a body coded as %s is refused',
  async (coding) => {
    const send = await open(1_000)
    const packed = send({ 'content-encoding': coding })
    packed.end('x')
    expect(await answerTo(packed)).toBe(415)
  },
)
