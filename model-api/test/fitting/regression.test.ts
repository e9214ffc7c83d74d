import { once } from 'node:events'
import { decodeTableSource, limits, type PredictReply, predictionsPath } from '@almanac/shared'
import { expect, test } from 'vitest'
import type { FileReader } from '../../src/base/context.ts'
import type { RunningNode } from '../../src/index.ts'
import {
  claimed,
  fitAndServe,
  forecast,
  internalHeaders,
  type Machine,
  type Order,
  openMachine,
  openNode,
  order,
  readJob,
  readVersion,
  serve,
  soon,
  until,
  untilJob,
  untilReady,
} from '../support/machine.ts'
import { filesWith, info, queueTable } from '../support/tables.ts'

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'quantity',
  keys: ['store_id', 'product_id'],
  frequency: 'monthly',
}
const given = { spec: { family: 'regression' }, kind: 'fit-regression' } as const
const columns = ['store_id', 'product_id', 'date']

/** Two years of days of three stores with four products. */
function sales(): string {
  const rows = ['date,store_id,product_id,quantity']
  const start = Date.parse('2022-01-01')
  for (let day = 0; day < 730; day++)
    for (const store of ['1', '2', '3'])
      for (const product of ['a', 'b', 'c', 'd']) {
        const date = new Date(start + day * 86_400_000).toISOString().slice(0, 10)
        rows.push(`${date},${store},${product},${Number(store) * 10 + (day % 30)}`)
      }
  return rows.join('\n')
}

async function fitted(machine: Machine, node: RunningNode): Promise<Order> {
  const of = await queueTable(machine, 'sales.csv', recipe, given)
  await order(machine, node, of.job)
  const job = await untilJob(machine, of, 'done')
  expect(job.error).toBeNull()
  return of
}

async function predict(
  machine: Machine,
  node: RunningNode,
  of: Order,
  rows: readonly (readonly (string | null)[])[],
  load = true,
) {
  const response = await fetch(node.url + predictionsPath(of, of.version, load), {
    method: 'POST',
    headers: { ...(await internalHeaders(machine, node)), 'content-type': 'application/json' },
    body: JSON.stringify({ columns, rows }),
  })
  const body = (await response.json()) as PredictReply & { type: string; remedy?: string }
  return { status: response.status, headers: response.headers, ...body }
}

test('a regression is fitted to a table, stored, loaded and asked for rows', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { files: filesWith({ 'sales.csv': sales() }) })
  const of = await fitted(machine, node)
  const { metrics, table, dataset, state } = await readVersion(machine, of)
  expect(state).toBe('stored')
  // Two years of twelve series.
  expect(metrics).toMatchObject({ fittedRows: 288, unusable: 0, categories: 7, rejected: 0 })
  expect(dataset.observations).toBe(288)
  const source = await machine.store.readBlob({ kind: 'dataset', id: table!.source }, soon())
  expect(decodeTableSource(source)).toMatchObject({ value: { file: 'sales.csv' } })
  expect([table!.report, table!.rejects]).toEqual([expect.any(String), expect.any(String)])

  expect((await predict(machine, node, of, [], false)).status).toBe(409)
  await serve(machine, of)
  await untilReady(node)
  const rows = [
    ['2', 'a', '2022-05-03'],
    ['nowhere', 'a', '2022-05-03'],
    ['2', null, '2022-05-03'],
    ['2', 'a', 'soon'],
  ]
  const { status, headers, predictions } = await predict(machine, node, of, rows)
  expect([status, headers.get('x-model-version')]).toEqual([200, '1'])
  expect(predictions).toEqual([
    expect.any(Number),
    { column: 'store_id', reason: '"nowhere" was not there when the model was fitted' },
    { column: 'product_id', reason: 'there is no value' },
    { column: 'date', reason: '"soon" is not a date like 2024-01-31' },
  ])
  // About thirty days of twenty, and what the days of the month add.
  expect(Math.abs(Number(predictions[0]) - 31 * 34)).toBeLessThan(100)
})

test('a regression asked for a forecast, and a forecast asked for rows, say what to call', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { files: filesWith({ 'sales.csv': sales() }) })
  const of = await fitted(machine, node)
  const asked = await forecast(machine, node, of, 1, '5?load=true')
  expect(asked.status).toBe(422)
  expect(await asked.json()).toMatchObject({
    type: expect.stringMatching(/a-regression$/),
    remedy: expect.stringContaining('/predictions'),
  })
  const series = await fitAndServe(machine, node, { model: 'series' })
  const refused = await predict(machine, node, series, [])
  expect(refused).toMatchObject({
    status: 422,
    type: 'urn:almanac:problem:no-regression',
    remedy: expect.stringContaining('/forecast/'),
  })
})

test('a large forest is decoded aside, and damaged bytes are not served', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { files: filesWith({ 'sales.csv': sales() }) })
  const many = { family: 'regression', model: { kind: 'forest', trees: 400, leafMin: 1 } }
  const of = await queueTable(
    machine,
    'sales.csv',
    { ...recipe, frequency: 'weekly' },
    {
      ...given,
      spec: many,
    },
  )
  await order(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const { sizeBytes } = await readVersion(machine, of)
  expect(sizeBytes).toBeGreaterThan(limits.loadJitterBytesMax)
  const rows = [['1', 'a', '2022-05-03']]
  expect((await predict(machine, node, of, rows)).status).toBe(200)

  const readBlob: Machine['store']['readBlob'] = async (ref, signal) => {
    const bytes = await machine.store.readBlob(ref, signal)
    bytes[bytes.length >> 1]! ^= 1
    return bytes
  }
  const spoilt = await openNode(machine, { store: { ...machine.store, readBlob } })
  await untilReady(spoilt)
  const answer = await predict(machine, spoilt, of, rows)
  expect([answer.status, answer.type]).toEqual([500, 'urn:almanac:problem:unloadable'])
})

test('a table without rows is a reason to fail, not to try again', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { files: filesWith({ 'sales.csv': 'date,quantity\n' }) })
  const of = await queueTable(machine, 'sales.csv', { ...recipe, keys: [] }, given)
  await order(machine, node, of.job)
  const job = await untilJob(machine, of, 'failed')
  expect(job).toMatchObject({ attempts: 1, error: { reason: 'table' } })
})

/** A file that never ends, until whoever reads it has enough. */
const endless: FileReader = {
  read: async (_, signal) => ({
    info,
    content: (async function* () {
      yield new TextEncoder().encode('date,store_id,product_id,quantity\n')
      await once(signal, 'abort')
      throw signal.reason
    })(),
  }),
}

test('a drain gives it back with its attempt, and another node does it', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { files: endless })
  const of = await queueTable(machine, 'sales.csv', recipe, given)
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).progress.phase === 'table')
  await node.drain()
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'queued', attempts: 0 })
  expect(await claimed(machine, of.job)).toBe(false)
  const other = await openNode(machine, { files: filesWith({ 'sales.csv': sales() }) })
  await order(machine, other, of.job)
  expect((await untilJob(machine, of, 'done')).attempts).toBe(1)
})
