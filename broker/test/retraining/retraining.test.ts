import {
  type AccuracyRecord,
  claimKey,
  codecs,
  jobsPrefix,
  type ModelName,
  put,
  remove,
  retrainingKey,
  versionKey,
} from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { call, fit, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { type Fault, interruptible, interruptibleStore } from '../support/faults.ts'
import { handClock } from '../support/hand-clock.ts'
import { mortal } from '../support/mortal.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const quick = { retrainingLookMs: 20, retrainingBackoffMs: 100 }
const limit = { liveMase: 1.2, observations: 20, restSeconds: 3_600 }
const path = '/api/models/m/retraining'

type Broker = Parameters<typeof get>[0]
type Update = AccuracyRecord['updates'][number]
type View = {
  state: string
  detail: string
  window: Record<string, unknown> | null
  restsUntil: string | null
  runs: Record<string, unknown>[]
}

const view = async (broker: Broker) => (await get(broker, path)).body as unknown as View
const untilState = (broker: Broker, wanted: string) =>
  eventually(
    () => view(broker),
    ({ state }) => state === wanted,
  )
const untilRuns = (broker: Broker, count: number) =>
  eventually(
    () => view(broker),
    ({ runs }) => runs.length === count,
  )
const untilServing = (broker: Broker, version: number) =>
  eventually(
    () => get(broker, '/api/models/m'),
    ({ body }) => body.serving === version,
  )

async function putRule(broker: Broker, change: object = {}) {
  const answer = await call(broker, 'PUT', path, { body: { ...limit, ...change } })
  expect([200, 201], answer.text).toContain(answer.status)
  return answer
}

/** Says of a version what updates would have said of it. */
const tell = (cluster: TestCluster, version: number, ...updates: Update[]) =>
  tellOf(cluster, of, version, ...updates)

async function tellOf(
  { coordinator }: TestCluster,
  name: ModelName,
  version: number,
  ...updates: Update[]
) {
  const key = versionKey(name, version)
  const record = codecs.version.decode((await coordinator.get(key, signal()))!.value)
  if (!record.ok) throw new Error(record.fault)
  const value = codecs.version.encode({ ...record.value, accuracy: { scale: 2, updates } })
  await coordinator.transact({ when: [], then: [put(key, value)] }, signal())
}

const bad = (version: number): Update => ({ version, count: 24, scaled: 36 })

async function addTo(broker: Broker) {
  const answer = await call(broker, 'POST', '/api/models/m/observations', { body: { data: [1] } })
  expect(answer.status, answer.text).toBe(200)
}

async function jobsOf({ coordinator }: TestCluster) {
  const { entries } = await coordinator.list(jobsPrefix, signal())
  return entries.map(({ value }) => {
    const job = codecs.job.decode(value)
    if (!job.ok) throw new Error(job.fault)
    return job.value
  })
}

/** Until a broker has counted so many retrainings, or more, with this outcome. */
const untilCounted = (broker: Broker, outcome: string, count: number) =>
  eventually(
    async () => (await get(broker, '/metrics')).text.split('\n'),
    (lines) =>
      lines.some(
        (line) =>
          line.startsWith('almanac_retrainings_total{') &&
          line.includes(`outcome="${outcome}"`) &&
          Number(line.split(' ').at(-1)) >= count,
      ),
  )

async function opened() {
  const cluster = await openCluster()
  const node = await cluster.node()
  const { clock, set } = handClock()
  const broker = await cluster.broker(quick, { clock })
  expect((await fit(broker, 'm')).status).toBe(200)
  return { cluster, node, broker, clock, set }
}

describe('a model whose live accuracy decays', () => {
  test('is fitted again, once, and what is told says why', async () => {
    const { broker, cluster } = await opened()
    const made = await putRule(broker)
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ ...limit, model: 'm', enabled: true, state: 'too-few' })
    await tell(cluster, 1, bad(1))
    await untilServing(broker, 2)
    const { state, window, runs } = await untilState(broker, 'too-few')
    expect(window).toEqual({ liveMase: null, observations: 0, since: null })
    const [run] = runs
    expect(runs).toHaveLength(1)
    expect(state).toBe('too-few')
    expect(run).toMatchObject({ outcome: 'begun', judged: 1, version: 2, state: 'serving' })
    expect(run).toMatchObject({ liveMase: 1.5, observations: 24, limit: 1.2 })
    const why = 'Live accuracy of m was 1.5 over the last 24 observations; the limit is 1.2.'
    expect((await get(broker, `/api/jobs/${run!.job}`)).body).toMatchObject({ kind: 'fit', why })
    expect((await get(broker, `/api/jobs/${run!.job}/log`)).text).toContain(why)
    expect((await get(broker, '/api/models/m/versions/2')).body).toMatchObject({ why, base: null })
    await untilCounted(broker, 'begun', 1)
    const jobs = await jobsOf(cluster)
    expect(jobs.map(({ subject }) => subject)).toEqual([
      { ...of, version: 1 },
      { ...of, version: 2 },
    ])
  })

  test('has the observations of its updates in the fit', async () => {
    const { broker, cluster } = await opened()
    await addTo(broker)
    await putRule(broker)
    await tell(cluster, 2, bad(2))
    await untilServing(broker, 3)
    expect((await get(broker, '/api/models/m/versions/3')).body).toMatchObject({ observations: 61 })
  })

  test('is left alone with too few observations, within the limit, on hold, and off', async () => {
    const { broker, cluster, node } = await opened()
    await putRule(broker, { observations: 25 })
    await tell(cluster, 1, bad(1))
    expect(await untilState(broker, 'too-few')).toMatchObject({ window: { observations: 24 } })
    await putRule(broker, { liveMase: 1.5 })
    expect(await view(broker)).toMatchObject({ state: 'below', window: { liveMase: 1.5 } })
    await addTo(broker)
    await call(broker, 'POST', '/api/models/m/rollback', { body: { version: 1 } })
    await untilState(broker, 'held')
    await putRule(broker)
    expect(await view(broker)).toMatchObject({ state: 'held' })
    await putRule(broker, { enabled: false })
    await call(broker, 'DELETE', '/api/models/m/hold')
    expect(await view(broker)).toMatchObject({ state: 'off', window: { observations: 24 } })
    // A look after all of this: only then it is known that nothing was begun.
    node.script.fit = 'claim'
    await putRule(broker)
    expect((await untilRuns(broker, 1)).runs[0]).toMatchObject({ judged: 2, version: 3 })
    expect(await view(broker)).toMatchObject({ state: 'open', runs: [{ state: 'fitting' }] })
    expect(await jobsOf(cluster)).toHaveLength(3)
  })

  test('of many series is told where its limit is one that they never pass', async () => {
    const { broker, cluster } = await opened()
    const key = versionKey(of, 1)
    const held = codecs.version.decode((await cluster.coordinator.get(key, signal()))!.value)
    if (!held.ok) throw new Error(held.fault)
    const many = codecs.version.encode({ ...held.value, series: 3 })
    await cluster.coordinator.transact({ when: [], then: [put(key, many)] }, signal())
    await putRule(broker, { liveMase: 10 })
    await tell(cluster, 1, { ...bad(1), scaled: 240, errorMax: 10 })
    const { detail } = await untilState(broker, 'below')
    expect(detail).toBe('The limit is never passed: of many series live accuracy is 10 at most.')
    await putRule(broker, { liveMase: 9.5 })
    expect((await untilRuns(broker, 1)).runs).toMatchObject([{ liveMase: 10, judged: 1 }])
  })

  test('rests between two retrainings', async () => {
    const { broker, cluster, set } = await opened()
    await putRule(broker)
    await tell(cluster, 1, bad(1))
    await untilServing(broker, 2)
    await tell(cluster, 2, bad(2))
    const resting = await untilState(broker, 'resting')
    expect(resting.restsUntil).toBe('2026-01-01T01:30:00.000Z')
    expect(await jobsOf(cluster)).toHaveLength(2)
    set('2026-01-01T01:30:00.000Z')
    await untilServing(broker, 3)
    expect((await view(broker)).runs).toMatchObject([{ version: 3 }, { version: 2 }])
  })

  test('is not fitted again by what failed, until an update says something new', async () => {
    const { broker, cluster, node, set } = await opened()
    node.script.fit = 'fail'
    await putRule(broker)
    await tell(cluster, 1, bad(1))
    await untilRuns(broker, 1)
    expect(await untilState(broker, 'acted')).toMatchObject({ runs: [{ state: 'failed' }] })
    set('2026-01-02T00:00:00.000Z')
    await call(broker, 'PUT', '/api/models/m/retraining', { body: limit })
    expect(await view(broker)).toMatchObject({ state: 'acted' })
    node.script.fit = 'store'
    await addTo(broker)
    await untilServing(broker, 4)
    expect((await view(broker)).runs).toMatchObject([{ judged: 3, version: 4 }, { version: 2 }])
    expect(await jobsOf(cluster)).toHaveLength(4)
  })

  test('and that cannot be fitted again is told once, and with each update', async () => {
    const { broker, cluster } = await opened()
    await addTo(broker)
    await cluster.coordinator.transact({ when: [], then: [remove(versionKey(of, 1))] }, signal())
    await putRule(broker, { restSeconds: 0 })
    await tell(cluster, 2, bad(2))
    const { runs } = await untilState(broker, 'acted')
    expect(runs).toMatchObject([{ outcome: 'refused', reason: 'collected', judged: 2 }])
    await addTo(broker)
    const again = await eventually(
      () => view(broker),
      (now) => now.runs[0]?.judged === 3,
    )
    expect(again.runs).toMatchObject([
      { reason: 'collected', times: 2, detail: expect.any(String) },
    ])
    await untilCounted(broker, 'refused', 2)
    // Who changes the rule wants to know whether it works now.
    await putRule(broker, { restSeconds: 1 })
    await eventually(
      () => view(broker),
      (now) => now.runs[0]?.times === 3,
    )
    expect(await jobsOf(cluster)).toHaveLength(3)
  })

  test('is fitted again when the store, which was away, is back', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const fault: Fault = { state: 'none' }
    const store = interruptibleStore(cluster.store, fault)
    const broker = await cluster.broker(quick, { store })
    expect((await fit(broker, 'm')).status).toBe(200)
    await putRule(broker)
    fault.state = 'cut'
    await tell(cluster, 1, bad(1))
    await untilCounted(broker, 'away', 2)
    expect(await view(broker)).toMatchObject({ state: 'due', runs: [] })
    fault.state = 'none'
    await untilServing(broker, 2)
    expect(await jobsOf(cluster)).toHaveLength(2)
  })

  test('has one fit although the answer to its transaction was lost', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const fault: Fault = { state: 'none' }
    const lossy = interruptible(cluster.coordinator, fault)
    const broker = await cluster.broker(quick, {
      coordinator: {
        ...lossy,
        transact: (transaction, deadline) => {
          const isIt = transaction.then.some(({ key }) => key === retrainingKey(of))
          if (isIt && transaction.then.length > 1) fault.state = 'answer-lost'
          return lossy.transact(transaction, deadline)
        },
      },
    })
    expect((await fit(broker, 'm')).status).toBe(200)
    await putRule(broker, { restSeconds: 0 })
    await tell(cluster, 1, bad(1))
    await untilServing(broker, 2)
    await untilState(broker, 'too-few')
    expect(await jobsOf(cluster)).toHaveLength(2)
  })
})

