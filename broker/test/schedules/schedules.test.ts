import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codecs, jobsPrefix, openFolderFiles, remove, versionKey } from '@almanac/shared'
import { describe, expect, onTestFinished, test } from 'vitest'
import { call, fit, fitBody, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { handClock } from '../support/hand-clock.ts'
import { mortal } from '../support/mortal.ts'

const signal = () => AbortSignal.timeout(5_000)
const hourly = { cron: '0 * * * *', action: { refit: { model: 'm' } } }
const of = { tenant: 'default', model: 'm' }
const naive = { family: 'baseline', method: 'naive' }
const quick = { scheduleLookMs: 20 }
const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
}

async function opened() {
  const cluster = await openCluster()
  const node = await cluster.node()
  const { clock, set } = handClock()
  const broker = await cluster.broker(quick, { clock })
  expect((await fit(broker, 'm')).status).toBe(200)
  return { cluster, node, broker, clock, set }
}

type Broker = Parameters<typeof get>[0]
const put = (broker: Broker, name: string, body: unknown) =>
  call(broker, 'PUT', `/api/schedules/${name}`, { body })

type View = {
  next: string | null
  last: Record<string, unknown> | null
  runs: Record<string, unknown>[]
}
const view = async (broker: Broker, name = 's') =>
  (await get(broker, `/api/schedules/${name}`)).body as unknown as View

const untilRun = (broker: Broker, instant: string) =>
  eventually(
    () => view(broker),
    ({ last }) => last?.instant === instant,
  )

async function jobsOf({ coordinator }: TestCluster) {
  const { entries } = await coordinator.list(jobsPrefix, signal())
  return entries.map(({ value }) => {
    const job = codecs.job.decode(value)
    if (!job.ok) throw new Error(job.fault)
    return job.value
  })
}

