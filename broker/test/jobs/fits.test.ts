import {
  codecs,
  jobsPrefix,
  modelsPrefix,
  put,
  type VersionRecord,
  versionKey,
  versionsPrefix,
} from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { call, fit, fitBody, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { interruptible, interruptibleStore } from '../support/faults.ts'
import { versionRecord } from '../support/records.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const later = { prefer: 'respond-async' }

async function keysOf({ coordinator }: TestCluster, prefix: string): Promise<readonly string[]> {
  return (await coordinator.list(prefix, signal())).entries.map(({ key }) => key)
}

describe('a fit', () => {
  test('is answered when its version serves', async () => {
    const cluster = await openCluster()
    await cluster.node()
    const broker = await cluster.broker()
    const answer = await fit(broker, 'm')
    expect(answer.status, answer.text).toBe(200)
    expect(answer.body).toMatchObject({ model: 'm', version: 1, state: 'serving', serving: 1 })
    const job = await get(broker, String(answer.headers.location))
    expect(job.body).toMatchObject({ state: 'done', attempts: 1, version: 1 })
    const log = await get(broker, '/api/models/m/log')
    expect(log.body.log).toMatchObject([{ n: 1, from: null, to: 1, why: 'fit' }])
  })

  test('is answered at once with its job when the client prefers so', async () => {
    const cluster = await openCluster()
    const broker = await cluster.broker()
    const answer = await fit(broker, 'm', later)
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({ state: 'queued', version: 1, serving: null })
    expect((await get(broker, String(answer.headers.location))).body.state).toBe('queued')
  })

  test('is answered with its job when it takes longer than the client should wait', async () => {
    const cluster = await openCluster()
    const broker = await cluster.broker({ fitWaitMs: 100 })
    expect((await fit(broker, 'm')).status).toBe(202)
  })

  test('that failed is a 422 with the reason, and what served goes on', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker()
    await fit(broker, 'm')
    node.script.fit = 'fail'
    const answer = await fit(broker, 'm')
    expect(answer.status).toBe(422)
    expect(answer.body).toMatchObject({ type: 'urn:almanac:problem:fit-scripted' })
    expect(answer.body.detail).toContain('The script says so')
    const forecast = await get(broker, '/api/models/m/forecast/2')
    expect(forecast.headers['x-model-version']).toBe('1')
    const version = await get(broker, '/api/models/m/versions/2')
    expect(version.body).toMatchObject({ state: 'failed', error: { reason: 'scripted' } })
  })

  test('whose data are bad keeps nothing', async () => {
    const cluster = await openCluster()
    const broker = await cluster.broker()
    const answer = await call(broker, 'POST', '/api/fit_model', {
      body: { data: [1, 2, 3], spec: { family: 'arima' } },
    })
    expect(answer.status).toBe(422)
    expect(await keysOf(cluster, '/')).toEqual([])
    const { blobs } = await cluster.store.listBlobs('dataset', { after: null, limit: 9 }, signal())
    expect(blobs).toEqual([])
  })

  test('that was overtaken says which version won', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    const broker = await cluster.broker()
    node.script.fit = 'ignore'
    const slow = fit(broker, 'm')
    await eventually(
      () => keysOf(cluster, versionsPrefix(of)),
      (keys) => keys.length === 1,
    )
    await putVersion(cluster, versionRecord(2))
    await eventually(
      () => get(broker, '/api/models/m'),
      ({ body }) => body.serving === 2,
    )
    await putVersion(cluster, versionRecord(1))
    const answer = await slow
    expect(answer.body).toMatchObject({ version: 1, state: 'superseded', serving: 2 })
  })
})

