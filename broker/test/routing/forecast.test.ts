import { headers } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { call, fit, get } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { setUp, total } from '../support/fitted.ts'

const path = '/api/models/m/forecast/3'

describe('a forecast', () => {
  test('comes from a node as it is, with version, request id and etag', async () => {
    const { broker } = await setUp()
    const answer = await get(broker, `${path}?level=95,80,80&timestamps=true`, {
      [headers.requestId]: 'mine-1',
    })
    expect(answer.status).toBe(200)
    expect(answer.text).toBe('{"data":[1,1,1]}')
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'x-model-version': '1',
      'x-request-id': 'mine-1',
      etag: expect.stringMatching(/^"m-1-3-/),
    })
  })

  test('is asked of a node by cluster, instance, version and canonical query', async () => {
    const { broker, nodes } = await setUp(1)
    await get(broker, `${path}?timestamps=true&level=95,80.0,95`, { 'x-request-id': 'mine-2' })
    const [asked] = nodes[0]!.asked
    expect(asked).toMatchObject({ tenant: 'default', model: 'm', version: 1, horizon: 3 })
    expect(asked?.query.toString()).toBe('level=80%2C95&timestamps=true')
    expect(asked?.headers['x-request-id']).toBe('mine-2')
  })

  test('goes to all nodes', async () => {
    const { broker, nodes } = await setUp(2)
    for (let i = 0; i < 40; i += 1) await get(broker, path)
    for (const node of nodes) expect(node.asked.length).toBeGreaterThan(5)
  })

  test('of an answer for another version is never handed on', async () => {
    const { broker, nodes } = await setUp(2)
    nodes[0]!.script.forecast = () => ({ status: 200, version: 7, body: { data: [7] } })
    for (let i = 0; i < 20; i += 1) expect((await get(broker, path)).text).toBe('{"data":[1,1,1]}')
    expect(nodes[0]!.asked.length).toBeGreaterThan(0)
  })

  test('that a node refuses is handed on with the refusal', async () => {
    const { broker, nodes } = await setUp(2)
    const body = { type: 'urn:almanac:problem:no-timestamps', status: 422 }
    for (const node of nodes) node.script.forecast = () => ({ status: 422, body })
    const answer = await get(broker, `${path}?timestamps=true`)
    expect(answer.status).toBe(422)
    expect(answer.body).toEqual(body)
    expect(total(nodes)).toBe(1)
  })
})

describe('nodes that are not the ones that were meant', () => {
  test('cost no try: the one that is left answers', async () => {
    const { broker, nodes } = await setUp(5)
    for (const node of nodes.slice(1)) node.script.forecast = () => ({ status: 421 })
    for (let i = 0; i < 10; i++) expect((await get(broker, path)).status).toBe(200)
  })
})

describe('responses that are kept', () => {
  const keep = { responseCacheBytes: 1_000_000 }

  test('answer again without any node, until another version serves', async () => {
    const { broker, nodes } = await setUp(1, keep)
    const first = await get(broker, path)
    const second = await get(broker, path)
    expect(second.text).toBe(first.text)
    expect(second.headers.etag).toBe(first.headers.etag)
    expect(total(nodes)).toBe(1)
    expect((await fit(broker, 'm')).status).toBe(200)
    expect((await get(broker, path)).text).toBe('{"data":[2,2,2]}')
  })

  test('are told apart by their question', async () => {
    const { broker, nodes } = await setUp(1, keep)
    await get(broker, path)
    await get(broker, `${path}?level=80`)
    await get(broker, `${path}?level=90`)
    await get(broker, '/api/models/m/forecast/4')
    expect(total(nodes)).toBe(4)
    await get(broker, `${path}?level=80,80`)
    expect(total(nodes)).toBe(4)
  })

  test('with a known etag are not sent, and no node is asked', async () => {
    const { broker, nodes } = await setUp(1, keep)
    const { etag } = (await get(broker, path)).headers
    const again = await get(broker, path, { 'if-none-match': String(etag) })
    expect([again.status, again.text]).toEqual([304, ''])
    expect(total(nodes)).toBe(1)
    await fit(broker, 'm')
    expect((await get(broker, path, { 'if-none-match': String(etag) })).status).toBe(200)
  })

  test('refusals are not among them', async () => {
    const { broker, nodes } = await setUp(1, keep)
    nodes[0]!.script.forecast = () => ({ status: 422 })
    expect((await get(broker, path)).status).toBe(422)
    nodes[0]!.script.forecast = undefined
    expect((await get(broker, path)).status).toBe(200)
  })

  test('a hundred who ask the same at once make one request', async () => {
    const { broker, nodes } = await setUp(1, keep)
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    nodes[0]!.script.forecast = async () => {
      await gate
      return undefined
    }
    const all = Array.from({ length: 100 }, () => get(broker, path))
    await eventually(
      () => total(nodes),
      (count) => count > 0,
    )
    open()
    const statuses = new Set((await Promise.all(all)).map((answer) => answer.status))
    expect([...statuses]).toEqual([200])
    expect(total(nodes)).toBe(1)
  })
})

