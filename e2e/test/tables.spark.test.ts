import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import { startSpark } from '../../deploy/local/spark.ts'
import { startTcpProxy, type TcpProxy } from '../../shared/test/support/tcp-proxy.ts'
import { call, eventually } from '../support/client.ts'
import { monthOf, salesCsv } from '../support/files.ts'

let folder: string
let proxy: TcpProxy
let plain: ManagedProcess
let sparked: ManagedProcess

/** What `npm start` starts, with some more options. */
async function machine(name: string, options: readonly string[]): Promise<ManagedProcess> {
  const port = await freePort()
  const started = new ManagedProcess({
    name,
    script: 'deploy/local/start.mjs',
    args: ['--port', String(port), '--data', join(folder, name), '--nodes', '1', ...options],
    env: {},
    url: `http://127.0.0.1:${port}`,
    logDir: folder,
    readyPath: '/readyz',
    readyMs: 60_000,
  })
  await started.start()
  return started
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-e2e-'))
  proxy = await startTcpProxy(`http://${inject('spark')}`, 'other')
  const stage = join(folder, 'stage')
  await mkdir(stage)
  const address = `sc://${new URL(proxy.endpoint).host}`
  plain = await machine('plain', [])
  const options = ['--spark', address, '--spark-stage', stage, '--spark-over-mb', '0']
  sparked = await machine('sparked', options)
  for (const { url } of [plain, sparked]) await upload(url, salesCsv(odd))
})

afterEach(() => proxy.pass())

afterAll(async () => {
  await plain?.stop()
  await sparked?.stop()
  await proxy?.close()
  await rm(folder, { recursive: true, force: true })
})

const odd = ['1,"Tea, 1",2.5,1,Shop 1,many,2023-05-05', '2,"Tea, 2",2.5,2,Shop 2,3,31.12.2023', '9']

async function upload(url: string, csv: string) {
  const answer = await fetch(`${url}/api/files/sales.csv`, { method: 'PUT', body: csv })
  expect(answer.status, await answer.text()).toBe(200)
}

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'quantity',
  keys: ['store_id', 'product_id'],
  frequency: 'monthly',
  outliers: { do: 'flag' },
}
const seasonal = { family: 'baseline', method: 'seasonal-naive' }
const body = { table: { file: 'sales.csv', recipe }, spec: seasonal }

async function begun({ url }: ManagedProcess, model: string, changes: object = {}) {
  const headers = { prefer: 'respond-async' }
  const given = { ...body, ...changes }
  const answer = await call('POST', `${url}/api/models/${model}/fit`, { body: given, headers })
  expect(answer.status, answer.text).toBe(202)
  return `${url}/api/jobs/${answer.body.job}`
}

const ended = async (job: string) =>
  (
    await eventually(
      'the job has ended',
      async () => (await call('GET', job)).body,
      ({ state }) => String(state) === 'done' || String(state) === 'failed',
      150_000,
    )
  ).state

const keys = [1, 2, 3].flatMap((store) =>
  [1, 2, 3, 4].map((product) => `store_id=${store},product_id=${product}`),
)

async function forecasts({ url }: ManagedProcess, model: string) {
  const all: unknown[] = []
  for (const key of keys) {
    const path = `${url}/api/models/${model}/forecast/14?series=${encodeURIComponent(key)}`
    const answer = await eventually(
      'it serves',
      async () => await call('GET', path),
      ({ status }) => status === 200,
      60_000,
    )
    all.push(answer.body.data)
  }
  return all
}

test('a fit of a table on Spark forecasts what one on DuckDB does', async () => {
  const before = proxy.accepted
  const jobs = [await begun(plain, 'sales'), await begun(sparked, 'sales')]
  for (const job of jobs) expect(String(await ended(job))).toBe('done')
  expect(proxy.accepted).toBeGreaterThan(before)
  const [ours, theirs] = [await forecasts(plain, 'sales'), await forecasts(sparked, 'sales')]
  expect(theirs).toEqual(ours)
  const metrics = async ({ url }: ManagedProcess) =>
    (await call('GET', `${url}/api/models/sales/versions/1`)).body.metrics
  expect(await metrics(sparked)).toEqual(await metrics(plain))
  expect(await metrics(sparked)).toMatchObject({ rows: 8_763, rejected: 3 })
  expect(await readdir(join(folder, 'stage'))).toEqual([])
})

