import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Broker } from '../../src/server/broker.ts'
import { call, fit, fitBody, get, openCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

async function fitted() {
  const cluster = await openCluster()
  const node = await cluster.node()
  const broker = await cluster.broker()
  expect((await fit(broker, 'm')).status).toBe(200)
  return { cluster, node, broker }
}

describe('a question', () => {
  test.each([
    ['/api/models/m/forecast/0', 'horizon'],
    ['/api/models/m/forecast/-1', 'horizon'],
    ['/api/models/m/forecast/1.5', 'horizon'],
    ['/api/models/m/forecast/1e3', 'horizon'],
    ['/api/models/m/forecast/10001', 'horizon'],
    ['/api/models/m/forecast/99999999999', 'horizon'],
    ['/api/models/m/forecast/3?level=0', 'level'],
    ['/api/models/m/forecast/3?level=100', 'level'],
    ['/api/models/m/forecast/3?level=', 'level'],
    ['/api/models/m/forecast/3?level=80&level=90', 'level'],
    ['/api/models/m/forecast/3?level=1,2,3,4,5,6,7,8,9,10,11', 'level'],
    ['/api/models/m/forecast/3?timestamps=yes', 'timestamps'],
    ['/api/models/m/forecast/3?at_least=x', 'at_least'],
    ['/api/models/m/forecast/3?version=1&at_least=1', 'at_least'],
    ['/api/models/m/forecast/3?horizon=3', 'horizon'],
    ['/api/models/M/forecast/3', 'model'],
    ['/api/models?limit=0', 'querystring'],
    ['/api/models?limit=101', 'limit'],
    ['/api/models?page=1', 'page'],
    ['/api/models/m/versions?cursor=x', 'cursor'],
    ['/api/models/m/versions/x', 'version'],
  ])('%s is refused by the name of what is wrong', async (path, field) => {
    const { broker, node } = await fittedOnce()
    const answer = await get(broker, path)
    expect(answer.status, answer.text).toBe(400)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(String(answer.body.field)).toContain(field === 'querystring' ? 'limit' : field)
    expect(answer.body.requestId).toBe(answer.headers['x-request-id'])
    expect(node.asked).toHaveLength(0)
  })

  /** Nothing in this table changes anything, but each test closes what it opened. */
  const fittedOnce = fitted

  test.each([
    ['text/html', 406],
    ['application/json;q=0', 406],
    ['text/html, application/json', 200],
    ['application/*', 200],
    ['*/*;q=0.1', 200],
  ])('that accepts %s is answered with %i', async (accept, status) => {
    const { broker } = await fitted()
    expect((await get(broker, '/api/models/m/forecast/3', { accept })).status).toBe(status)
    expect((await get(broker, '/api/models', { accept })).status).toBe(status)
  })

  test('of a body that is not JSON by its type is refused', async () => {
    const { broker } = await fitted()
    const headers = { 'content-type': 'text/csv' }
    const answer = await call(broker, 'POST', '/api/fit_model', { body: '1,2', headers })
    expect(answer.status).toBe(415)
  })
})

describe('large bodies', () => {
  test('do not keep forecasts waiting', async () => {
    const { broker } = await fitted()
    const data = Array.from({ length: 300_000 }, (_, i) => Math.sin(i) * 1_000)
    const body = JSON.stringify({ data, spec: fitBody.spec })
    const headers = { prefer: 'respond-async' }
    let isDone = false
    const fitting = call(broker, 'POST', '/api/models/large/fit', { body, headers }).finally(() => {
      isDone = true
    })
    let asked = 0
    while (!isDone) {
      expect((await get(broker, '/api/models/m/forecast/3')).status).toBe(200)
      asked += 1
    }
    expect((await fitting).status).toBe(202)
    expect(asked).toBeGreaterThan(3)
  })

  test('with faults are told where, as small ones are', async () => {
    const { broker } = await fitted()
    const data = Array.from<unknown>({ length: 50_000 }).fill(1.25)
    data[43_210] = 'x'
    const answer = await call(broker, 'POST', '/api/fit_model', { body: { data } })
    expect([answer.status, answer.body.field]).toEqual([400, '/data/43210'])
  })

  test('above the limit are refused', async () => {
    const cluster = await openCluster()
    const broker = await cluster.broker({ bodyBytesMax: 1_000 })
    const data = Array.from({ length: 1_000 }, (_, i) => i)
    const answer = await call(broker, 'POST', '/api/fit_model', { body: { data } })
    expect(answer.status).toBe(413)
  })

  test('beyond the number taken in at once are refused with 429', async () => {
    const cluster = await openCluster()
    const broker = await cluster.broker({ fitBodiesMax: 1, fitBodyInlineBytes: 10 })
    const body = { ...fitBody, data: Array.from({ length: 100_000 }, (_, i) => i % 9) }
    const headers = { prefer: 'respond-async' }
    const path = '/api/models/m/fit'
    const all = [1, 2, 3].map(() => call(broker, 'POST', path, { body, headers }))
    const statuses = (await Promise.all(all)).map(({ status }) => status).sort()
    expect(statuses).toContain(202)
    expect(statuses).toContain(429)
  })
})

/** A request whose Host header is what the test says. */
function askAs(broker: Broker, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: broker.port, path: '/api/models', headers }
    request(options, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

describe('on loopback', () => {
  test.each([
    [{ host: 'localhost:5000' }, 200],
    [{ host: '[::1]:5000' }, 200],
    [{ host: '127.0.0.1' }, 200],
    [{ host: 'evil.example' }, 403],
    [{ host: '127.0.0.1.evil.example' }, 403],
    [{ host: 'localhost', origin: 'http://localhost:3000' }, 200],
    [{ host: 'localhost', origin: 'http://evil.example' }, 403],
    [{ host: 'localhost', origin: 'null' }, 403],
  ])('%o is answered with %i', async (headers, status) => {
    const cluster = await openCluster()
    const broker = await cluster.broker()
    expect(await askAs(broker, headers)).toBe(status)
  })
})

describe('with names of its own', () => {
  test.each([
    [{ host: 'forecasts.example:5000' }, 200],
    [{ host: 'Forecasts.Example' }, 200],
    [{ host: 'localhost' }, 200],
    [{ host: 'evil.example' }, 403],
    [{ host: 'forecasts.example.evil.example' }, 403],
    [{ host: 'forecasts.example', origin: 'https://forecasts.example' }, 200],
    [{ host: 'forecasts.example', origin: 'https://evil.example' }, 403],
  ])('%o is answered with %i', async (headers, status) => {
    const cluster = await openCluster()
    const broker = await cluster.broker({}, { allowedHosts: ['forecasts.example'] })
    expect(await askAs(broker, headers)).toBe(status)
  })
})

describe('lists', () => {
  test('come in pages that fit together', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const broker = await cluster.broker()
    for (const model of ['a', 'b', 'c', 'd', 'e']) await fit(broker, model)
    const seen: string[] = []
    let next: unknown = ''
    while (next !== null) {
      const path = `/api/models?limit=2${next ? `&cursor=${next}` : ''}`
      const { body } = await get(broker, path)
      seen.push(...(body.models as { model: string }[]).map(({ model }) => model))
      next = body.next
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
    const first = (await get(broker, '/api/jobs?limit=3')).body
    const second = (await get(broker, `/api/jobs?limit=3&cursor=${first.next}`)).body
    const models = (page: typeof first) => (page.jobs as { model: string }[]).map((j) => j.model)
    expect([...models(first), ...models(second)]).toEqual(['e', 'd', 'c', 'b', 'a'])
    expect(second.next).toBeNull()
  })
})

describe('the list of jobs', () => {
  test('of a model, a kind or a state has those only', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const broker = await cluster.broker()
    for (const model of ['a', 'b', 'a']) await fit(broker, model)
    const of = async (query: string) => {
      const { body } = await get(broker, `/api/jobs?${query}`)
      const jobs = body.jobs as { model: string; version: number }[]
      return { jobs: jobs.map(({ model, version }) => `${model}${version}`), next: body.next }
    }
    expect(await of('model=a')).toEqual({ jobs: ['a2', 'a1'], next: null })
    const first = await of('model=a&limit=1')
    expect(first.jobs).toEqual(['a2'])
    expect(await of(`model=a&limit=1&cursor=${first.next}`)).toEqual({ jobs: ['a1'], next: null })
    expect((await of('kind=fit&state=done')).jobs).toEqual(['a2', 'b1', 'a1'])
    expect(await of('state=failed')).toEqual({ jobs: [], next: null })
    expect(await of('model=c')).toEqual({ jobs: [], next: null })
  })

  test.each([
    ['state=finished', '/state', 'must be one of queued, running, done, failed.'],
    ['kind=fits', '/kind', 'fit-regression'],
    ['model=A%20B', '/model', 'has to be a name'],
    ['status=done', '/status', 'is not a known field here'],
  ])('refuses %s by its name', async (query, field, detail) => {
    const cluster = await openCluster()
    const broker = await cluster.broker()
    const { status, body } = await get(broker, `/api/jobs?${query}`)
    expect([status, body.field]).toEqual([400, field])
    expect(body.detail).toContain(detail)
  })
})

test('every public call is in the OpenAPI document, with its problems', async () => {
  const cluster = await openCluster()
  const broker = await cluster.broker()
  const { body } = await get(broker, '/api/openapi.json')
  expect(body.openapi).toBe('3.1.0')
  expect(Object.keys(body.paths as object).sort()).toEqual([
    '/api/files',
    '/api/files/{name}',
    '/api/fit_model',
    '/api/forecast/{horizon}',
    '/api/jobs',
    '/api/jobs/{id}',
    '/api/jobs/{id}/cancel',
    '/api/jobs/{id}/log',
    '/api/jobs/{id}/retry',
    '/api/messages',
    '/api/messages/dead-letters',
    '/api/models',
    '/api/models/{model}',
    '/api/models/{model}/backtests',
    '/api/models/{model}/backtests/{job}',
    '/api/models/{model}/backtests/{job}/series',
    '/api/models/{model}/fit',
    '/api/models/{model}/forecast/{horizon}',
    '/api/models/{model}/forecasts/{horizon}',
    '/api/models/{model}/hold',
    '/api/models/{model}/log',
    '/api/models/{model}/observations',
    '/api/models/{model}/predictions',
    '/api/models/{model}/release',
    '/api/models/{model}/retraining',
    '/api/models/{model}/rollback',
    '/api/models/{model}/versions',
    '/api/models/{model}/versions/{version}',
    '/api/models/{model}/versions/{version}/rejects',
    '/api/models/{model}/versions/{version}/series',
    '/api/models/{model}/versions/{version}/table',
    '/api/nodes',
    '/api/retraining',
    '/api/schedules',
    '/api/schedules/{name}',
    '/api/schedules/{name}/run',
    '/api/tables/look',
    '/dataPrep',
    '/forcastSale',
    '/predict',
    '/processing',
    '/processing/{processingId}',
    '/train',
    '/trainModel',
    '/upload',
  ])
})

describe('a drain', () => {
  test('answers for a while, not ready and with connection: close, and then ends', async () => {
    const { broker } = await drainable()
    const draining = broker.drain()
    const ready = await get(broker, '/readyz')
    expect(ready.status).toBe(503)
    const forecast = await get(broker, '/api/models/m/forecast/3')
    expect([forecast.status, forecast.headers.connection]).toEqual([200, 'close'])
    await draining
    await expect(get(broker, '/healthz')).rejects.toThrow()
  })

  test('finishes what is open', async () => {
    const { broker, node } = await drainable()
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    node.script.forecast = async () => {
      await gate
      return undefined
    }
    const asked = get(broker, '/api/models/m/forecast/3')
    await eventually(
      () => node.asked.length,
      (count) => count === 1,
    )
    const draining = broker.drain()
    setTimeout(open, 800)
    expect((await asked).status).toBe(200)
    await draining
  })

  test('tells those who wait for a fit where to look, and the fit goes on elsewhere', async () => {
    const { cluster, broker, node } = await drainable()
    node.script.fit = 'ignore'
    const waiting = fit(broker, 'm')
    await eventually(
      () => node.orders.length,
      (count) => count === 2,
    )
    await broker.drain()
    const answer = await waiting
    expect([answer.status, answer.headers.connection]).toEqual([202, 'close'])
    node.script.fit = 'store'
    const other = await cluster.broker()
    await eventually(
      () => get(other, '/api/models/m'),
      ({ body }) => body.serving === 2,
    )
  })

  async function drainable() {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker({ drainAnswerMs: 600, tryTimeoutMs: 5_000 })
    await fit(broker, 'm')
    return { cluster, broker, node }
  }
})

test('off loopback a broker does not start without a token', async () => {
  const cluster = await openCluster()
  await expect(cluster.broker({}, {}, '0.0.0.0')).rejects.toThrow('token')
})

test('what a broker does is in its metrics', async () => {
  const { broker } = await fitted()
  await get(broker, '/api/models/m/forecast/3')
  await get(broker, '/api/models/m/forecast/3')
  const { text } = await get(broker, '/metrics')
  for (const line of [
    /almanac_cache_hits_total\{[^}]*\} 1\n/,
    /almanac_cache_misses_total\{[^}]*\} 1\n/,
    /almanac_upstream_seconds_count\{[^}]*outcome="2xx"[^}]*\} 1\n/,
    /almanac_version_serving\{[^}]*model="default\/m"[^}]*\} 1\n/,
    /almanac_jobs\{[^}]*state="done"[^}]*\} 1\n/,
    /almanac_rollout_steps_total\{[^}]*step="promote",outcome="applied"[^}]*\} 1\n/,
    /almanac_coordinator_call_seconds_count\{[^}]*call="transact"/,
    /almanac_fit_requests_total\{[^}]*outcome="serving"[^}]*\} 1\n/,
    /almanac_table_revision\{[^}]*\} \d+\n/,
  ])
    expect(text).toMatch(line)
})