describe('a node that fails', () => {
  test('by breaking connections is replaced by another, and rests', async () => {
    const { broker, nodes } = await setUp(2)
    nodes[0]!.script.forecast = () => 'cut'
    for (let i = 0; i < 30; i += 1) expect((await get(broker, path)).status).toBe(200)
    expect(nodes[0]!.asked.length).toBeGreaterThan(0)
    expect(nodes[0]!.asked.length).toBeLessThan(5)
  })

  test('by saying nothing is replaced after the time for a try', async () => {
    const { broker, nodes } = await setUp(2, { tryTimeoutMs: 150 })
    nodes[0]!.script.forecast = () => 'hang'
    for (let i = 0; i < 20; i += 1) expect((await get(broker, path)).status).toBe(200)
    expect(nodes[0]!.asked.length).toBeGreaterThan(0)
    expect(nodes[0]!.asked.length).toBeLessThan(8)
  })

  test('by dying is replaced without a failure', async () => {
    const { broker, nodes } = await setUp(2)
    await nodes[0]!.kill()
    for (let i = 0; i < 30; i += 1) expect((await get(broker, path)).status).toBe(200)
  })

  test('to compute gets one other node, whose failure is handed on', async () => {
    const { broker, nodes } = await setUp(3)
    for (const node of nodes) node.script.forecast = () => ({ status: 500 })
    expect((await get(broker, path)).status).toBe(500)
    expect(total(nodes)).toBe(2)
    nodes[2]!.script.forecast = undefined
    nodes[1]!.script.forecast = undefined
    expect((await get(broker, path)).status).toBe(200)
  })

  test('with all others is tried three times at most, then a 503 says when to come back', async () => {
    const { broker, nodes } = await setUp(5)
    for (const node of nodes) node.script.forecast = () => 'cut'
    const answer = await get(broker, path)
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(total(nodes)).toBe(3)
  })

  test('with all others makes at most a fifth of all requests retries', async () => {
    const { broker, nodes } = await setUp(3, {
      retryReserve: 5,
      retriesPerSecondMin: 0,
      nodeWaitMs: 30,
    })
    for (const node of nodes) node.script.forecast = () => 'cut'
    for (let i = 0; i < 100; i += 1) await get(broker, path)
    expect(total(nodes)).toBeGreaterThan(100)
    expect(total(nodes)).toBeLessThanOrEqual(100 + 5 + 20)
  })

  test('while no more retries are allowed costs time, not the answer', async () => {
    const { broker, nodes } = await setUp(2, { retryReserve: 1, retriesPerSecondMin: 5 })
    let cuts = 0
    for (const node of nodes)
      node.script.forecast = () => {
        cuts += 1
        return cuts <= 2 ? 'cut' : undefined
      }
    const answer = await get(broker, path)
    expect([answer.status, cuts], answer.text).toEqual([200, 3])
  })

  test('by saying nothing on all sides is asked again until it answers', async () => {
    const { broker, nodes } = await setUp(3, { tryTimeoutMs: 100 })
    for (const node of nodes) node.script.forecast = () => 'hang'
    const asked = get(broker, path)
    await eventually(
      () => total(nodes),
      (count) => count >= 4,
    )
    for (const node of nodes) node.script.forecast = undefined
    expect((await asked).status).toBe(200)
  })

  test('to have what it registered costs no retry', async () => {
    const { broker, nodes } = await setUp(3, { retryReserve: 0, retriesPerSecondMin: 0 })
    for (const node of nodes.slice(1))
      node.script.forecast = ({ tenant, model, version }) => ({
        status: 409,
        body: { type: 'not-loaded', tenant, model, version, record: null, modRevision: 0 },
      })
    for (let i = 0; i < 20; i += 1) expect((await get(broker, path)).status).toBe(200)
  })

  test('because it is full is spared for others, and its 503 is told when all are', async () => {
    const { broker, nodes } = await setUp(2)
    nodes[0]!.script.forecast = () => ({ status: 503 })
    for (let i = 0; i < 10; i += 1) expect((await get(broker, path)).status).toBe(200)
    nodes[1]!.script.forecast = () => ({ status: 503 })
    const answer = await get(broker, path)
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
  })
})

