import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Asked } from '../../history/entry.ts'
import { createRecorder } from '../../history/recorder.ts'
import { createClient } from '../../traffic/client.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
})

async function broker(name: string, listener: RequestListener) {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { name, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

const answers: RequestListener = (_request, response) => {
  response.writeHead(200, { 'x-model-version': '7' })
  response.end('{"data":[1,2],"intervals":[]}')
}

const forecast: Asked = {
  kind: 'forecast',
  model: 'm',
  horizon: 2,
  level: '80',
  version: 7,
  atLeast: null,
}

test('an answer is recorded with its version and digests, never with its body', async () => {
  let asked = ''
  const only = await broker('broker-1', (request, response) => {
    asked = request.url ?? ''
    answers(request, response)
  })
  const client = createClient({ name: 'c', brokers: [only], home: 0, recorder: createRecorder() })
  const { outcome, sentMs, doneMs } = await client.send(forecast)
  expect(asked).toBe('/api/models/m/forecast/2?level=80&version=7')
  expect(outcome).toMatchObject({ kind: 'answered', status: 200, version: 7 })
  expect(JSON.stringify(outcome)).not.toContain('data')
  expect(doneMs).toBeGreaterThan(sentMs)
  await client.close()
})

test('a connection that breaks leaves an unknown outcome, one that is refused does not', async () => {
  const breaks = await broker('broker-1', (request) => request.socket.destroy())
  const recorder = createRecorder()
  const client = createClient({ name: 'c', brokers: [breaks], home: 0, recorder })
  expect((await client.send(forecast)).outcome.kind).toBe('unknown')
  await new Promise((done) => breaks.server.close(done))
  expect((await client.send(forecast)).outcome.kind).toBe('unreached')
  expect(recorder.entries.map(({ number }) => number)).toEqual([0, 1])
  await client.close()
})

test('a client is sent away by Connection: close, and comes back when its broker is ready', async () => {
  let isDraining = true
  const home = await broker('broker-1', (request, response) => {
    if (isDraining) response.setHeader('connection', 'close')
    if (request.url === '/readyz') response.writeHead(isDraining ? 503 : 200).end()
    else answers(request, response)
  })
  const other = await broker('broker-2', answers)
  const recorder = createRecorder()
  const client = createClient({ name: 'c', brokers: [home, other], home: 0, recorder })
  await client.send(forecast)
  await client.send(forecast)
  expect(recorder.entries.map((entry) => entry.broker)).toEqual(['broker-1', 'broker-2'])
  isDraining = false
  await expect
    .poll(async () => (await client.send(forecast)).broker, { timeout: 5_000, interval: 50 })
    .toBe('broker-1')
  await client.close()
})

test('a history that grows beyond its bound fails, rather than to forget', () => {
  const recorder = createRecorder(() => 0, 2)
  const end = () =>
    recorder
      .begin({ client: 'c', broker: 'b', asked: forecast })
      .end({ kind: 'unknown', why: 'gone' })
  end()
  end()
  expect(end).toThrow('more than 2 entries')
})