describe('between a look and its transaction', () => {
  /** A broker before whose first such transaction somebody does something by another broker. */
  async function meanwhile(what: (other: Broker) => Promise<unknown>) {
    const cluster = await openCluster()
    await cluster.node()
    const other = await cluster.broker({ retrainingLookMs: 3_600_000 })
    expect((await fit(other, 'm')).status).toBe(200)
    await addTo(other)
    await putRule(other)
    const { coordinator } = cluster
    let [isBegun, isDone] = [false, false]
    const acting = await cluster.broker(quick, {
      coordinator: {
        ...coordinator,
        transact: async (transaction, deadline) => {
          const isIt = transaction.then.some(({ key }) => key === retrainingKey(of))
          if (!isIt || isBegun) return await coordinator.transact(transaction, deadline)
          isBegun = true
          await what(other)
          const result = await coordinator.transact(transaction, deadline)
          isDone = true
          return result
        },
      },
    })
    await tell(cluster, 2, bad(2))
    await eventually(() => isDone, Boolean)
    return { cluster, acting }
  }

  test('a rollback keeps it from being begun', async () => {
    const body = { version: 1 }
    const { cluster, acting } = await meanwhile((other) =>
      call(other, 'POST', '/api/models/m/rollback', { body }),
    )
    expect(await untilState(acting, 'held')).toMatchObject({ runs: [] })
    expect(await jobsOf(cluster)).toHaveLength(2)
  })

  test('a rule that is switched off begins nothing', async () => {
    const { cluster, acting } = await meanwhile((other) => putRule(other, { enabled: false }))
    expect(await untilState(acting, 'off')).toMatchObject({ runs: [] })
    expect(await jobsOf(cluster)).toHaveLength(2)
  })

  test('a deletion leaves neither rule nor job', async () => {
    const { cluster, acting } = await meanwhile((other) => call(other, 'DELETE', '/api/models/m'))
    expect((await get(acting, path)).status).toBe(404)
    expect((await get(acting, '/api/models/m')).status).toBe(404)
    expect((await jobsOf(cluster)).length).toBeLessThanOrEqual(2)
  })
})