describe('nodes that are not registered', () => {
  test('go on answering when their leases end', async () => {
    const { broker, nodes } = await setUp(2)
    for (const node of nodes) await node.loseLease()
    const listed = () => get(broker, '/api/nodes')
    await eventually(listed, ({ body }) => (body.nodes as unknown[]).length === 0)
    for (let i = 0; i < 10; i += 1) expect((await get(broker, path)).status).toBe(200)
  })

  test('are asked only after those that are', async () => {
    const { broker, nodes } = await setUp(2)
    await nodes[0]!.loseLease()
    await eventually(
      () => get(broker, '/api/nodes'),
      ({ body }) => (body.nodes as unknown[]).length === 1,
    )
    for (let i = 0; i < 20; i += 1) await get(broker, path)
    expect(nodes[0]!.asked).toHaveLength(0)
    nodes[1]!.script.forecast = () => 'cut'
    expect((await get(broker, path)).status).toBe(200)
    expect(nodes[0]!.asked).toHaveLength(1)
  })
})

describe('waiting', () => {
  /** So long that only a change of the table can end a pause. */
  const drowsy = { waitPauseMs: 9_000, waitPauseMaxMs: 9_000 }

  test('ends when a node comes', async () => {
    const { cluster, broker, nodes } = await setUp(1, drowsy)
    await nodes[0]!.close()
    const asked = get(broker, path)
    const waits = async () => (await get(broker, '/metrics')).text
    await eventually(waits, (text) => /almanac_forecasts_waiting\{[^}]*\} 1\n/.test(text))
    const startedMs = performance.now()
    await cluster.node()
    expect((await asked).status).toBe(200)
    expect(performance.now() - startedMs).toBeLessThan(4_000)
  })

  test('ends with a 503 that says why when nobody comes', async () => {
    const { broker, nodes } = await setUp(1, { nodeWaitMs: 300 })
    await nodes[0]!.close()
    const answer = await get(broker, path)
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.body.detail).toContain('version 1 of m')
  })

  test('counts from the arrival of the request, also while nodes keep it waiting', async () => {
    const silent = { tryTimeoutMs: 500, nodeWaitMs: 1_500, waitPauseMs: 100, waitPauseMaxMs: 100 }
    const { broker, nodes } = await setUp(3, silent)
    for (const node of nodes) node.script.forecast = () => 'hang'
    const startedMs = performance.now()
    const answer = await get(broker, path)
    expect(answer.status).toBe(503)
    // Three tries of half a second are all the time that there is.
    expect(performance.now() - startedMs).toBeLessThan(2_500)
  })

  test('is no longer when nodes that are to load a version say nothing', async () => {
    const slow = { tryTimeoutMs: 200, pinnedTryTimeoutMs: 1_000, nodeWaitMs: 1_200 }
    const { broker, nodes } = await setUp(3, slow)
    await fit(broker, 'm')
    for (const node of nodes) {
      await node.say('default/m', { loaded: [2] })
      node.script.forecast = () => 'hang'
    }
    const holders = async () => (await get(broker, '/api/models/m')).text
    await eventually(holders, (text) => !text.includes('"loaded":[1,2]'))
    const startedMs = performance.now()
    const answer = await get(broker, `${path}?version=1`)
    expect([answer.status, answer.body.type]).toEqual([503, 'urn:almanac:problem:no-node'])
    expect(performance.now() - startedMs).toBeLessThan(2_000)
  })

  test('is no longer when the model moves on with every try', async () => {
    const { broker, nodes } = await setUp(3, { tryTimeoutMs: 500, nodeWaitMs: 600 })
    for (const node of nodes)
      node.script.forecast = async () => {
        await call(broker, 'DELETE', '/api/models/m/hold')
        return 'hang' as const
      }
    const startedMs = performance.now()
    expect((await get(broker, path)).status).toBe(503)
    expect(performance.now() - startedMs).toBeLessThan(1_600)
  })

  test('is for a bounded number; one more is refused at once', async () => {
    const { broker, nodes } = await setUp(1, { nodeWaitMs: 3_000, waitingRequestsMax: 2 })
    await nodes[0]!.close()
    const waiting = [3, 4].map((n) => get(broker, `/api/models/m/forecast/${n}`))
    const waits = async () => (await get(broker, '/metrics')).text
    await eventually(waits, (text) => /almanac_forecasts_waiting\{[^}]*\} 2\n/.test(text))
    const refused = await get(broker, '/api/models/m/forecast/5')
    expect(refused.body.type).toBe('urn:almanac:problem:too-many-waiting')
    await Promise.all(waiting)
  })

  test('for a version ends when it serves', async () => {
    const { broker } = await setUp(1, drowsy)
    const asked = get(broker, `${path}?at_least=2`)
    await fit(broker, 'm')
    const answer = await asked
    expect([answer.status, answer.headers['x-model-version']]).toEqual([200, '2'])
  })

  test('for a version that does not come ends with a 503', async () => {
    const { broker } = await setUp(1, { nodeWaitMs: 200 })
    const answer = await get(broker, `${path}?at_least=2`)
    expect(answer.status).toBe(503)
    expect(answer.body.detail).toContain('at least 2')
  })

  test('a client that leaves takes its request along', async () => {
    const { broker, nodes } = await setUp(1, { tryTimeoutMs: 5_000 })
    nodes[0]!.script.forecast = () => 'hang'
    const left = new AbortController()
    const asked = call(broker, 'GET', path, { signal: left.signal })
    await eventually(
      () => total(nodes),
      (count) => count === 1,
    )
    left.abort()
    await expect(asked).rejects.toThrow()
    await eventually(nodes[0]!.abandoned, (count) => count === 1)
  })

  test('one of two who ask the same may leave, and the other is answered', async () => {
    const { broker, nodes } = await setUp(1, { tryTimeoutMs: 5_000 })
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    nodes[0]!.script.forecast = async () => {
      await gate
      return undefined
    }
    const left = new AbortController()
    const first = call(broker, 'GET', path, { signal: left.signal })
    await eventually(
      () => total(nodes),
      (count) => count === 1,
    )
    const second = get(broker, path)
    const requests = async () => (await get(broker, '/metrics')).text
    await eventually(requests, (text) => /almanac_cache_misses_total\{[^}]*\} 2\n/.test(text))
    left.abort()
    await expect(first).rejects.toThrow()
    open()
    expect((await second).status).toBe(200)
  })
})

