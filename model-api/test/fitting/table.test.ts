import { execFileSync } from 'node:child_process'
import { type JobRecord, Unavailable } from '@almanac/shared'
import { csvOf, makeSalesWorld } from '@almanac/tables'
import { expect, test } from 'vitest'
import type { FileReader } from '../../src/base/context.ts'
import { processReader, type TableReader } from '../../src/fitting/table/reader.ts'
import {
  type Machine,
  openMachine,
  openNode,
  order,
  readJob,
  readVersion,
  soon,
  until,
  untilJob,
} from '../support/machine.ts'
import { orderShards, readModels } from '../support/shards.ts'
import { bytesOf, filesWith, info, queueTable as queueAny } from '../support/tables.ts'

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
}
const spec = { family: 'baseline', method: 'naive' }
const table = [
  'date,store,sold',
  '2024-01-01,a,1',
  '2024-01-02,a,x',
  '2024-01-01,b,5',
  '2024-01-02,b,6',
]

const queueTable = (machine: Machine, file: string, given: unknown = recipe) =>
  queueAny(machine, file, given, { spec, kind: 'fit-table' })

const textOf = async ({ store }: Machine, id: string) =>
  Buffer.from(await store.readBlob({ kind: 'dataset', id }, soon())).toString()

test('a table becomes series, which are a job of shards from then on', async () => {
  const machine = await openMachine()
  const files = filesWith({ 'sales.csv': table.join('\n') })
  const node = await openNode(machine, { files })
  const of = await queueTable(machine, 'sales.csv')
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).kind === 'fit-shards')

  const job = await readJob(machine, of.job)
  expect(job).toMatchObject({ state: 'running', attempts: 0, shards: 1 })
  const version = await readVersion(machine, of)
  expect(version).toMatchObject({ state: 'fitting', series: 2, dataset: { observations: 3 } })
  expect(version.metrics).toMatchObject({ rows: 4, rejected: 1 })
  const report = JSON.parse(await textOf(machine, version.table!.report!))
  expect(report).toMatchObject({ rows: 4, rejected: 1, series: 2 })
  const rejects = await textOf(machine, version.table!.rejects!)
  expect(rejects.split('\n')[1]).toMatch(/^3,.*rejected.*x/)

  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const { metrics, blob } = await readVersion(machine, of)
  expect(metrics).toMatchObject({ rows: 4, rejected: 1, series: 2, 'code:ok': 2 })
  const { shards } = await readModels(machine, blob!)
  expect([shards[0]!.keyAt(0), shards[0]!.keyAt(1)]).toEqual(['store=a', 'store=b'])
})

test('a made-up world of sales comes through whole', async () => {
  const machine = await openMachine()
  const world = makeSalesWorld({ stores: 3, products: 4, days: 365, firstDay: 19_700, seed: 5 })
  let text = ''
  for await (const part of csvOf(world)) text += part
  const node = await openNode(machine, { files: filesWith({ 'sales.csv': text }) })
  const keys = ['store_id', 'product_id']
  const of = await queueTable(machine, 'sales.csv', { ...recipe, keys, target: 'quantity' })
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).kind !== 'fit-table')
  await orderShards(machine, node, of.job)
  const job = await untilJob(machine, of, 'done')
  expect(job.error).toBeNull()
  const { metrics, series } = await readVersion(machine, of)
  expect(series).toBe(12)
  expect(metrics).toMatchObject({ rejected: 0, 'code:ok': 12 })
})

test('how far it is goes from the first row to the last series, and never back', async () => {
  const machine = await openMachine()
  const told: number[] = []
  const tableReader: TableReader = {
    ...processReader,
    prepare: (context, { onProgress, ...work }) =>
      processReader.prepare(context, {
        ...work,
        onProgress: (fraction) => {
          told.push(fraction)
          onProgress(fraction)
        },
      }),
  }
  const node = await openNode(machine, {
    files: filesWith({ 'sales.csv': table.join('\n') }),
    tableReader,
  })
  const of = await queueTable(machine, 'sales.csv')
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).kind === 'fit-shards')
  expect(told).toEqual([...told].sort((a, b) => a - b))
  // All of it is read, it is grouped, and all of its series are made.
  expect([...new Set(told)]).toEqual([0.5, 1])
})

test.each([
  ['a file that is not there', 'other.csv', recipe, 'no-file', /other\.csv/],
  ['a column that is not there', 'sales.csv', { ...recipe, target: 'price' }, 'table', /price/],
  ['a recipe that is none', 'sales.csv', { ...recipe, target: 1 }, 'recipe', /target/],
])('%s ends the fit with its reason', async (_, file, given, reason, says) => {
  const machine = await openMachine()
  const node = await openNode(machine, { files: filesWith({ 'sales.csv': table.join('\n') }) })
  const of = await queueTable(machine, file, given)
  await order(machine, node, of.job)
  const job = await untilJob(machine, of, 'failed')
  expect(job.error).toMatchObject({ phase: 'fit', reason })
  expect(job.error?.detail).toMatch(says)
  expect((await readVersion(machine, of)).state).toBe('failed')
})

test('while the files are away it waits, and then goes on', async () => {
  const machine = await openMachine()
  let asked = 0
  const files: FileReader = {
    read: async () => {
      asked += 1
      if (asked < 3) throw new Unavailable('files', 'away on purpose')
      return { info, content: bytesOf(table.join('\n')) }
    },
  }
  const node = await openNode(machine, { files })
  const of = await queueTable(machine, 'sales.csv')
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).kind === 'fit-shards')
  expect(asked).toBe(3)
})

test('a process that is killed with the table costs an attempt, and not the node', async () => {
  const machine = await openMachine()
  const tableReader: TableReader = {
    ...processReader,
    prepare: (context, work) =>
      processReader.prepare(context, {
        ...work,
        store: () => {
          const children = execFileSync('pgrep', ['-P', `${process.pid}`, '-f', 'table-process'])
          process.kill(Number(String(children).trim()), 'SIGKILL')
          return new Promise(() => {})
        },
      }),
  }
  const files = filesWith({ 'sales.csv': table.join('\n') })
  const node = await openNode(machine, { files, tableReader })
  const of = await queueTable(machine, 'sales.csv')
  await order(machine, node, of.job)
  const isBack = ({ log }: JobRecord) => log?.some(({ event }) => event === 'given-back')
  await until(async () => isBack(await readJob(machine, of.job)) === true)
  const job = await readJob(machine, of.job)
  expect(job).toMatchObject({ kind: 'fit-table', state: 'queued', attempts: 1 })
  expect(job.log?.at(-1)?.text).toMatch(/the attempt counts\. .* was ended by SIGKILL/)
  expect(await readVersion(machine, of)).toMatchObject({ state: 'queued', table: { report: null } })
})

test('a drain in the middle gives the job back with its attempt', async () => {
  const machine = await openMachine()
  const files: FileReader = {
    read: async (_, signal) => ({
      info,
      content: (async function* () {
        yield new TextEncoder().encode('date,store,sold\n')
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
        })
      })(),
    }),
  }
  const node = await openNode(machine, { files })
  const of = await queueTable(machine, 'sales.csv')
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).progress.phase === 'table')
  await node.drain()
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'queued', attempts: 0 })
})

test('a node that was given no place for files says so', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueTable(machine, 'sales.csv')
  await order(machine, node, of.job)
  const job = await untilJob(machine, of, 'failed')
  expect(job.error?.reason).toBe('no-files')
})
