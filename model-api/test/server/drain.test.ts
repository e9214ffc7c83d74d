import { nodeKey } from '@almanac/shared'
import { expect, test } from 'vitest'
import {
  claimed,
  fitAndServe,
  forecast,
  nodeNameOf,
  openMachine,
  openNode,
  order,
  queueFit,
  readJob,
  readVersion,
  soon,
  until,
  untilJob,
  untilLoaded,
  untilReady,
} from '../support/machine.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)

test('a draining node deregisters first, answers on for a while, then is gone', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { timing: { drainAnswerMs: 1_500 } })
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)
  await untilReady(node)
  const startMs = performance.now()

  const draining = node.drain()
  const key = nodeKey(nodeNameOf(node))
  await until(async () => (await machine.coordinator.list(key, soon())).entries.length === 0)

  const answer = await forecast(machine, node, of, 1)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('connection')).toBe('close')
  const ready = await fetch(`${node.url}/readyz`)
  expect(ready.status).toBe(503)
  const refused = await order(machine, node, 'another-job')
  expect(refused.status).toBe(503)
  await draining
  expect(performance.now() - startMs).toBeGreaterThan(1_400)
  await expect(fetch(`${node.url}/healthz`)).rejects.toThrow()
})

test('a draining node gives its fit back with the attempt, and another takes it up', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueFit(machine, { spec: { act: 'until-stopped' } })
  const waiting = await queueFit(machine, { version: 2, spec: { act: 'until-stopped' } })
  await order(machine, node, of.job)
  await order(machine, node, waiting.job)
  await until(async () => (await readJob(machine, of.job)).progress.phase === 'fitting')

  await node.drain()

  for (const { job } of [of, waiting]) {
    expect(await readJob(machine, job)).toMatchObject({ state: 'queued', attempts: 0 })
    expect(await claimed(machine, job)).toBe(false)
  }
  expect(await readVersion(machine, of)).toMatchObject({
    state: 'queued',
    times: { fittingAt: null },
  })
  const next = await openNode(machine, { fitWorkerFile: scripted })
  await order(machine, next, of.job)
  await until(() => claimed(machine, of.job))
})

test('a node that is closed at once also gives back, and does not wait', async () => {
  const machine = await openMachine()
  const timing = { drainAnswerMs: 60_000 }
  const node = await openNode(machine, { fitWorkerFile: scripted, timing })
  await untilReady(node)
  const of = await queueFit(machine, { spec: { act: 'until-stopped' } })
  await order(machine, node, of.job)
  await until(() => claimed(machine, of.job))
  const draining = node.drain()
  const startMs = performance.now()

  await node.close()
  await draining

  expect(performance.now() - startMs).toBeLessThan(5_000)
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'queued', attempts: 0 })
  expect((await machine.coordinator.list('/nodes/', soon())).entries).toEqual([])
})

test('a drain that hangs is cut short', async () => {
  const machine = await openMachine()
  const timing = { drainAnswerMs: 60_000, drainMs: 300 }
  const node = await openNode(machine, { roles: ['serve'], timing })
  await untilReady(node)
  const startMs = performance.now()

  await node.drain()

  expect(performance.now() - startMs).toBeLessThan(5_000)
  await expect(fetch(`${node.url}/healthz`)).rejects.toThrow()
})

test('an address that is taken is told at once', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { roles: ['serve'] })
  await expect(openNode(machine, { port: node.port })).rejects.toThrow(/EADDRINUSE/)
})

test('a node that starts again serves what was stored before', async () => {
  const machine = await openMachine()
  const first = await openNode(machine)
  const of = await fitAndServe(machine, first)
  await untilLoaded(machine, first, of)
  const before = await (await forecast(machine, first, of, 1, '30')).text()
  await first.close()

  const second = await openNode(machine)
  await untilReady(second)

  expect(await (await forecast(machine, second, of, 1, '30')).text()).toBe(before)
  expect((await untilJob(machine, of, 'done')).attempts).toBe(1)
})