describe('a schedule', () => {
  test('begins its job when it is due, and says what it did and what comes next', async () => {
    const { broker, set, cluster } = await opened()
    const made = await put(broker, 's', hourly)
    expect(made.status, made.text).toBe(201)
    expect(made.body).toMatchObject({ next: '2026-01-01T01:00:00.000Z', last: null, enabled: true })
    set('2026-01-01T01:00:00.000Z')
    const { last, next } = await untilRun(broker, '2026-01-01T01:00:00.000Z')
    expect(next).toBe('2026-01-01T02:00:00.000Z')
    expect(last).toMatchObject({ outcome: 'begun', by: 'schedule', model: 'm', version: 2 })
    const job = await get(broker, `/api/jobs/${last!.job}`)
    const why = 'Schedule s began it for 2026-01-01T01:00:00.000Z.'
    expect(job.body).toMatchObject({ kind: 'fit', version: 2, why })
    expect(await jobsOf(cluster)).toHaveLength(2)
  })

  test('makes up for the newest of many missed instants only, and says so', async () => {
    const { broker, set, cluster } = await opened()
    await put(broker, 's', hourly)
    set('2026-01-03T12:10:00.000Z')
    const { last, next } = await untilRun(broker, '2026-01-03T12:00:00.000Z')
    expect(last).toMatchObject({ outcome: 'begun', missed: 59 })
    expect(next).toBe('2026-01-03T13:00:00.000Z')
    expect(await jobsOf(cluster)).toHaveLength(2)
  })

  test('skips an instant while its last job is not finished', async () => {
    const { broker, node, set, cluster } = await opened()
    node.script.fit = 'claim'
    await put(broker, 's', hourly)
    set('2026-01-01T01:00:00.000Z')
    const first = await untilRun(broker, '2026-01-01T01:00:00.000Z')
    set('2026-01-01T02:00:00.000Z')
    const { last } = await untilRun(broker, '2026-01-01T02:00:00.000Z')
    expect(last).toMatchObject({ outcome: 'skipped', job: first.last!.job })
    expect(await jobsOf(cluster)).toHaveLength(2)
    const asked = await call(broker, 'POST', '/api/schedules/s/run')
    expect(asked.body).toMatchObject({ status: 409, type: 'urn:almanac:problem:still-running' })
    node.script.fit = 'store'
    await call(broker, 'POST', `/api/jobs/${first.last!.job}/cancel`)
    set('2026-01-01T03:00:00.000Z')
    const third = await untilRun(broker, '2026-01-01T03:00:00.000Z')
    expect(third.last).toMatchObject({ outcome: 'begun', version: 3 })
  })

  test('tells what refused it, and tries again at the next instant', async () => {
    const { broker, set } = await opened()
    await put(broker, 's', { ...hourly, action: { refit: { model: 'none' } } })
    set('2026-01-01T01:00:00.000Z')
    const { last, next } = await untilRun(broker, '2026-01-01T01:00:00.000Z')
    expect(last).toMatchObject({ outcome: 'refused', reason: 'no-such-model' })
    expect(next).toBe('2026-01-01T02:00:00.000Z')
  })

  test('does nothing while it is off, and nothing of that time when it is on again', async () => {
    const { broker, set, cluster } = await opened()
    await put(broker, 's', { ...hourly, enabled: false })
    expect((await view(broker)).next).toBe(null)
    await put(broker, 'other', hourly)
    set('2026-01-01T01:10:00.000Z')
    await eventually(
      () => view(broker, 'other'),
      ({ last }) => last !== null,
    )
    expect(await view(broker)).toMatchObject({ last: null })
    await put(broker, 's', hourly)
    expect((await view(broker)).next).toBe('2026-01-01T02:00:00.000Z')
    expect(await jobsOf(cluster)).toHaveLength(2)
  })

  test('runs when somebody asks, whatever the time', async () => {
    const { broker } = await opened()
    await put(broker, 's', { ...hourly, enabled: false })
    const answer = await call(broker, 'POST', '/api/schedules/s/run')
    expect(answer.status, answer.text).toBe(200)
    expect(answer.body).toMatchObject({ model: 'm', version: 2, state: 'serving' })
    expect((await view(broker)).last).toMatchObject({ by: 'request', outcome: 'begun', version: 2 })
  })

  test('remembers a bounded number of runs', async () => {
    const { cluster, clock } = await opened()
    const broker = await cluster.broker({ ...quick, scheduleRunsKept: 2 }, { clock })
    await put(broker, 's', { ...hourly, enabled: false })
    for (let i = 0; i < 3; i += 1) await call(broker, 'POST', '/api/schedules/s/run')
    expect((await view(broker)).runs.map(({ version }) => version)).toEqual([4, 3])
  })

  test('is listed, changed and removed', async () => {
    const { broker, set, cluster } = await opened()
    await put(broker, 's', hourly)
    const changed = await put(broker, 's', { ...hourly, cron: '0 5 * * *', timezone: 'Asia/Tokyo' })
    expect(changed.status).toBe(200)
    expect(changed.body).toMatchObject({ next: '2026-01-01T20:00:00.000Z' })
    const all = (await get(broker, '/api/schedules')).body.schedules as { name: string }[]
    expect(all.map(({ name }) => name)).toEqual(['s'])
    expect((await call(broker, 'DELETE', '/api/schedules/s')).status).toBe(200)
    expect((await call(broker, 'DELETE', '/api/schedules/s')).status).toBe(404)
    expect((await get(broker, '/api/schedules/s')).status).toBe(404)
    await put(broker, 'other', hourly)
    set('2026-01-05T00:00:00.000Z')
    await eventually(
      () => view(broker, 'other'),
      ({ last }) => last !== null,
    )
    expect(await jobsOf(cluster)).toHaveLength(2)
  })

  test('of which there are too many is refused', async () => {
    const { cluster, clock } = await opened()
    const broker = await cluster.broker({ ...quick, schedulesMax: 2 }, { clock })
    for (const name of ['a', 'b']) expect((await put(broker, name, hourly)).status).toBe(201)
    expect((await put(broker, 'c', hourly)).body).toMatchObject({
      type: 'urn:almanac:problem:too-many-schedules',
    })
    expect((await put(broker, 'a', hourly)).status).toBe(200)
  })

  test.each([
    [{ cron: '61 * * * *' }, 400, '/cron'],
    [{ cron: '0 0 30 2 *' }, 400, '/cron'],
    [{ timezone: 'Mars/Olympus' }, 400, '/timezone'],
    [{ action: { dance: {} } }, 400, '/action'],
    [{ action: { refit: { model: 'm' }, fit: {} } }, 400, '/action'],
    [{ action: { refit: { model: 'No Name' } } }, 400, '/action/refit/model'],
    [{ action: { refit: { model: 'm', spec: {} } } }, 400, '/action/refit'],
    [{ action: { fit: { model: 'm', data: [1] } } }, 400, '/action/fit'],
    [
      { action: { fit: { model: 'm', table: { file: 'a.csv', recipe: {} } } } },
      400,
      '/action/fit/table/recipe',
    ],
    [{ more: 1 }, 400, '/more'],
  ])('%j is refused', async (change, status, field) => {
    const cluster = await openCluster()
    const broker = await cluster.broker()
    const answer = await put(broker, 's', { ...hourly, ...change })
    expect(answer.status, answer.text).toBe(status)
    expect(String(answer.body.field).startsWith(field), answer.text).toBe(true)
    expect((await get(broker, '/api/schedules')).body.schedules).toEqual([])
  })
})

