import { expect, test } from 'vitest'
import {
  claimed,
  fitAndServe,
  forecast,
  openMachine,
  openNode,
  order,
  queueFit,
  readVersion,
  untilJob,
  untilLoaded,
  untilReady,
} from '../support/machine.ts'

test('an ordered fit ends as a stored version, and its claim is gone', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  await untilReady(node)
  const of = await queueFit(machine)

  expect((await order(machine, node, of.job)).status).toBe(202)
  const job = await untilJob(machine, of, 'done')

  expect(job).toMatchObject({ attempts: 1, error: null, progress: { phase: 'done', fraction: 1 } })
  const version = await readVersion(machine, of)
  expect(version).toMatchObject({ state: 'stored', error: null })
  expect(version.blob).not.toBeNull()
  expect(version.sizeBytes).toBeGreaterThan(0)
  expect(Object.keys(version.metrics).length).toBeGreaterThan(0)
  expect(await claimed(machine, of.job)).toBe(false)
})

test('a version that one node stored is served by another, with the same bytes', async () => {
  const machine = await openMachine()
  const fitting = await openNode(machine)
  const serving = await openNode(machine, { roles: ['serve'] })
  const of = await fitAndServe(machine, fitting)
  await untilLoaded(machine, fitting, of)
  await untilLoaded(machine, serving, of)

  const one = await forecast(machine, fitting, of, 1, '20?level=80,95')
  const other = await forecast(machine, serving, of, 1, '20?level=80,95')

  expect(one.headers.get('x-model-version')).toBe('1')
  const body = await one.text()
  expect(await other.text()).toBe(body)
  expect(JSON.parse(body).data).toHaveLength(20)
})
