import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { startOneMachineCluster } from '../support/one-machine.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let cluster: TestCluster
let url: string
beforeAll(async () => {
  cluster = await startOneMachineCluster()
  url = cluster.brokers[0]!
  await eventually(
    'both nodes',
    () => call('GET', `${url}/api/nodes`),
    ({ body }) => body.nodes?.length === 2,
  )
})
afterAll(() => cluster?.close())

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
}
/** Four rows, one of them without a number. */
const table = 'date,store,sold\n2024-01-01,a,1\n2024-01-02,a,x\n2024-01-01,b,5\n2024-01-02,b,6\n'
const naive = { family: 'baseline', method: 'naive' }

/** The text of the broker and that of both nodes. */
async function pages() {
  const { text } = await call('GET', `${url}/api/nodes`)
  const { nodes } = JSON.parse(text) as { nodes: { ip: string; port: number }[] }
  const urls = [url, ...nodes.map(({ ip, port }) => `http://${ip}:${port}`)]
  return await Promise.all(urls.map(async (of) => (await call('GET', `${of}/metrics`)).text))
}

/** The sum over all processes of what has the name and, in any order, the labels. */
async function total(name: string, labels: Readonly<Record<string, string>> = {}) {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  let sum = 0
  for (const line of (await pages()).flatMap((text) => text.split('\n'))) {
    const [, found, given = '', value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? []
    if (found === name && wanted.every((one) => given.split(',').includes(one)))
      sum += Number(value)
  }
  return sum
}

const put = (name: string, body: string) => call('PUT', `${url}/api/files/${name}`, { body })
const post = (path: string, body: unknown) => call('POST', `${url}/api/${path}`, { body })

test('uploads are counted, with their bytes, by what came of them', async () => {
  expect((await put('sales.csv', table)).status).toBe(200)
  expect((await put('none.csv', '')).status).toBe(400)
  expect((await put('sales.csv/below', table)).status).toBe(409)

  expect(await total('almanac_uploads_total', { outcome: 'stored' })).toBe(1)
  expect(await total('almanac_upload_bytes_total', { outcome: 'stored' })).toBe(table.length)
  expect(await total('almanac_uploads_total', { outcome: 'no-body' })).toBe(1)
  expect(await total('almanac_upload_bytes_total', { outcome: 'no-body' })).toBe(0)
  expect(await total('almanac_uploads_total', { outcome: 'name-taken' })).toBe(1)
})

test('looks, tables and their rows are counted by the node that has them', async () => {
  await put('sales.csv', table)
  await put('none.csv', '\u0000\u0001\u0002')
  expect((await post('tables/look', { file: 'sales.csv' })).status).toBe(200)
  expect((await post('tables/look', { file: 'none.csv' })).status).toBe(422)
  const body = { table: { file: 'sales.csv', recipe }, spec: naive }
  expect((await post('models/many/fit', body)).status).toBe(200)
  const wrong = { ...body, table: { ...body.table, recipe: { ...recipe, target: 'price' } } }
  expect((await post('models/wrong/fit', wrong)).status).toBe(422)

  expect(await total('almanac_look_seconds_count', { outcome: 'looked' })).toBe(1)
  expect(await total('almanac_look_seconds_count', { outcome: 'refused' })).toBe(1)
  expect(await total('almanac_tables_total', { outcome: 'prepared' })).toBe(1)
  expect(await total('almanac_tables_total', { outcome: 'refused' })).toBe(1)
  expect(await total('almanac_table_rows_total', { outcome: 'used' })).toBe(3)
  expect(await total('almanac_table_rows_total', { outcome: 'rejected' })).toBe(1)
  for (const phase of ['fetch', 'read', 'group', 'series'])
    expect(await total('almanac_table_phase_seconds_count', { phase })).toBeGreaterThan(0)
  const kind = { kind: 'fit-table' }
  expect(await total('almanac_job_attempts_total', { ...kind, outcome: 'handed-over' })).toBe(1)
  expect(await total('almanac_job_attempts_total', { ...kind, outcome: 'failed' })).toBe(1)
})

test('rows are counted by whether they were predicted', async () => {
  const lines = ['date,store,sold']
  for (let day = 1; day <= 28; day++)
    for (const store of ['a', 'b'])
      lines.push(`2024-01-${String(day).padStart(2, '0')},${store},${day}`)
  await put('rows.csv', lines.join('\n'))
  const spec = { family: 'regression' }
  const fit = await post('models/rows/fit', { table: { file: 'rows.csv', recipe }, spec })
  expect(fit.status, fit.text).toBe(200)
  const csv = 'date,store\n2024-02-01,a\n2024-02-01,nowhere\n2024-02-01\n'
  const headers = { 'content-type': 'text/csv' }
  const answer = await call('POST', `${url}/api/models/rows/predictions`, { body: csv, headers })
  expect(answer.status, answer.text).toBe(200)
  await post('models/rows/predictions', { rows: [{ date: '2024-02-01', store: 'b' }] })

  expect(await total('almanac_prediction_rows_total', { outcome: 'predicted' })).toBe(2)
  expect(await total('almanac_prediction_rows_total', { outcome: 'refused' })).toBe(1)
  expect(await total('almanac_prediction_rows_total', { outcome: 'unreadable' })).toBe(1)
  const kind = { kind: 'fit-regression' }
  expect(await total('almanac_job_attempts_total', { ...kind, outcome: 'stored' })).toBe(1)
  expect(await total('almanac_table_phase_seconds_count', { phase: 'fit' })).toBe(1)
})

test('runs of schedules and cancelled jobs are counted', async () => {
  await put('sales.csv', table)
  const fit = { model: 'planned', table: { file: 'sales.csv', recipe }, spec: naive }
  const plan = { cron: '0 0 1 1 *', action: { fit } }
  await call('PUT', `${url}/api/schedules/yearly`, { body: plan })
  expect((await post('schedules/yearly/run', {})).status).toBe(200)
  const labels = { outcome: 'begun', by: 'request' }
  expect(await total('almanac_schedule_runs_total', labels)).toBe(1)

  const slow = { data: Array.from({ length: 20_000 }, (_, i) => Math.sin(i) + (i % 7)) }
  const headers = { prefer: 'respond-async' }
  const begun = await call('POST', `${url}/api/models/slow/fit`, { body: slow, headers })
  expect((await post(`jobs/${begun.body.job}/cancel`, {})).status).toBe(200)
  expect((await post(`jobs/${begun.body.job}/cancel`, {})).status).toBe(200)
  const ended = { kind: 'fit', outcome: 'cancelled' }
  expect(await total('almanac_jobs_ended_total', ended)).toBe(1)
})

test('the page of metrics has all of them and no other, and they are named as is usual', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8')
  const told = new Set([...page.matchAll(/`(almanac_\w+)`/g)].map(([, name]) => name!))
  const types = new Map<string, string>()
  for (const text of await pages()) {
    for (const [, name, type] of text.matchAll(/^# TYPE (almanac_\w+) (\w+)$/gm))
      types.set(name!, type!)
    for (const [, name, help] of text.matchAll(/^# HELP (almanac_\w+) ?(.*)$/gm))
      expect(help, name).toMatch(/^[A-Z].*\.$/)
  }
  expect([...told].sort()).toEqual([...types.keys()].sort())
  for (const [name, type] of types) {
    expect(name.endsWith('_total'), name).toBe(type === 'counter')
    expect(name, name).toMatch(/^almanac_[a-z]+(_[a-z]+)*$/)
    if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/)
  }
})
