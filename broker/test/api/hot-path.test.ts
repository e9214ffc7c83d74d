import { request } from 'node:http'
import { codecs, limits, put, versionKey } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import type { Broker } from '../../src/server/broker.ts'
import { call, fit, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { versionRecord } from '../support/records.ts'

type Sent = { readonly path: string; readonly method?: string; headers?: Record<string, string> }

type Received = {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
}

/** All that a client sees of an answer, but for what differs from one request to the next. */
function exchange(broker: Broker, { path, method = 'GET', headers = {} }: Sent): Promise<Received> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: broker.port, path, method, headers, timeout: 20_000 }
    request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const raw = response.rawHeaders
        const lines = raw.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${raw[i + 1]}`] : []))
        const lasting = lines.filter((line) => !/^(date|x-request-id):/i.test(line)).sort()
        const id = response.headers['x-request-id'] as string
        const body = Buffer.concat(chunks).toString('utf8').replaceAll(id, 'ID')
        resolve({ status: response.statusCode ?? 0, headers: lasting, body })
      })
    })
      .on('error', reject)
      .end()
  })
}

/** What is asked often enough to be answered ahead of the framework from then on. */
async function familiarise(broker: Broker, sent: Sent): Promise<void> {
  for (let times = 0; times < 2; times += 1) await exchange(broker, sent)
}

/** One broker that answers ahead of the framework, and one that never does. */
async function twoBrokers(bounds: Parameters<TestCluster['broker']>[0] = {}) {
  const cluster = await openCluster()
  const node = await cluster.node()
  const quick = await cluster.broker(bounds)
  const slow = await cluster.broker({ ...bounds, familiarQuestionsMax: 0 })
  expect((await fit(quick, 'm')).status).toBe(200)
  expect((await fit(quick, 'm')).status).toBe(200)
  expect((await get(slow, '/api/models/m/forecast/3?at_least=2')).status).toBe(200)
  return { cluster, node, quick, slow }
}

/** Without what differs with the time that a failure took. */
const dull = ({ status, headers, body }: Received): Received => ({
  status,
  headers: headers.filter((line) => !line.startsWith('content-length:')),
  body: body.replace(/after \d+ ms|[\d.]+_\d+: .*?[.]"/g, ''),
})

const forecast = '/api/models/m/forecast'
const manyHeaders = Object.fromEntries(
  Array.from({ length: limits.headersMax + 1 }, (_, i) => [`x-${i}`, '1']),
)

describe('ahead of the framework the same is answered as by it', () => {
  const table: readonly (readonly [string, Sent])[] = [
    ['a question', { path: `${forecast}/3` }],
    ['a question spelled otherwise', { path: `${forecast}/003?level=95,80&timestamps=false` }],
    ['escaped text', { path: `/api/models/%6d/forecast/3?level=80%2C95` }],
    ['a trailing slash', { path: `${forecast}/3/` }],
    ['two slashes', { path: `/api/models//m/forecast/3` }],
    ['a fragment', { path: `${forecast}/3#x` }],
    ['an empty query', { path: `${forecast}/3?` }],
    ['a version', { path: `${forecast}/3?version=1` }],
    ['the version before', { path: `${forecast}/3?version=previous` }],
    ['at least a version', { path: `${forecast}/3?at_least=2` }],
    ['a version that is not there', { path: `${forecast}/3?version=99` }],
    ['an unknown model', { path: '/api/models/other/forecast/3' }],
    ['the model that has no name', { path: '/api/forecast/3' }],
    ['no horizon', { path: `${forecast}/0` }],
    ['an unknown parameter', { path: `${forecast}/3?x=1` }],
    ['a parameter given twice', { path: `${forecast}/3?level=80&level=90` }],
    ['HEAD', { path: `${forecast}/3`, method: 'HEAD' }],
    ['a method that is not there', { path: `${forecast}/3`, method: 'DELETE' }],
    ['a caller of HTTP without a host', { path: `${forecast}/3`, headers: { host: '' } }],
    ['another name of this machine', { path: `${forecast}/3`, headers: { host: 'localhost' } }],
    ['a foreign host', { path: `${forecast}/3`, headers: { host: 'evil.example' } }],
    ['a foreign page', { path: `${forecast}/3`, headers: { origin: 'http://evil.example' } }],
    ['a page of its own', { path: `${forecast}/3`, headers: { origin: 'http://localhost' } }],
    ['an accepted type', { path: `${forecast}/3`, headers: { accept: 'application/json' } }],
    ['a type that cannot be given', { path: `${forecast}/3`, headers: { accept: 'text/html' } }],
    ['an id', { path: `${forecast}/3`, headers: { 'x-request-id': 'mine-1' } }],
    ['an id that is none', { path: `${forecast}/3`, headers: { 'x-request-id': 'a b' } }],
    ['what the client has', { path: `${forecast}/3`, headers: { 'if-none-match': '"m-2-3"' } }],
    ['what it has, weakly', { path: `${forecast}/3`, headers: { 'if-none-match': 'W/"m-2-3"' } }],
    ['one of many', { path: `${forecast}/3`, headers: { 'if-none-match': '"x", "m-2-3"' } }],
    ['any', { path: `${forecast}/3`, headers: { 'if-none-match': '*' } }],
    ['what is old', { path: `${forecast}/3`, headers: { 'if-none-match': '"m-1-3"' } }],
    ['a body', { path: `${forecast}/3`, headers: { 'content-length': '0' } }],
    ['too many headers', { path: `${forecast}/3`, headers: manyHeaders }],
    ['a connection to be closed', { path: `${forecast}/3`, headers: { connection: 'close' } }],
  ]

  test.each([
    ['kept', {}],
    ['asked for', { responseCacheBytes: 0 }],
  ])('whatever is in the request, %s', async (_how, bounds) => {
    const { quick, slow } = await twoBrokers(bounds)
    for (const [what, sent] of table) {
      // What makes URL, host and type familiar where they can be.
      for (const path of new Set([sent.path, `${forecast}/3`])) {
        await familiarise(quick, { path })
        await familiarise(slow, { path })
      }
      for (let times = 0; times < 2; times += 1)
        expect(await exchange(quick, sent), what).toEqual(await exchange(slow, sent))
    }
  })

  test.each([
    ['a failure to compute', { status: 500 }],
    ['a question without an answer', { status: 422 }],
    ['a node with too much to do', { status: 429 }],
    ['a node that is not well', { status: 503 }],
    ['an answer of another version', { status: 200, version: 1 }],
    ['connections that break', 'cut' as const],
  ])('where there is %s', async (_what, said) => {
    const { quick, slow, node } = await twoBrokers({ responseCacheBytes: 0, nodeWaitMs: 50 })
    const sent = { path: `${forecast}/3` }
    for (let times = 0; times < 2; times += 1)
      expect(await exchange(quick, sent)).toEqual(await exchange(slow, sent))
    node.script.forecast = () => said
    const [one, other] = [await exchange(quick, sent), await exchange(slow, sent)]
    expect(dull(one)).toEqual(dull(other))
  })

  test('when every node has all that it can do', async () => {
    const { quick, slow, node } = await twoBrokers({ nodeRequestsMax: 1, tryTimeoutMs: 20_000 })
    node.script.forecast = () => 'hang'
    const left = new AbortController()
    for (const broker of [quick, slow])
      call(broker, 'GET', `${forecast}/9`, { signal: left.signal }).catch(() => {})
    const held = () => node.asked.filter(({ horizon }) => horizon === 9).length
    await eventually(held, (count) => count === 2)
    for (const path of [`${forecast}/3`, `${forecast}/7?level=80`]) {
      const one = await exchange(quick, { path })
      expect(one.status).toBe(503)
      expect(one.headers).toContain('retry-after: 1')
      expect(one).toEqual(await exchange(slow, { path }))
    }
    // What nobody could read is not refused unread.
    const wrong = { path: `${forecast}/3`, headers: { host: 'evil.example' } }
    expect(await exchange(quick, wrong)).toEqual(await exchange(slow, wrong))
    left.abort()
  })

  test('when no node is there', async () => {
    const { quick, slow, node } = await twoBrokers({ responseCacheBytes: 0, nodeWaitMs: 50 })
    const sent = { path: `${forecast}/3` }
    await familiarise(quick, sent)
    await node.kill()
    await node.loseLease()
    const one = await exchange(quick, sent)
    expect(one.status).toBe(503)
    expect(one.headers).toContain('retry-after: 1')
    expect(one.headers).toEqual((await exchange(slow, sent)).headers)
  })

  test('when the version has failed since', async () => {
    const { cluster, quick, slow } = await twoBrokers()
    const sent = { path: `${forecast}/3?version=1` }
    await familiarise(quick, sent)
    const of = { tenant: 'default', model: 'm' }
    const failed = codecs.version.encode(versionRecord(1, 'failed'))
    const signal = AbortSignal.timeout(5_000)
    await cluster.coordinator.transact({ when: [], then: [put(versionKey(of, 1), failed)] }, signal)
    let one = await exchange(quick, sent)
    for (let tries = 0; one.status === 200 && tries < 100; tries += 1)
      one = await exchange(quick, sent)
    expect(one.status).toBe(422)
    expect(one).toEqual(await exchange(slow, sent))
  })

  test('while it drains', async () => {
    const { quick, slow } = await twoBrokers({ drainAnswerMs: 500 })
    const sent = { path: `${forecast}/3` }
    for (const broker of [quick, slow]) await familiarise(broker, sent)
    const drained = [quick.drain(), slow.drain()]
    const one = await exchange(quick, sent)
    expect(one.headers).toContain('connection: close')
    expect(one).toEqual(await exchange(slow, sent))
    await Promise.all(drained)
  })
})

test('a request is counted and timed wherever it is answered', async () => {
  const { quick } = await twoBrokers()
  const before = await counted(quick)
  for (let times = 0; times < 5; times += 1) await exchange(quick, { path: `${forecast}/4` })
  const after = await counted(quick)
  expect([after.timed - before.timed, after.hits - before.hits]).toEqual([5, 4])
})

async function counted(broker: Broker) {
  const { text } = await get(broker, '/metrics')
  const of = (line: RegExp) => Number(line.exec(text)?.[1] ?? 0)
  const route = 'route="/api/models/:model/forecast/:horizon",status="200"'
  return {
    timed: of(new RegExp(`almanac_http_request_seconds_count\\{[^}]*${route}[^}]*\\} (\\d+)`)),
    hits: of(/almanac_cache_hits_total\{[^}]*\} (\d+)/),
  }
}