describe('a version by name', () => {
  test('that does not serve is loaded on demand by one node, the same each time', async () => {
    const { broker, nodes } = await setUp(3)
    for (const node of nodes) node.script.load = 'none'
    await fit(broker, 'm', { prefer: 'respond-async' })
    await eventually(
      () => get(broker, '/api/models/m/versions/2'),
      ({ body }) => body.state === 'loading',
    )
    for (let i = 0; i < 5; i += 1) {
      const answer = await get(broker, `${path}?version=2`)
      expect([answer.status, answer.headers['x-model-version']]).toEqual([200, '2'])
    }
    const loaders = nodes.filter((node) => node.asked.some(({ query }) => query.has('load')))
    expect(loaders).toHaveLength(1)
  })

  test.each([
    ['99', 404, 'no-such-version'],
    ['1.5', 400, 'invalid'],
    ['0', 400, 'invalid'],
    ['newest', 400, 'invalid'],
    ['previous', 404, 'no-previous'],
  ])('%s is refused with %i', async (version, status, code) => {
    const { broker } = await setUp(1)
    const answer = await get(broker, `${path}?version=${version}`)
    expect(answer.status).toBe(status)
    expect(answer.body.type).toBe(`urn:almanac:problem:${code}`)
  })

  test('latest and serving mean what they say', async () => {
    const { broker, nodes } = await setUp(1)
    nodes[0]!.script.load = 'none'
    await fit(broker, 'm', { prefer: 'respond-async' })
    await eventually(
      () => get(broker, `${path}?version=latest`),
      ({ headers }) => headers['x-model-version'] === '2',
    )
    const serving = await get(broker, `${path}?version=serving`)
    expect(serving.headers['x-model-version']).toBe('1')
  })
})

test('an unknown model is a 404 that names those that exist', async () => {
  const { broker } = await setUp(1)
  const answer = await get(broker, '/api/models/nobody/forecast/3')
  expect(answer.status).toBe(404)
  expect(answer.body.detail).toContain('There are: m.')
})
