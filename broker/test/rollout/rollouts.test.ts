import { codecs, logPrefix, versionsPrefix } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { call, fit, get, openCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { type Fault, heldBack, interruptible } from '../support/faults.ts'

const of = { tenant: 'default', model: 'm' }
const signal = () => AbortSignal.timeout(5_000)
const later = { prefer: 'respond-async' }

describe('two brokers', () => {
  test('promote each version exactly once, and both route to it', async () => {
    const cluster = await openCluster()
    await cluster.node()
    await cluster.node()
    const brokers = [await cluster.broker(), await cluster.broker(), await cluster.broker()]
    for (let i = 0; i < 6; i += 1) expect((await fit(brokers[i % 3]!, 'm')).status).toBe(200)
    const log = await cluster.coordinator.list(logPrefix(of), signal())
    const entries = log.entries.map(
      ({ value }) => JSON.parse(value) as { from: number; to: number },
    )
    expect(entries.map(({ from, to }) => [from, to])).toEqual([
      [null, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
      [5, 6],
    ])
    for (const broker of brokers)
      await eventually(
        () => get(broker, '/api/models/m/forecast/1'),
        ({ headers }) => headers['x-model-version'] === '6',
      )
  })

  test('never answer with an older version after a newer one while many fits roll out', async () => {
    const cluster = await openCluster()
    await cluster.node()
    await cluster.node()
    const brokers = [await cluster.broker(), await cluster.broker()]
    await fit(brokers[0]!, 'm')
    let isDone = false
    const ask = async (broker: (typeof brokers)[number]) => {
      let newest = 0
      let asked = 0
      while (!isDone) {
        const { status, headers, text } = await get(broker, '/api/models/m/forecast/1')
        const version = Number(headers['x-model-version'])
        expect([status, text]).toEqual([200, `{"data":[${version}]}`])
        expect(version).toBeGreaterThanOrEqual(newest)
        newest = version
        asked += 1
      }
      return asked
    }
    const askers = brokers.map(ask)
    for (let i = 0; i < 3; i += 1)
      await Promise.all([fit(brokers[0]!, 'm'), fit(brokers[1]!, 'm'), fit(brokers[0]!, 'm')])
    isDone = true
    for (const asked of await Promise.all(askers)) expect(asked).toBeGreaterThan(3)
  })
})

test('a broker that is behind never takes back what it has looked up', async () => {
  const cluster = await openCluster()
  await cluster.node()
  const broker = await cluster.broker()
  const late = heldBack(cluster.coordinator)
  const behind = await cluster.broker({}, { coordinator: late.coordinator })
  late.hold()
  await fit(broker, 'm')
  await fit(broker, 'm')
  const look = async () => (await get(behind, '/api/models/m')).body
  expect(await look()).toMatchObject({ serving: 2, changes: 2 })
  let told = 0
  while (late.tellOne()) {
    told += 1
    expect(await look()).toMatchObject({ serving: 2, changes: 2 })
  }
  expect(told).toBeGreaterThan(4)
  await call(broker, 'DELETE', '/api/models/m')
  await fit(broker, 'm', later)
  late.release()
  await eventually(look, ({ changes }) => changes === 4)
})

describe('a version that no node can load', () => {
  test('is given up at once, with the reason, and what served goes on', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker()
    await fit(broker, 'm')
    node.script.load = 'refuse'
    const answer = await fit(broker, 'm')
    expect(answer.status).toBe(422)
    expect(answer.body.detail).toContain('rollout: checksum')
    const model = await get(broker, '/api/models/m')
    expect(model.body).toMatchObject({ serving: 1, target: 1 })
    expect((await get(broker, '/api/models/m/forecast/1')).headers['x-model-version']).toBe('1')
  })

  test('in time is given up at its deadline, and not tried again', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker({ rolloutDeadlineMs: 600, promotionPatienceMs: 100 })
    await fit(broker, 'm')
    node.script.load = 'none'
    const answer = await fit(broker, 'm')
    expect(answer.body.type).toBe('urn:almanac:problem:fit-deadline')
    node.script.load = 'all'
    expect((await fit(broker, 'm')).body).toMatchObject({ version: 3, state: 'serving' })
  })

  test('because there is no node waits for one beyond any deadline', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker({ rolloutDeadlineMs: 300, promotionPatienceMs: 100 })
    node.script.load = 'none'
    await node.loseLease()
    const fitter = await cluster.node({ roles: ['fit'] })
    const made = await fit(broker, 'm', later)
    await eventually(
      () => get(broker, '/api/models/m'),
      ({ body }) => body.target === 1,
    )
    await new Promise((resolve) => setTimeout(resolve, 900))
    expect(fitter.orders).toEqual([made.body.job])
    await cluster.node()
    await eventually(
      () => get(broker, '/api/models/m'),
      ({ body }) => body.serving === 1,
    )
  })
})

