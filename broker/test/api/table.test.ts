import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codecs, decodeTableSource, openFolderFiles, put, versionKey } from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import { call, get, openCluster, type TestCluster } from '../support/cluster.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
}
const table = { file: 'sales/2024.csv', recipe }
const headers = { prefer: 'respond-async' }

async function versionOf({ coordinator }: TestCluster) {
  const entry = await coordinator.get(versionKey(of, 1), signal())
  const record = codecs.version.decode(entry!.value)
  if (!record.ok) throw new Error(record.fault)
  return record.value
}

/** A broker that has the file already. */
async function openWithFile(cluster: TestCluster) {
  const path = await mkdtemp(join(tmpdir(), 'almanac-files-'))
  const files = await openFolderFiles({ path })
  onTestFinished(async () => {
    await files.close()
    await rm(path, { recursive: true })
  })
  const content = (async function* () {
    yield Buffer.from('date,store,sold\n')
  })()
  await files.write(table.file, content, signal())
  return await cluster.broker({}, { files })
}

async function accepted() {
  const cluster = await openCluster()
  const broker = await openWithFile(cluster)
  const answer = await call(broker, 'POST', '/api/models/m/fit', { body: { table }, headers })
  expect(answer.status, answer.text).toBe(202)
  return { cluster, broker, job: String(answer.body.job) }
}

test('a table is a job of its own kind, whose version names file and recipe', async () => {
  const { cluster, broker, job } = await accepted()
  expect((await get(broker, `/api/jobs/${job}`)).body).toMatchObject({ kind: 'fit-table' })
  const version = await versionOf(cluster)
  expect(version.table).toMatchObject({ file: table.file, report: null, rejects: null })
  const ref = { kind: 'dataset', id: version.table!.source } as const
  const source = decodeTableSource(await cluster.store.readBlob(ref, signal()))
  expect(source).toEqual({ ok: true, value: { format: 1, ...table } })
})

test('what became of the rows can be read once they were', async () => {
  const { cluster, broker } = await accepted()
  const at = '/api/models/m/versions/1'
  expect((await get(broker, `${at}/table`)).body).toEqual({ ...table, summary: null })
  const early = await get(broker, `${at}/rejects`)
  expect([early.status, early.body.type]).toEqual([409, 'urn:almanac:problem:not-ready'])

  const { store, coordinator } = cluster
  const write = async (id: string, text: string) => {
    const content = Buffer.from(text)
    await store.writeBlob({ kind: 'dataset', id, content, label: 'a test' }, signal())
    return id
  }
  const reasons = [{ step: 'read', column: 'sold', reason: 'no number', count: 1 }]
  const summary = { rows: 9, rejected: 1, dropped: 0, series: 2, observations: 8, reasons }
  const report = await write('00000000-0000-7000-8000-000000000001', JSON.stringify(summary))
  const rejects = await write('00000000-0000-7000-8000-000000000002', 'line,step\n3,read\n')
  const version = await versionOf(cluster)
  const read = { ...version, table: { ...version.table!, report, rejects } }
  const then = [put(versionKey(of, 1), codecs.version.encode(read))]
  await coordinator.transact({ when: [], then }, signal())
  await expect
    .poll(async () => (await get(broker, `${at}/table`)).body.summary)
    .toMatchObject(summary)
  const rows = await get(broker, `${at}/rejects`)
  expect([rows.status, rows.text]).toEqual([200, 'line,step\n3,read\n'])
  expect(rows.headers['content-type']).toMatch(/^text\/csv/)
})

test('a version without a table says so', async () => {
  const cluster = await openCluster()
  const broker = await cluster.broker()
  const body = { data: [1, 2, 3], spec: { family: 'baseline', method: 'naive' } }
  await call(broker, 'POST', '/api/models/m/fit', { body, headers })
  for (const part of ['table', 'rejects']) {
    const answer = await get(broker, `/api/models/m/versions/1/${part}`)
    expect([answer.status, answer.body.type]).toEqual([422, 'urn:almanac:problem:no-table'])
  }
})

test.each([
  ['no object', 'sales.csv', '/table'],
  ['no file', { recipe }, '/table/file'],
  ['a name that leads elsewhere', { file: '../secret', recipe }, '/table/file'],
  ['an unknown field', { ...table, sheet: 1 }, '/table/sheet'],
  ['no recipe', { file: table.file }, '/table/recipe'],
  [
    'a recipe without a target',
    { ...table, recipe: { ...recipe, target: '' } },
    '/table/recipe/target',
  ],
  [
    'an unknown field of a recipe',
    { ...table, recipe: { ...recipe, goal: 1 } },
    '/table/recipe/goal',
  ],
])('%s is refused by its field, and nothing is kept', async (_, given, field) => {
  const cluster = await openCluster()
  const broker = await cluster.broker()
  const body = { table: given }
  const answer = await call(broker, 'POST', '/api/models/m/fit', { body, headers })
  expect([answer.status, answer.body.field], answer.text).toEqual([400, field])
  const { entries } = await cluster.coordinator.list('/models/', signal())
  expect(entries).toEqual([])
})

test('a file that is not there is refused, and so is any where nobody said where files are', async () => {
  const cluster = await openCluster()
  const broker = await openWithFile(cluster)
  const body = { table: { ...table, file: 'other.csv' } }
  const answer = await call(broker, 'POST', '/api/models/m/fit', { body, headers })
  expect([answer.status, answer.body.field]).toEqual([422, '/table/file'])
  expect(answer.body.remedy).toContain('PUT /api/files/other.csv')
  const without = await cluster.broker()
  const none = await call(without, 'POST', '/api/models/m/fit', { body: { table }, headers })
  expect([none.status, none.body.type]).toEqual([409, 'urn:almanac:problem:no-place-for-files'])
})

test('a table and data at once are one too many', async () => {
  const cluster = await openCluster()
  const broker = await cluster.broker()
  const body = { table, data: [1, 2] }
  const answer = await call(broker, 'POST', '/api/models/m/fit', { body, headers })
  expect([answer.status, answer.body.field]).toEqual([400, '/table'])
})