test('a regression that is fitted on Spark predicts what one on DuckDB does', async () => {
  const spec = { family: 'regression', model: { kind: 'forest', trees: 20, depthMax: 8, seed: 1 } }
  const before = proxy.accepted
  const jobs = [await begun(plain, 'rows', { spec }), await begun(sparked, 'rows', { spec })]
  for (const job of jobs) expect(String(await ended(job))).toBe('done')
  expect(proxy.accepted).toBeGreaterThan(before)
  const [ours, theirs] = [await predictions(plain, 'rows'), await predictions(sparked, 'rows')]
  expect(theirs).toBe(ours)
  expect(ours.trimEnd().split('\n')).toHaveLength(4)
  expect(Number(ours.split('\n')[1]!.split(',')[3]) / monthOf(2, 3, 6, 30)).toBeCloseTo(1, 0)
  expect(ours).toContain('was not there when the model was fitted')
})

/** Two rows that can be predicted, and one with a store that nobody knows. */
async function predictions({ url }: ManagedProcess, model: string): Promise<string> {
  const body = 'store_id,product_id,date\n2,3,2023-06-09\n1,4,2023-12-24\n77,3,2023-06-09\n'
  const headers = { 'content-type': 'text/csv' }
  const answer = await eventually(
    'it serves',
    () => call('POST', `${url}/api/models/${model}/predictions`, { body, headers }),
    ({ status }) => status === 200,
    60_000,
  )
  return answer.text
}

test('a fit of a table waits while Spark is away, while others go on, and ends by itself', async () => {
  const before = proxy.accepted
  proxy.refuse()
  proxy.cut()
  const waiting = await begun(sparked, 'later')
  await eventually(
    'it was tried',
    async () => proxy.accepted,
    (accepted) => accepted > before + 2,
    60_000,
  )
  expect(String((await call('GET', waiting)).body.state)).toBe('running')
  proxy.pass()
  expect(String(await ended(waiting))).toBe('done')
  const { attempts } = (await call('GET', waiting)).body
  expect(Number(attempts)).toBeLessThan(2)
})

test('a fit of a table that is cut off from Spark in the middle ends all the same', async () => {
  const before = proxy.accepted
  const job = await begun(sparked, 'cut')
  await eventually(
    'it has begun',
    async () => proxy.accepted,
    (accepted) => accepted > before,
    60_000,
  )
  proxy.cutAfter(2_000)
  expect(String(await ended(job))).toBe('done')
  expect(await forecasts(sparked, 'cut')).toEqual(await forecasts(plain, 'sales'))
})

test('a fit of a table whose Spark is killed in the middle is done by the next one', async () => {
  const own = await startSpark({ dataDir: join(folder, 'spark') })
  try {
    proxy.retarget(`http://${own.address}`)
    proxy.cut()
    const before = proxy.accepted
    const job = await begun(sparked, 'killed')
    await eventually(
      'it has begun',
      async () => proxy.accepted,
      (accepted) => accepted > before,
      60_000,
    )
    await eventually(
      'rows were put for Spark',
      () => readdir(join(folder, 'stage'), { recursive: true }),
      (names) => names.some((name) => name.endsWith('.parquet')),
      60_000,
    )
    await own.kill()
    expect(String((await call('GET', job)).body.state)).toBe('running')
    await own.start()
    expect(String(await ended(job))).toBe('done')
    expect(await forecasts(sparked, 'killed')).toEqual(await forecasts(plain, 'sales'))
  } finally {
    await own.stop()
  }
}, 300_000)