describe('a rollback', () => {
  test('serves the version before, holds it against finished fits, and is released', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const broker = await cluster.broker()
    await fit(broker, 'm')
    await fit(broker, 'm')
    const back = await call(broker, 'POST', '/api/models/m/rollback')
    expect(back.status, back.text).toBe(200)
    expect(back.body).toEqual({ model: 'm', serving: 1, target: 1, hold: true })
    const forecast = await get(broker, '/api/models/m/forecast/1')
    expect(forecast.headers['x-model-version']).toBe('1')
    const held = await fit(broker, 'm')
    expect(held.status).toBe(202)
    expect(held.body).toMatchObject({ version: 3, state: 'stored', serving: 1 })
    const free = await call(broker, 'DELETE', '/api/models/m/hold')
    expect(free.body).toMatchObject({ hold: false })
    await eventually(
      () => get(broker, '/api/models/m'),
      ({ body }) => body.serving === 3,
    )
    const log = (await get(broker, '/api/models/m/log')).body.log as object[]
    expect(log).toMatchObject([
      { n: 4, from: 1, to: 3, why: 'fit' },
      { n: 3, from: 2, to: 1, why: 'rollback' },
      { n: 2, from: 1, to: 2, why: 'fit' },
      { n: 1, from: null, to: 1, why: 'fit' },
    ])
    const versions = (await get(broker, '/api/models/m/versions')).body.versions as object[]
    expect(versions).toMatchObject([
      { state: 'serving' },
      { state: 'retired' },
      { state: 'retired' },
    ])
  })

  test('replaces a rollout in progress', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker()
    await fit(broker, 'm')
    node.script.load = 'none'
    await fit(broker, 'm', later)
    await eventually(
      () => get(broker, '/api/models/m'),
      ({ body }) => body.target === 2,
    )
    const back = await call(broker, 'POST', '/api/models/m/rollback', { body: { version: 1 } })
    expect(back.body).toMatchObject({ serving: 1, target: 1, hold: true })
  })

  test.each([
    ['DELETE', '/api/models/m/hold'],
    ['DELETE', '/api/models/m'],
    ['POST', '/api/models/m/rollback'],
  ] as const)(
    'that is overtaken by %s %s is answered then, and not when it is late',
    async (...change) => {
      const cluster = await openCluster()
      const node = await cluster.node()
      const broker = await cluster.broker()
      await fit(broker, 'm')
      await fit(broker, 'm')
      // With nobody to load it, a version cannot begin to serve.
      await node.close()
      const body = { version: 1 }
      const waiting = call(broker, 'POST', '/api/models/m/rollback', { body })
      await eventually(
        () => get(broker, '/api/models/m'),
        (now) => now.body.target === 1,
      )
      const [method, path] = change
      void call(broker, method, path, { body: method === 'POST' ? { version: 2 } : undefined })
      const answer = await waiting
      expect([answer.status, answer.body.hold]).toEqual([202, method === 'POST'])
    },
  )

  test('through a broker that is behind is not taken for an earlier one, nor its release', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const broker = await cluster.broker()
    const late = heldBack(cluster.coordinator)
    const bounds = { coordinatorCallMs: 10_000 }
    const behind = await cluster.broker(bounds, { coordinator: late.coordinator })
    await fit(broker, 'm')
    await fit(broker, 'm')
    const toFirst = { body: { version: 1 } }
    const act = async (...[through, method, path]: [typeof broker, 'POST' | 'DELETE', string]) =>
      await call(through, method, `/api/models/m/${path}`, method === 'POST' ? toFirst : {})
    // The one that is behind still sees the first rollback when it is asked for the second.
    await act(broker, 'POST', 'rollback')
    await eventually(
      () => get(behind, '/api/models/m'),
      ({ body }) => body.serving === 1 && body.hold === true,
    )
    late.hold()
    await act(broker, 'DELETE', 'hold')
    await fit(broker, 'm')
    const rollback = act(behind, 'POST', 'rollback')
    await eventually(
      () => get(broker, '/api/models/m'),
      ({ body }) => body.serving === 1,
    )
    expect((await get(behind, '/api/models/m')).body.changes).toBe(3)
    late.release()
    expect((await rollback).body).toEqual({ model: 'm', serving: 1, target: 1, hold: true })
    expect((await get(behind, '/api/models/m')).body.changes).toBe(5)
    // And now it sees what was before the third one.
    await act(behind, 'DELETE', 'hold')
    late.hold()
    await act(broker, 'POST', 'rollback')
    let isAnswered = false
    const release = act(behind, 'DELETE', 'hold').finally(() => {
      isAnswered = true
    })
    const isFree = async () => (await get(broker, '/api/models/m')).body.hold === false
    await eventually(isFree, (free) => free)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(isAnswered).toBe(false)
    late.release()
    expect((await release).body).toMatchObject({ hold: false })
    const { hold, target } = (await get(behind, '/api/models/m')).body
    expect([hold, target]).toEqual([false, 1])
  })

  test.each([
    [{ version: 99 }, 404, 'no-such-version'],
    [{ version: 2 }, 422, 'version-failed'],
    [{}, 409, 'no-previous'],
    [{ version: 0 }, 400, 'invalid'],
    [{ versoin: 1 }, 400, 'invalid'],
  ])('to %o is refused with %i', async (body, status, code) => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker()
    await fit(broker, 'm')
    node.script.fit = 'fail'
    await fit(broker, 'm')
    const answer = await call(broker, 'POST', '/api/models/m/rollback', { body })
    expect([answer.status, answer.body.type]).toEqual([status, `urn:almanac:problem:${code}`])
    expect((await get(broker, '/api/models/m')).body).toMatchObject({ serving: 1, hold: false })
  })
})

