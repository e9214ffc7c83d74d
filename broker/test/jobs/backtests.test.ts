import { hash } from 'node:crypto'
import { encodeShard } from '@almanac/engine'
import {
  type BacktestEntry,
  codecs,
  decodeBacktestInput,
  decodeShardIndex,
  encodeBacktestResult,
  encodeShardIndex,
  type JobRecord,
  jobKey,
  jobsPrefix,
  put,
  remove,
  versionKey,
  versionsPrefix,
} from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { type Bounds, boundsOf } from '../../src/config/bounds.ts'
import { readReferences } from '../../src/jobs/garbage.ts'
import type { Broker } from '../../src/server/broker.ts'
import { call, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const spec = { family: 'baseline', method: 'naive' }
const asynchronous = { prefer: 'respond-async' }
const problem = (code: string) => `urn:almanac:problem:${code}`
const keyOf = (i: number) => `s=${String(i).padStart(5, '0')}`

const write = ({ coordinator }: TestCluster, key: string, value: string) =>
  coordinator.transact({ when: [], then: [put(key, value)] }, signal())

async function versionOf({ coordinator }: TestCluster, version: number) {
  const entry = await coordinator.get(versionKey(of, version), signal())
  const record = codecs.version.decode(entry!.value)
  if (!record.ok) throw new Error(record.fault)
  return record.value
}

async function jobOf({ coordinator }: TestCluster, id: string): Promise<JobRecord> {
  const entry = await coordinator.get(jobKey(id), signal())
  const record = codecs.job.decode(entry!.value)
  if (!record.ok) throw new Error(record.fault)
  return record.value
}

/** Of a queued version a stored one; nobody looks at its models. */
async function store(cluster: TestCluster, version: number) {
  const record = await versionOf(cluster, version)
  const id = `index-${version}`
  let content = new Uint8Array(encodeShard({ keys: [], columns: {}, payloads: [] }))
  if (record.series !== undefined) {
    const root = (await versionOf(cluster, 1)).dataset.blob
    const data = await cluster.store.readBlob({ kind: 'dataset', id: root }, signal())
    const index = decodeShardIndex(data)
    if (!index.ok) throw new Error(index.fault)
    content = new Uint8Array(encodeShardIndex({ ...index.value, kind: 'models' }))
  }
  await cluster.store.writeBlob({ kind: 'model', id, content, label: 'm' }, signal())
  const known = { blob: id, sha256: hash('sha256', content, 'hex'), sizeBytes: content.byteLength }
  const stored = { ...record, ...known, state: 'stored' as const }
  await write(cluster, versionKey(of, version), codecs.version.encode(stored))
}

async function opened(body: unknown, bounds: Partial<Bounds> = {}) {
  const cluster = await openCluster()
  const broker = await cluster.broker(bounds)
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    call(broker, 'POST', `/api/models/m/${path}`, {
      body,
      headers: { ...asynchronous, ...headers },
    })
  const fitted = await post('fit', body)
  expect(fitted.status, fitted.text).toBe(202)
  await store(cluster, 1)
  const add = async (news: unknown, version: number) => {
    const added = await post('observations', news)
    expect(added.status, added.text).toBe(202)
    await store(cluster, version)
  }
  const backtest = (asked: unknown, headers: Record<string, string> = {}) =>
    post('backtests', { version: 1, ...(asked as object) }, headers)
  return { cluster, broker, add, backtest }
}

const one = { data: Array.from({ length: 60 }, (_, i) => i % 7), spec }
const many = (count: number) => ({
  series: Array.from({ length: count }, (_, i) => ({ key: keyOf(i), y: [1, i] })),
  spec,
})

async function inputOf(cluster: TestCluster, job: string) {
  const { backtest } = await jobOf(cluster, job)
  const ref = { kind: 'dataset', id: backtest!.input } as const
  const input = decodeBacktestInput(await cluster.store.readBlob(ref, signal()))
  if (!input.ok) throw new Error(input.fault)
  return input.value
}

describe('a backtest', () => {
  test('is a job of one shard for one series, with all that its version knows', async () => {
    const { cluster, broker, add, backtest } = await opened(one)
    await add({ data: [1, 2] }, 2)
    await add({ data: [3] }, 3)
    const answer = await backtest({ version: 3, horizon: 5 })
    expect(answer.status, answer.text).toBe(202)
    expect(answer.headers['x-model-version']).toBe('3')
    const job = String(answer.body.job)
    expect(answer.headers.location).toBe(`/api/jobs/${job}`)
    expect(answer.body).toMatchObject({
      ...{ model: 'm', version: 3, state: 'queued', scores: null, steps: null, spec },
      settings: { horizon: 5, windows: 4, step: 5 },
    })
    const blobs = [1, 2, 3].map(async (n) => (await versionOf(cluster, n)).dataset.blob)
    const data = (await Promise.all(blobs)).map((blob) => ({ blob, sha256: null }))
    expect(await inputOf(cluster, job)).toMatchObject({
      ...{ kind: 'one', spec, shards: [{ first: '', series: 1, data }] },
    })
    expect(await jobOf(cluster, job)).toMatchObject({ kind: 'backtest', shards: 1, attempts: 0 })
    expect((await get(broker, `/api/jobs/${job}`)).body).toMatchObject({ kind: 'backtest' })
  })

  test('is one of as many shards as the fit had for many, each with its news', async () => {
    const { cluster, add, backtest } = await opened(many(4_100))
    const news = [
      { key: keyOf(3_000), y: [7] },
      { key: 'a new one', y: [1] },
      { key: keyOf(2_000), y: [5] },
    ]
    await add({ series: news }, 2)
    const answer = await backtest({ version: 2, horizon: 1, spec: { family: 'theta' } })
    const { kind, shards, spec: judged } = await inputOf(cluster, String(answer.body.job))
    expect([kind, (judged as { family: string }).family]).toEqual(['many', 'theta'])
    // A fit at each of four origins; the last hundred series are not worth so many claims.
    expect(shards.map(({ first, data, part }) => [first, data.length, part])).toEqual([
      ...[0, 1, 2, 3].map((at) => [keyOf(0), 2, { at, of: 4 }]),
      ...[0, 1, 2, 3].map((at) => [keyOf(2_000), 2, { at, of: 4 }]),
      ...[0, 1].map((at) => [keyOf(4_000), 1, { at, of: 2 }]),
    ])
    expect(shards[0]?.series).toBe(2_001)
    expect(await jobOf(cluster, String(answer.body.job))).toMatchObject({ shards: 10 })
    const plain = await backtest({ version: 2, horizon: 1, mode: 'update' })
    expect(await jobOf(cluster, String(plain.body.job))).toMatchObject({ shards: 3 })
  })

  test('answers when it is done, and with 422 when it failed', async () => {
    const { cluster, broker, backtest } = await opened(one)
    const waiting = backtest({ horizon: 5 }, { prefer: 'wait=10' })
    const job = await firstBacktest(cluster)
    await finish(cluster, job)
    const answer = await waiting
    expect(answer.status, answer.text).toBe(200)
    expect(answer.body).toMatchObject({ job, state: 'done', scores, steps })
    const failing = backtest({ horizon: 6 }, { prefer: 'wait=10' })
    const other = await firstBacktest(cluster, job)
    const error = { phase: 'backtest' as const, reason: 'too-long', detail: 'It was.' }
    await change(cluster, other, { state: 'failed', error, endedAt: new Date().toISOString() })
    const failed = await failing
    expect([failed.status, failed.body.type]).toEqual([422, problem('backtest-too-long')])
    const path = `/api/models/m/backtests/${other}/series`
    expect((await get(broker, path)).body.type).toBe(problem('backtest-failed'))
  })

  test('that is asked for twice with one Idempotency-Key is made once', async () => {
    const { backtest } = await opened(one)
    const key = { 'idempotency-key': 'k' }
    const first = await backtest({ horizon: 5 }, key)
    const second = await backtest({ horizon: 5 }, key)
    expect([first.status, second.status]).toEqual([202, 202])
    expect(second.body.job).toBe(first.body.job)
    const other = await backtest({ horizon: 6 }, key)
    expect(other.body.type).toBe(problem('idempotency-key-reused'))
  })

  test.each([
    ['of more than there is', { horizon: 20 }, 422, 'too-short', '/windows'],
    ['of a version that never was', { horizon: 5, version: 9 }, 404, 'no-such-version', 'version'],
    [
      'of what served before nothing',
      { version: 'previous', horizon: 5 },
      404,
      'no-previous',
      undefined,
    ],
    ['without a horizon', {}, 400, 'invalid', '/horizon'],
  ])('%s is refused, and nothing is begun', async (_what, asked, status, code, field) => {
    const { cluster, backtest } = await opened(one)
    const answer = await backtest(asked)
    expect([answer.status, answer.body.type, answer.body.field]).toEqual([
      ...[status, problem(code), field],
    ])
    expect((await cluster.coordinator.list(jobsPrefix, signal())).entries).toHaveLength(1)
  })

  test('of a version whose base was collected is refused', async () => {
    const { cluster, add, backtest } = await opened(one)
    await add({ data: [1, 2] }, 2)
    const gone = [remove(versionKey(of, 1))]
    await cluster.coordinator.transact({ when: [], then: gone }, signal())
    const answer = await backtest({ version: 2, horizon: 5 })
    expect([answer.status, answer.body.type]).toEqual([410, problem('data-collected')])
    expect(answer.body.detail).toContain('goes back to version 1')
  })

  test('of a version that goes while it is begun is not begun', async () => {
    const cluster = await openCluster()
    const before = { do: async () => {} }
    const { coordinator: real } = cluster
    const transact: typeof real.transact = async (transaction, signal) => {
      const isIt = transaction.then.some((one) => one.kind === 'put' && isBacktest(one.value))
      if (isIt) await before.do()
      return await real.transact(transaction, signal)
    }
    const coordinator = Object.assign(Object.create(real), { transact })
    const broker = await cluster.broker({}, { coordinator })
    const asked = { body: one, headers: asynchronous }
    expect((await call(broker, 'POST', '/api/models/m/fit', asked)).status).toBe(202)
    await store(cluster, 1)
    before.do = async () => {
      const gone = [remove(versionKey(of, 1))]
      await cluster.coordinator.transact({ when: [], then: gone }, signal())
    }
    const body = { version: 1, horizon: 5 }
    const answer = await call(broker, 'POST', '/api/models/m/backtests', { body })
    expect([answer.status, answer.body.type]).toEqual([404, problem('no-such-version')])
    expect((await cluster.coordinator.list(jobsPrefix, signal())).entries).toHaveLength(1)
  })

  test('of a regression is refused: it has no series', async () => {
    const { cluster, backtest } = await opened(one)
    const feature = { column: 'store', type: 'category' }
    const model = { kind: 'linear' }
    const regression = { family: 'regression', target: 'sold', features: [feature], model }
    const record = { ...(await versionOf(cluster, 1)), spec: regression }
    await write(cluster, versionKey(of, 1), codecs.version.encode(record as never))
    for (const asked of [{ horizon: 5 }, { horizon: 5, spec }]) {
      const answer = await backtest(asked)
      expect([answer.status, answer.body.type]).toEqual([422, problem('a-regression')])
    }
  })

  test('of a version of more updates than it takes is refused', async () => {
    const { add, backtest } = await opened(one, { backtestBasesMax: 1 })
    await add({ data: [1] }, 2)
    expect((await backtest({ version: 2, horizon: 5 })).status).toBe(202)
    await add({ data: [1] }, 3)
    const answer = await backtest({ version: 3, horizon: 5 })
    expect([answer.status, answer.body.type]).toEqual([422, problem('too-many-updates')])
  })

  test('that nodes began too often fails, and its version stays as it was', async () => {
    const { cluster, broker, backtest } = await opened(one)
    const before = await cluster.coordinator.list(versionsPrefix(of), signal())
    const job = String((await backtest({ horizon: 5 })).body.job)
    await change(cluster, job, { attempts: 3 })
    const { body } = await eventually(
      () => get(broker, `/api/jobs/${job}`),
      (said) => said.body.state === 'failed',
    )
    expect(body.error).toMatchObject({ phase: 'backtest', reason: 'attempts-exhausted' })
    const after = await cluster.coordinator.list(versionsPrefix(of), signal())
    expect(after.entries).toEqual(before.entries)
  })

  test('is offered to all nodes, as shards', async () => {
    const { cluster, backtest } = await opened(many(5), { dispatchAgainMs: 100 })
    const nodes = [await cluster.node(), await cluster.node()]
    for (const node of nodes) node.script.fit = 'ignore'
    const job = String((await backtest({ horizon: 1 })).body.job)
    await eventually(
      async () => nodes.every(({ orders }) => orders.includes(job)),
      (isAsked) => isAsked,
    )
  })
})

describe('what a backtest came to', () => {
  const series = async (broker: Broker, job: string, query = '', headers = {}) =>
    get(broker, `/api/models/m/backtests/${job}/series${query}`, headers)

  async function done(bounds: Partial<Bounds> = {}) {
    const { backtest, ...rest } = await opened(one, bounds)
    const job = String((await backtest({ horizon: 5 })).body.job)
    expect((await series(rest.broker, job)).body.type).toBe(problem('not-ready'))
    await finish(rest.cluster, job)
    await eventually(
      () => get(rest.broker, `/api/models/m/backtests/${job}`),
      ({ body }) => body.state === 'done',
    )
    return { ...rest, backtest, job }
  }

  test('is told by series, page by page, and by code', async () => {
    const { broker, job } = await done()
    const all = await series(broker, job)
    expect(all.body).toEqual({ series: entries, next: null })
    expect(all.headers['x-model-version']).toBe('1')
    const first = (await series(broker, job, '?limit=2')).body
    expect([first.series, first.next]).toEqual([entries.slice(0, 2), '=b'])
    const rest = (await series(broker, job, '?cursor=%3Db')).body
    expect([rest.series, rest.next]).toEqual([entries.slice(2), null])
    const short = (await series(broker, job, '?code=too-short')).body.series
    expect(short).toEqual([entries[1]])
    const wrong = await series(broker, job, '?prefix=a')
    expect([wrong.status, wrong.body.field]).toEqual([400, 'prefix'])
  })

  test('is streamed as lines and as rows', async () => {
    const { broker, job } = await done()
    const accept = 'application/x-ndjson'
    const url = `${broker.url}/api/models/m/backtests/${job}/series`
    const lines = await (await fetch(url, { headers: { accept } })).text()
    const said = lines.trimEnd().split('\n')
    expect(said.map((line) => JSON.parse(line))).toEqual(entries)
    const rows = await series(broker, job, '', { accept: 'text/csv' })
    const [head, , second] = rows.text.split('\n')
    expect(head).toMatch(/^key,code,detail,windows,.*,coverage_80$/)
    expect(second).toBe(`'=b,too-short,"1, or 2",0,0,0,1,,,,,,,,,`)
    expect((await series(broker, job, '', { accept: 'text/html' })).status).toBe(406)
    expect((await series(broker, job, '?limit=2', { accept: 'text/csv' })).status).toBe(400)
  })

  test('is listed, and is not there under another model or job', async () => {
    const { broker, backtest, job } = await done()
    const other = String((await backtest({ horizon: 4 })).body.job)
    const listed = async (query: string) => {
      const { body } = await get(broker, `/api/models/m/backtests${query}`)
      return { jobs: (body.backtests as { job: string }[]).map((one) => one.job), next: body.next }
    }
    expect(await listed('')).toEqual({ jobs: [other, job], next: null })
    expect(await listed('?limit=1')).toEqual({ jobs: [other], next: other })
    expect((await listed(`?cursor=${other}`)).jobs).toEqual([job])
    expect((await get(broker, `/api/models/n/backtests/${job}`)).status).toBe(404)
    const wrong = await get(broker, '/api/models/m/backtests/none')
    expect([wrong.status, wrong.body.type]).toEqual([404, problem('no-such-backtest')])
  })

  test('is kept with its job for good, without what was collected', async () => {
    const { cluster, broker, job } = await done()
    const { result, input } = (await jobOf(cluster, job)).backtest!
    for (const id of [result!.blob, input])
      await cluster.store.deleteBlob({ kind: 'dataset', id }, signal())
    const view = await get(broker, `/api/models/m/backtests/${job}`)
    expect(view.body).toMatchObject({ state: 'done', scores, steps: null, spec: null })
    const gone = await series(broker, job)
    expect([gone.status, gone.body.type]).toEqual([410, problem('collected')])
  })

  test('is there when its job is archived', async () => {
    const { cluster, broker, job } = await done({ finishedJobsMax: 0, reconcileMs: 100 })
    await eventually(
      async () => (await cluster.coordinator.list(jobKey(job), signal())).entries.length,
      (count) => count === 0,
    )
    const view = await get(broker, `/api/models/m/backtests/${job}`)
    expect(view.body).toMatchObject({ state: 'done', scores })
    const { backtests } = (await get(broker, '/api/models/m/backtests')).body
    expect((backtests as { job: string }[]).map((one) => one.job)).toEqual([job])
  })

  test('is gone with its model, for one of that name that came later, too', async () => {
    const { broker, job } = await done()
    await call(broker, 'DELETE', '/api/models/m')
    expect((await get(broker, `/api/models/m/backtests/${job}`)).status).toBe(404)
    const again = { body: one, headers: asynchronous }
    expect((await call(broker, 'POST', '/api/models/m/fit', again)).status).toBe(202)
    await eventually(
      () => get(broker, `/api/models/m/backtests/${job}`),
      ({ status }) => status === 410,
    )
  })
})

test('garbage is nothing that an open backtest is made of, nor what a finished one came to', async () => {
  const { cluster, add, backtest } = await opened(many(5))
  await add({ series: [{ key: keyOf(1), y: [1] }] }, 2)
  const job = String((await backtest({ version: 2, horizon: 1 })).body.job)
  const { shards } = await inputOf(cluster, job)
  const data = shards.flatMap((shard) => shard.data.map(({ blob }) => blob))
  expect(data).toHaveLength(2)
  const gone = [remove(versionKey(of, 1)), remove(versionKey(of, 2))]
  await cluster.coordinator.transact({ when: [], then: gone }, signal())
  const parts = { ...cluster, bounds: boundsOf() }
  const { input } = (await jobOf(cluster, job)).backtest!
  const named = async (blobs: readonly string[]) => {
    const all = await readReferences(parts, signal())
    return blobs.filter((blob) => all.has(blob))
  }
  expect(await named([...data, input])).toEqual([...data, input])
  const made = await finish(cluster, job)
  expect(await named([...data, input, ...made])).toEqual([input, ...made])
})

/** The job of the only backtest but one. */
async function firstBacktest({ coordinator }: TestCluster, but = ''): Promise<string> {
  const jobs = async () => {
    const { entries } = await coordinator.list(jobsPrefix, signal())
    return entries.flatMap(({ value }) => {
      const job = codecs.job.decode(value)
      return job.ok && job.value.kind === 'backtest' && job.value.id !== but ? [job.value.id] : []
    })
  }
  return (await eventually(jobs, (ids) => ids.length === 1))[0]!
}

const isBacktest = (value: string) => value.includes('"kind":"backtest"')

async function change(cluster: TestCluster, id: string, to: Partial<JobRecord>) {
  const job = await jobOf(cluster, id)
  await write(cluster, jobKey(id), codecs.job.encode({ ...job, ...to }))
}

const errors = {
  ...{ mase: 0.5, smape: 10, rmse: 2, mae: 1, bias: -0.25, pinball: 0.4, scaledPinball: 0.2 },
}
const none = {
  ...{ mase: null, smape: null, rmse: null, mae: null },
  ...{ bias: null, pinball: null, scaledPinball: null },
}
const coverage = [{ level: 80, coverage: 0.75 }]
const known = { windows: 4, count: 20, missing: 0, season: 1, scale: 2 }
const entries: BacktestEntry[] = [
  { key: '=a', code: 'ok', detail: '', ...known, ...errors, coverage },
  {
    ...{ key: '=b', code: 'too-short', detail: '1, or 2', ...known, ...none },
    ...{ windows: 0, count: 0, scale: null, coverage: [{ level: 80, coverage: null }] },
  },
  { key: '=c', code: 'ok', detail: '', ...known, ...errors, coverage },
]
const steps = [{ step: 1, count: 40, missing: 0, ...errors, coverage }]
const scores = {
  ...{ series: 3, judged: 2, codes: { ok: 2, 'too-short': 1 }, count: 40, missing: 0 },
  ...{ mean: errors, median: errors, coverage },
}

/** Ends a backtest of three series in two shards as nodes do; the blobs that it then has. */
async function finish(cluster: TestCluster, id: string): Promise<readonly string[]> {
  const job = await jobOf(cluster, id)
  const put = async (blob: string, content: Uint8Array) => {
    await cluster.store.writeBlob({ kind: 'dataset', id: blob, content, label: 'm' }, signal())
    return { blob, sha256: hash('sha256', content, 'hex'), sizeBytes: content.byteLength }
  }
  const shards = []
  for (const own of [entries.slice(0, 2), entries.slice(2)]) {
    const lines = [{ format: 1, steps: [] }, ...own].map((line) => `${JSON.stringify(line)}\n`)
    const stored = await put(`${id}-${shards.length}`, Buffer.from(lines.join('')))
    const codes: Record<string, number> = {}
    for (const { code } of own) codes[code] = (codes[code] ?? 0) + 1
    shards.push({ first: own[0]!.key!, series: own.length, codes, ...stored })
  }
  const result = await put(`${id}-result`, encodeBacktestResult({ format: 1, steps, shards }))
  const settings = { ...job.backtest!.settings, levels: [80] }
  await change(cluster, id, {
    ...{
      state: 'done',
      progress: { phase: 'done', fraction: 1 },
      endedAt: new Date().toISOString(),
    },
    backtest: { ...job.backtest!, settings, result, scores },
  })
  return [result.blob, ...shards.map(({ blob }) => blob)]
}
