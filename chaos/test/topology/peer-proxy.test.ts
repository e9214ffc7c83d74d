import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { peerProxy } from '../../topology/peers/proxy.ts'

const host = 'etcd-2.invalid:2380'
let member: Server
let proxy: Server
let answer: (request: IncomingMessage, response: ServerResponse) => void

const portOf = (server: Server) => (server.address() as AddressInfo).port
const listening = async (server: Server) => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

beforeEach(async () => {
  member = await listening(createServer((asked, said) => answer(asked, said)))
  proxy = await listening(peerProxy({ [host]: portOf(member) }))
})
afterEach(() => {
  for (const server of [member, proxy]) {
    server.closeAllConnections()
    server.close()
  }
})

/** As etcd asks a proxy: with the whole address. */
async function ask(options: { to?: string; method?: string; body?: string } = {}) {
  const { to = host, method = 'GET', body } = options
  const path = `http://${to}/raft/stream?x=1`
  const sent = request({ host: '127.0.0.1', port: portOf(proxy), method, path }).end(body)
  const [received] = (await once(sent, 'response')) as [IncomingMessage]
  return { sent, received }
}

test('a request goes to whom it names, and its body and the answer pass', async () => {
  answer = async (asked, said) => {
    said.end(`${asked.method} ${asked.url} ${await asked.toArray()}`)
  }
  const { received } = await ask({ method: 'POST', body: 'entries' })
  expect(String(await received.toArray())).toBe('POST /raft/stream?x=1 entries')
})

test('a stream is open before anything is said in it, and ends with whoever leaves', async () => {
  let stream: ServerResponse | undefined
  answer = (_, said) => {
    stream = said
    said.flushHeaders()
  }
  const { sent, received } = await ask()
  stream?.write('news')
  expect(String((await once(received, 'data'))[0])).toBe('news')
  const left = once(stream as ServerResponse, 'close')
  sent.destroy()
  received.on('error', () => {})
  await left
})

test('an answer that breaks off is broken off', async () => {
  answer = (_, said) => {
    said.write('half')
    setTimeout(() => said.destroy(), 20)
  }
  const { received } = await ask()
  await expect(received.toArray()).rejects.toThrow('aborted')
})

test('where nobody listens the connection is closed, and elsewhere there is no way', async () => {
  member.close()
  await once(member, 'close')
  await expect(ask()).rejects.toThrow('socket hang up')
  const { received } = await ask({ to: 'elsewhere.invalid:1' })
  expect(received.statusCode).toBe(404)
})
