import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import Fastify from 'fastify'
import { type Dispatcher, Pool } from 'undici'

/**
 * The least that a front written for Node can do, as a process of its own: a file from memory, or
 * every request handed to one upstream, with nothing checked, chosen, counted or tried again.
 */
const [kind = '', port = '', given = '{}'] = process.argv.slice(2)
const { file, upstream, path, headers } = JSON.parse(given) as {
  file: string
  upstream: string
  path: string
  headers: Record<string, string>
}

const type = 'application/json; charset=utf-8'
const body = readFileSync(file)
const pool = new Pool(`http://${upstream}`, { connections: 32, pipelining: 1 })

function send(response: ServerResponse): void {
  response.writeHead(200, ['content-type', type, 'content-length', String(body.byteLength)])
  response.end(body)
}

function dispatch(response: ServerResponse): void {
  pool.dispatch({ method: 'GET', path, headers }, new Collect(response))
}

/** Keeps the chunks of one answer and sends them with one write. */
class Collect implements Dispatcher.DispatchHandler {
  readonly response: ServerResponse
  readonly chunks: Buffer[] = []
  status = 0
  constructor(response: ServerResponse) {
    this.response = response
  }
  onRequestStart(): void {}
  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.status = status
  }
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk)
  }
  onResponseEnd(): void {
    const [only] = this.chunks
    const whole = this.chunks.length === 1 && only ? only : Buffer.concat(this.chunks)
    const list = ['content-type', type, 'content-length', String(whole.byteLength)]
    this.response.writeHead(this.status, list)
    this.response.end(whole)
  }
  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.response.destroy(error)
  }
}

async function withFastify(answer: (response: ServerResponse) => void): Promise<void> {
  const server = Fastify({ keepAliveTimeout: 75_000 })
  server.get('/api/forecast/:horizon', (_request, reply) => {
    reply.hijack()
    answer(reply.raw)
  })
  await server.listen({ port: Number(port), host: '127.0.0.1' })
}

const listening: Readonly<Record<string, () => unknown>> = {
  'bare, kept': () => createServer((_, r) => send(r)).listen(Number(port), '127.0.0.1'),
  'bare, forwarding': () => createServer((_, r) => dispatch(r)).listen(Number(port), '127.0.0.1'),
  'fastify, kept': () => withFastify(send),
  'fastify, forwarding': () => withFastify(dispatch),
}
const listen = listening[kind]
if (listen === undefined) throw new Error(`there are ${Object.keys(listening).join('; ')}`)
await listen()
