import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestCluster } from '../../../e2e/support/cluster.ts'
import { startOneMachineCluster } from '../../../e2e/support/one-machine.ts'
import { isFit, isForecast } from '../../history/entry.ts'
import { brokenPromises } from '../../invariants/check.ts'
import { conclude } from '../../traffic/conclude.ts'
import { expectedPointsDigest } from '../../traffic/data.ts'
import { startTraffic } from '../../traffic/traffic.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startOneMachineCluster()
})
afterAll(async () => await cluster.close())

test('users of a cluster that nobody disturbs see every promise kept', async () => {
  const brokers = [{ name: 'broker-1', url: cluster.brokers[0]! }]
  const traffic = await startTraffic({
    brokers,
    seed: 1,
    prefix: 'calm',
    forecastsPerSecond: 60,
    changePauseMs: 200,
  })
  await delay(4_000)
  const { entries, records, restless } = await conclude(traffic, brokers)
  expect(restless).toEqual([])
  const weather = { brokers: ['broker-1'], nodes: ['node-1', 'node-2'], disturbances: [] }
  expect(
    brokenPromises({ entries, records, weather, expected: expectedPointsDigest, wellWithinMs: 0 }),
  ).toEqual([])
  expect(entries.filter(isForecast).length).toBeGreaterThan(150)
  expect(entries.filter(isFit).length).toBeGreaterThan(10)
  const kinds = new Set(entries.map(({ asked }) => asked.kind))
  expect([...kinds].sort()).toEqual(['delete', 'fit', 'forecast', 'look', 'release', 'rollback'])
}, 60_000)