describe('a rule', () => {
  test('of each model has its turn', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const broker = await cluster.broker({ ...quick, retrainingsJudgedMax: 1 })
    expect((await fit(broker, 'm')).status).toBe(200)
    await putRule(broker, { enabled: false })
    for (const model of ['n', 'o']) {
      expect((await fit(broker, model)).status).toBe(200)
      const rule = `/api/models/${model}/retraining`
      expect((await call(broker, 'PUT', rule, { body: limit })).status).toBe(201)
      await tellOf(cluster, { ...of, model }, 1, bad(1))
    }
    for (const model of ['n', 'o'])
      await eventually(
        () => get(broker, `/api/models/${model}`),
        ({ body }) => body.serving === 2,
      )
  })

  test('goes with its model, and another model of the name has none', async () => {
    const { broker, cluster } = await opened()
    await putRule(broker)
    expect((await call(broker, 'DELETE', '/api/models/m')).status).toBe(200)
    expect((await get(broker, path)).status).toBe(404)
    expect((await call(broker, 'PUT', path, { body: limit })).body).toMatchObject({
      ...{ status: 404, type: 'urn:almanac:problem:no-such-model' },
    })
    expect((await fit(broker, 'm')).status).toBe(200)
    expect((await get(broker, path)).body).toMatchObject({
      type: 'urn:almanac:problem:no-such-rule',
    })
    expect(await cluster.coordinator.get(retrainingKey(of), signal())).toBeUndefined()
  })

  test('is not made for a model that is deleted meanwhile', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const other = await cluster.broker(quick)
    expect((await fit(other, 'm')).status).toBe(200)
    const { coordinator } = cluster
    const broker = await cluster.broker(quick, {
      coordinator: {
        ...coordinator,
        transact: async (transaction, deadline) => {
          const [first] = transaction.then
          if (first?.kind === 'put' && first.key === retrainingKey(of))
            expect((await call(other, 'DELETE', '/api/models/m')).status).toBe(200)
          return await coordinator.transact(transaction, deadline)
        },
      },
    })
    expect((await call(broker, 'PUT', path, { body: limit })).status).toBe(404)
    expect(await coordinator.get(retrainingKey(of), signal())).toBeUndefined()
  })

  test('has defaults, is changed, listed and removed', async () => {
    const { broker } = await opened()
    const made = await call(broker, 'PUT', path, { body: { liveMase: 2 } })
    expect(made.body).toMatchObject({ liveMase: 2, observations: 20, restSeconds: 86_400 })
    expect((await putRule(broker)).status).toBe(200)
    const page = (await get(broker, '/api/retraining')).body
    expect(page).toMatchObject({ retraining: [{ model: 'm', ...limit }], next: null })
    expect((await call(broker, 'DELETE', path)).body).toEqual({ model: 'm' })
    expect((await call(broker, 'DELETE', path)).status).toBe(404)
    expect((await get(broker, '/api/retraining')).body.retraining).toEqual([])
  })

  test('more than there may be is refused', async () => {
    const { cluster } = await opened()
    const broker = await cluster.broker({ ...quick, retrainingsMax: 1 })
    expect((await fit(broker, 'other')).status).toBe(200)
    await putRule(broker)
    const other = '/api/models/other/retraining'
    expect((await call(broker, 'PUT', other, { body: limit })).body).toMatchObject({
      ...{ status: 409, type: 'urn:almanac:problem:too-many-rules' },
    })
    expect((await putRule(broker)).status).toBe(200)
  })

  test.each([
    [{ liveMase: 0 }, '/liveMase'],
    [{ liveMase: null }, '/liveMase'],
    [{ liveMase: '1.5' }, '/liveMase'],
    [{ liveMase: undefined }, '/liveMase'],
    [{ observations: 0 }, '/observations'],
    [{ observations: 1.5 }, '/observations'],
    [{ observations: 2e6 }, '/observations'],
    [{ restSeconds: -1 }, '/restSeconds'],
    [{ enabled: 'yes' }, '/enabled'],
    [{ more: 1 }, '/more'],
  ])('with %j is refused', async (change, field) => {
    const broker = await (await openCluster()).broker()
    const answer = await call(broker, 'PUT', path, { body: { ...limit, ...change } })
    expect([answer.status, answer.body.field], answer.text).toEqual([400, field])
    expect((await get(broker, path)).status).toBe(404)
  })
})