test('a table is read anew by each run; a file that is not there is told', async () => {
  const cluster = await openCluster()
  const node = await cluster.node()
  node.script.fit = 'claim'
  const path = await mkdtemp(join(tmpdir(), 'almanac-files-'))
  const files = await openFolderFiles({ path })
  onTestFinished(async () => {
    await files.close()
    await rm(path, { recursive: true })
  })
  const { clock, set } = handClock()
  const broker = await cluster.broker(quick, { clock, files })
  const table = { file: 'sales.csv', recipe }
  const fit = { model: 't', table, bounds: { lower: 0 } }
  const made = await put(broker, 's', { ...hourly, action: { fit } })
  expect(made.status, made.text).toBe(201)
  set('2026-01-01T01:00:00.000Z')
  const refused = await untilRun(broker, '2026-01-01T01:00:00.000Z')
  expect(refused.last).toMatchObject({ outcome: 'refused', reason: 'no-such-file' })
  const content = (async function* () {
    yield Buffer.from('date,store,sold\n')
  })()
  await files.write('sales.csv', content, signal())
  set('2026-01-01T02:00:00.000Z')
  const begun = await untilRun(broker, '2026-01-01T02:00:00.000Z')
  expect(begun.last).toMatchObject({ outcome: 'begun', model: 't', version: 1 })
  expect(await jobsOf(cluster)).toMatchObject([{ kind: 'fit-table' }])
  const version = await get(broker, '/api/models/t/versions/1')
  expect(version.body).toMatchObject({ bounds: { lower: 0 } })
})

test('a refit has the data and the spec of what serves', async () => {
  const { broker, cluster } = await opened()
  const series = Array.from({ length: 4_100 }, (_, i) => ({ key: `s=${i}`, y: [1, i] }))
  const spec = { family: 'baseline', method: 'naive' }
  const many = { body: { series, spec }, headers: {} }
  const [node] = [await cluster.node()]
  node.script.fit = 'store'
  expect((await call(broker, 'POST', '/api/models/many/fit', many)).status).toBe(200)
  await put(broker, 's', { ...hourly, enabled: false, action: { refit: { model: 'many' } } })
  await call(broker, 'POST', '/api/schedules/s/run')
  const jobs = (await jobsOf(cluster)).filter(({ subject }) => subject.model === 'many')
  expect(jobs.map(({ kind, shards }) => [kind, shards])).toEqual([
    ['fit-shards', 3],
    ['fit-shards', 3],
  ])
  const one = (await get(broker, '/api/models/many/versions/1')).body
  const other = (await get(broker, '/api/models/many/versions/2')).body
  expect(other).toMatchObject({ spec: one.spec, series: 4_100, observations: 8_200 })
})

test('a backtest is begun like any job, of the version that serves then', async () => {
  const { broker, node, set, cluster } = await opened()
  node.script.fit = 'ignore'
  const action = { backtest: { model: 'm', horizon: 1, windows: 1, spec: naive } }
  const made = await put(broker, 's', { ...hourly, action })
  expect(made.status, made.text).toBe(201)
  set('2026-01-01T01:00:00.000Z')
  const { last } = await untilRun(broker, '2026-01-01T01:00:00.000Z')
  expect(last).toMatchObject({ outcome: 'begun', model: 'm', version: 1 })
  const backtests = async () => (await jobsOf(cluster)).filter(({ kind }) => kind === 'backtest')
  expect(await backtests()).toMatchObject([
    { id: last!.job, subject: { version: 1 }, why: expect.stringContaining('Schedule s') },
  ])
  const cancelled = await call(broker, 'POST', `/api/jobs/${last!.job}/cancel`)
  expect(cancelled.body).toMatchObject({ state: 'failed', error: { phase: 'backtest' } })
  expect((await get(broker, '/api/models/m/versions/1')).body).toMatchObject({ state: 'serving' })
  expect((await call(broker, 'POST', `/api/jobs/${last!.job}/retry`)).status).toBe(409)
  const asked = await call(broker, 'POST', '/api/schedules/s/run')
  expect([asked.status, asked.body.version]).toEqual([202, 1])
  expect(await backtests()).toHaveLength(2)
  const wrong = { backtest: { model: 'm', horizon: 0 } }
  expect((await put(broker, 't', { ...hourly, action: wrong })).body).toMatchObject({
    ...{ status: 400, field: '/action/backtest/horizon' },
  })
})

