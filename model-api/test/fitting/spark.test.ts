import { createServer } from 'node:net'
import { Unavailable } from '@almanac/shared'
import type { SparkRun } from '@almanac/tables'
import { expect, test } from 'vitest'
import { type Machine, openMachine, openNode, order, readJob, until } from '../support/machine.ts'
import { orderShards } from '../support/shards.ts'
import { filesWith, queueTable as queueAny } from '../support/tables.ts'

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
}
const files = filesWith({ 'sales.csv': 'date,store,sold\n2024-01-01,a,1\n2024-01-02,a,2\n' })
const spec = { family: 'baseline', method: 'naive' }
const queueTable = (machine: Machine) =>
  queueAny(machine, 'sales.csv', recipe, { spec, kind: 'fit-table' })

const place = async () => ({
  url: 'file:///nowhere',
  put: async () => {},
  drop: async () => {},
})

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}

test('a table whose Spark stays away is given back with its attempt, and the job says why', async () => {
  const machine = await openMachine()
  const spark: SparkRun = { address: `127.0.0.1:${await deadPort()}`, overBytes: 0, place }
  const node = await openNode(machine, { files, spark, timing: { tableAwayMs: 0 } })
  const of = await queueTable(machine)
  await order(machine, node, of.job)
  await until(async () => {
    const { log = [] } = await readJob(machine, of.job)
    return log.some(({ event }) => event === 'given-back')
  })
  const job = await readJob(machine, of.job)
  expect(job).toMatchObject({ state: 'queued', attempts: 0, error: null })
  const given = job.log?.find(({ event }) => event === 'given-back')
  expect(given?.text).toMatch(/does not count.*Spark cannot be reached/)
}, 60_000)

test('a table waits while the place for Spark is away, and then goes on', async () => {
  const machine = await openMachine()
  let asked = 0
  const spark: SparkRun = {
    address: '127.0.0.1:1',
    overBytes: 0,
    place: async () => {
      asked += 1
      throw new Unavailable('spark', 'away on purpose')
    },
  }
  const node = await openNode(machine, { files, spark })
  const of = await queueTable(machine)
  await order(machine, node, of.job)
  await until(() => asked === 3)
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'running', attempts: 1 })
})

test('a table below the size for Spark is none of its business', async () => {
  const machine = await openMachine()
  const spark: SparkRun = {
    address: '127.0.0.1:1',
    overBytes: 1_000_000,
    place: () => Promise.reject(new Error('nobody should ask')),
  }
  const node = await openNode(machine, { files, spark })
  const of = await queueTable(machine)
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).kind === 'fit-shards')
  await orderShards(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).state === 'done')
})