describe('of two brokers', () => {
  test('one acts', async () => {
    const { cluster, broker, clock } = await opened()
    for (let i = 0; i < 2; i += 1) await cluster.broker(quick, { clock })
    await putRule(broker, { restSeconds: 0 })
    for (const version of [1, 2, 3]) {
      await tell(cluster, version, bad(version))
      await untilServing(broker, version + 1)
    }
    await untilState(broker, 'too-few')
    expect(await jobsOf(cluster)).toHaveLength(1 + 3)
  })

  test.each([
    ['before', 'its claim', claimKey('retraining'), 1],
    ['after', 'its claim', claimKey('retraining'), 1],
    ['before', 'job and run', jobsPrefix, 1],
    ['after', 'job and run', jobsPrefix, 2],
  ] as const)(
    'one dies %s it has recorded %s: there is one job',
    async (when, _what, prefix, jobs) => {
      const cluster = await openCluster()
      await cluster.node()
      const dying = mortal(cluster.coordinator)
      const first = await cluster.broker(quick, { coordinator: dying.coordinator })
      expect((await fit(first, 'm')).status).toBe(200)
      await putRule(first, { restSeconds: 0 })
      dying.dieAt((key) => key.startsWith(prefix), when)
      await tell(cluster, 1, bad(1))
      await eventually(dying.isDead, Boolean)
      const other = await cluster.broker(quick)
      // A claim of the dead keeps the other from acting until its lease ends.
      const keepsOut = when === 'after' || prefix === jobsPrefix
      if (keepsOut) expect(await jobsOf(cluster)).toHaveLength(jobs)
      await dying.endLeases()
      await untilServing(other, 2)
      expect((await untilState(other, 'too-few')).runs).toMatchObject([{ judged: 1, version: 2 }])
      expect(await jobsOf(cluster)).toHaveLength(2)
    },
  )
})