describe('of two brokers', () => {
  test('one acts on an instant', async () => {
    const { cluster, broker, clock, set } = await opened()
    for (let i = 0; i < 2; i += 1) await cluster.broker(quick, { clock })
    await put(broker, 's', hourly)
    for (const hour of ['01', '02', '03', '04']) {
      set(`2026-01-01T${hour}:00:00.000Z`)
      await untilRun(broker, `2026-01-01T${hour}:00:00.000Z`)
    }
    expect(await jobsOf(cluster)).toHaveLength(1 + 4)
  })

  test.each(['before', 'after'] as const)(
    'one dies %s job and run are recorded: the instant has one job',
    async (when) => {
      const cluster = await openCluster()
      await cluster.node()
      const { clock, set } = handClock()
      const dying = mortal(cluster.coordinator)
      const first = await cluster.broker(quick, { clock, coordinator: dying.coordinator })
      expect((await fit(first, 'm')).status).toBe(200)
      await put(first, 's', hourly)
      dying.dieAt((key) => key.startsWith(jobsPrefix), when)
      set('2026-01-01T01:00:00.000Z')
      await eventually(dying.isDead, Boolean)
      const other = await cluster.broker(quick, { clock })
      // The claim of the dead keeps the other from acting until its lease ends.
      const before = await jobsOf(cluster)
      expect(before).toHaveLength(when === 'before' ? 1 : 2)
      await dying.endLeases()
      const { last } = await untilRun(other, '2026-01-01T01:00:00.000Z')
      expect(last).toMatchObject({ outcome: 'begun', version: 2 })
      await eventually(
        () => jobsOf(cluster),
        (jobs) => jobs.every(({ endedAt }) => endedAt !== null),
      )
      set('2026-01-01T02:00:00.000Z')
      await untilRun(other, '2026-01-01T02:00:00.000Z')
      const versions = (await jobsOf(cluster)).map(({ subject }) => subject.version)
      expect(versions.sort()).toEqual([1, 2, 3])
    },
  )
})

describe('a refit of what came in parts', () => {
  const runOnce = async (broker: Broker) => {
    await put(broker, 's', { ...hourly, enabled: false })
    return await call(broker, 'POST', '/api/schedules/s/run')
  }

  test('has all observations of one series, in order, and its calendar', async () => {
    const { broker, cluster } = await opened()
    const about = { start: '2024-03-01', frequency: 'daily', timezone: 'Europe/Berlin' }
    const series = [{ ...about, y: fitBody.data }]
    const zoned = await call(broker, 'POST', '/api/models/m/fit', {
      body: { ...fitBody, data: undefined, series },
    })
    expect(zoned.status, zoned.text).toBe(200)
    for (const data of [[101, null], [103]])
      await call(broker, 'POST', '/api/models/m/observations', { body: { data } })
    const answer = await runOnce(broker)
    expect(answer.status, answer.text).toBe(200)
    const entry = await cluster.coordinator.get(versionKey(of, 5), signal())
    const version = codecs.version.decode(entry!.value)
    if (!version.ok) throw new Error(version.fault)
    expect(version.value.base).toBeUndefined()
    const ref = { kind: 'dataset', id: version.value.dataset.blob } as const
    const data = JSON.parse(Buffer.from(await cluster.store.readBlob(ref, signal())).toString())
    const y = [...fitBody.data, 101, null, 103]
    expect(data.series).toEqual([{ key: null, ...about, y }])
  })

  test('is refused where a part is not kept any more', async () => {
    const { broker, cluster } = await opened()
    await call(broker, 'POST', '/api/models/m/observations', { body: { data: [1] } })
    await cluster.coordinator.transact({ when: [], then: [remove(versionKey(of, 1))] }, signal())
    const answer = await runOnce(broker)
    expect(answer.body).toMatchObject({ status: 410, type: 'urn:almanac:problem:collected' })
  })
})