describe('durability', () => {
  test('a repeated Idempotency-Key gets the same job, another body under it is refused', async () => {
    const cluster = await openCluster()
    const broker = await cluster.broker()
    const key = { ...later, 'idempotency-key': 'once' }
    const all = await Promise.all([1, 2, 3, 4].map(() => fit(broker, 'm', key)))
    expect(new Set(all.map(({ body }) => body.job)).size).toBe(1)
    expect(await keysOf(cluster, versionsPrefix(of))).toHaveLength(1)
    const other = { ...fitBody, data: [...fitBody.data, 1] }
    const refused = await call(broker, 'POST', '/api/models/m/fit', { body: other, headers: key })
    expect(refused.status).toBe(422)
    expect(refused.body.type).toBe('urn:almanac:problem:idempotency-key-reused')
    const elsewhere = await fit(broker, 'other', key)
    expect(elsewhere.status).toBe(422)
  })

  test('two brokers that allocate at once give distinct, gapless versions', async () => {
    const cluster = await openCluster()
    const brokers = [await cluster.broker(), await cluster.broker()]
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) => fit(brokers[i % 2]!, 'm', later)),
    )
    const statuses = new Set(answers.map(({ status }) => status))
    expect([...statuses]).toEqual([202])
    const versions = answers.map(({ body }) => Number(body.version)).sort((a, b) => a - b)
    expect(versions).toEqual(Array.from({ length: 24 }, (_, i) => i + 1))
    expect(await keysOf(cluster, jobsPrefix)).toHaveLength(24)
  })

  test('a transaction whose answer was lost is read back, not repeated', async () => {
    const cluster = await openCluster()
    const fault = { state: 'none' as 'none' | 'answer-lost' }
    const coordinator = interruptible(cluster.coordinator, fault)
    const broker = await cluster.broker({}, { coordinator })
    fault.state = 'answer-lost'
    const answer = await fit(broker, 'm', later)
    expect(answer.status, answer.text).toBe(202)
    expect(fault.state).toBe('none')
    expect(await keysOf(cluster, versionsPrefix(of))).toHaveLength(1)
  })

  test.each(['cut', 'stuck'] as const)(
    'with the coordinator %s a fit is refused with 503 and forecasts go on',
    async (state) => {
      const cluster = await openCluster()
      await cluster.node()
      const fault = { state: 'none' as 'none' | 'cut' | 'stuck' }
      const coordinator = interruptible(cluster.coordinator, fault)
      const broker = await cluster.broker({ responseCacheBytes: 0 }, { coordinator })
      await fit(broker, 'm')
      fault.state = state
      const startedMs = performance.now()
      const answer = await fit(broker, 'm')
      expect(performance.now() - startedMs).toBeLessThan(1_000)
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
      expect(answer.body.type).toBe('urn:almanac:problem:coordinator-away')
      expect((await get(broker, '/api/models/m/forecast/2')).status).toBe(200)
      expect((await get(broker, '/readyz')).status).toBe(200)
      fault.state = 'none'
      expect((await fit(broker, 'm')).status).toBe(200)
    },
  )

  test.each(['cut', 'stuck'] as const)(
    'with the store %s a fit is refused with 503 and allocates nothing',
    async (state) => {
      const cluster = await openCluster()
      await cluster.node()
      const fault = { state: 'none' as 'none' | 'cut' | 'stuck' }
      const store = interruptibleStore(cluster.store, fault)
      const broker = await cluster.broker({}, { store })
      await fit(broker, 'm')
      const before = await keysOf(cluster, modelsPrefix)
      fault.state = state
      const startedMs = performance.now()
      const answer = await fit(broker, 'm')
      expect(performance.now() - startedMs).toBeLessThan(1_000)
      expect(answer.body.type).toBe('urn:almanac:problem:store-away')
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
      expect(await keysOf(cluster, modelsPrefix)).toEqual(before)
      expect((await get(broker, '/api/models/m/forecast/2')).status).toBe(200)
    },
  )
})

describe('handing fits to nodes', () => {
  test('a node that is full is passed over', async () => {
    const cluster = await openCluster()
    const full = await cluster.node()
    await cluster.node()
    full.script.fit = 'full'
    const broker = await cluster.broker()
    for (let i = 0; i < 3; i += 1) expect((await fit(broker, 'm')).status).toBe(200)
    expect(full.orders.length).toBeLessThan(4)
  })

  test('a fit that waited for a node begins when one comes', async () => {
    const cluster = await openCluster()
    const broker = await cluster.broker()
    const answer = fit(broker, 'm')
    await eventually(
      () => keysOf(cluster, jobsPrefix),
      (keys) => keys.length === 1,
    )
    await cluster.node()
    expect((await answer).status).toBe(200)
  })

  test('a fit whose broker died is handed on by another', async () => {
    const cluster = await openCluster()
    const first = await cluster.broker()
    expect((await fit(first, 'm', later)).status).toBe(202)
    await first.close()
    await cluster.node()
    const second = await cluster.broker()
    await eventually(
      () => get(second, '/api/models/m'),
      ({ body }) => body.serving === 1,
    )
  })

  test('a fit whose node died is handed to another', async () => {
    const cluster = await openCluster()
    const dies = await cluster.node()
    dies.script.fit = 'claim'
    const broker = await cluster.broker()
    const answer = fit(broker, 'm')
    await eventually(
      () => get(broker, '/api/jobs'),
      ({ body }) => (body.jobs as { state: string }[])[0]?.state === 'running',
    )
    const second = await cluster.node()
    await dies.kill()
    await dies.dropClaim(dies.orders[0]!)
    expect((await answer).status).toBe(200)
    expect(second.orders).toContain(dies.orders[0])
  })

  test('a fit that killed every node that tried it fails, with the reason', async () => {
    const cluster = await openCluster()
    const node = await cluster.node()
    node.script.fit = 'claim'
    const shorter = { dispatchAgainMs: 200, dispatchPatienceMs: 100, exhaustedGraceMs: 300 }
    const broker = await cluster.broker(shorter)
    const answer = fit(broker, 'm')
    for (let attempts = 1; attempts <= 3; attempts += 1) {
      const job = async () => (await get(broker, '/api/jobs')).body.jobs as { attempts: number }[]
      await eventually(job, (jobs) => jobs[0]?.attempts === attempts)
      await node.dropClaim(node.orders[0]!)
    }
    const failed = await answer
    expect(failed.status).toBe(422)
    expect(failed.body.type).toBe('urn:almanac:problem:fit-attempts-exhausted')
  })
})

async function putVersion({ coordinator }: TestCluster, record: VersionRecord): Promise<void> {
  const then = [put(versionKey(of, record.version), codecs.version.encode(record))]
  await coordinator.transact({ when: [], then }, signal())
}