describe('a deleted model', () => {
  test('is gone at once, and made again it never uses a number twice', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const brokers = [await cluster.broker(), await cluster.broker()]
    await fit(brokers[0]!, 'm')
    await fit(brokers[0]!, 'm')
    const gone = await call(brokers[0]!, 'DELETE', '/api/models/m')
    expect(gone.body).toMatchObject({ model: 'm', lastVersion: 2 })
    expect((await get(brokers[0]!, '/api/models/m/forecast/1')).status).toBe(404)
    expect((await call(brokers[0]!, 'DELETE', '/api/models/m')).status).toBe(404)
    const again = await fit(brokers[1]!, 'm')
    expect(again.body).toMatchObject({ version: 3, state: 'serving' })
    const old = await get(brokers[1]!, '/api/models/m/forecast/1?version=2')
    expect([old.status, old.body.type]).toEqual([410, 'urn:almanac:problem:version-gone'])
    await eventually(
      () => cluster.coordinator.list(versionsPrefix(of), signal()),
      ({ entries }) => entries.length === 1,
    )
  })

  test('takes an unfinished fit along, and whoever works on it may not publish', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    node.script.fit = 'claim'
    const broker = await cluster.broker()
    const answer = fit(broker, 'm')
    await eventually(
      () => get(broker, '/api/jobs'),
      ({ body }) => (body.jobs as { state: string }[])[0]?.state === 'running',
    )
    await call(broker, 'DELETE', '/api/models/m')
    expect((await answer).body.type).toBe('urn:almanac:problem:fit-deleted')
    const [job] = await eventually(
      async () => (await get(broker, '/api/jobs')).body.jobs as { id: string; state: string }[],
      (jobs) => jobs[0]?.state === 'failed',
    )
    expect(await cluster.coordinator.get(`/claims/${job?.id}`, signal())).toBeUndefined()
  })

  test('while many fits and deletions race, versions only ever rise', async () => {
    const cluster = await openCluster()
    const brokers = [await cluster.broker(), await cluster.broker()]
    const versions: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const fits = [0, 1, 0, 1].map((i) => fit(brokers[i]!, 'm', later))
      const deletion = call(brokers[round % 2]!, 'DELETE', '/api/models/m')
      for (const { status, body } of await Promise.all(fits)) {
        expect(status).toBe(202)
        versions.push(Number(body.version))
      }
      await deletion
    }
    expect(new Set(versions).size).toBe(20)
    const counter = await cluster.coordinator.get('/models/default/m/counter', signal())
    expect(JSON.parse(counter!.value)).toEqual({ last: 20 })
    const model = await cluster.coordinator.get('/models/default/m', signal())
    expect(codecs.model.decode(model!.value).ok).toBe(true)
  })
})

test('a rollback whose answer was lost does not claim that nothing was begun', async () => {
  const cluster = await openCluster()
  await cluster.node()
  const fault: Fault = { state: 'none' }
  const coordinator = interruptible(cluster.coordinator, fault)
  // Only this broker's own change of the model may meet the fault.
  const broker = await cluster.broker({ reconcileMs: 60_000 }, { coordinator })
  await fit(broker, 'm')
  await fit(broker, 'm')
  fault.state = 'answer-lost'
  const answer = await call(broker, 'POST', '/api/models/m/rollback', { body: {} })
  expect([answer.status, answer.headers['retry-after']], answer.text).toEqual([503, '1'])
  expect(answer.body.type).toBe('urn:almanac:problem:outcome-unknown')
  await eventually(
    () => get(broker, '/api/models/m'),
    ({ body }) => body.serving === 1 && body.hold === true,
  )
})
