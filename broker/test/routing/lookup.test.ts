import { modelKey, put } from '@almanac/shared'
import { expect, test } from 'vitest'
import { createLookup } from '../../src/routing/lookup.ts'
import { openCluster } from '../support/cluster.ts'
import { type Fault, interruptible } from '../support/faults.ts'
import { modelRecord } from '../support/records.ts'

const of = { tenant: 'default', model: 'm' }
const bounds = { unknownModelMs: 1_000, coordinatorCallMs: 200 }

async function setUp() {
  const { coordinator } = await openCluster()
  const fault: Fault = { state: 'none' }
  let reads = 0
  const counted = {
    ...interruptible(coordinator, fault),
    get: (key: string, signal: AbortSignal) => {
      if (key === modelKey(of)) reads += 1
      return interruptible(coordinator, fault).get(key, signal)
    },
  }
  let nowMs = 0
  const lookup = createLookup(counted, { monotonicMs: () => nowMs }, bounds)
  const passMs = (ms: number) => {
    nowMs += ms
  }
  return { coordinator, fault, lookup, reads: () => reads, passMs }
}

test('many who ask for an unknown model together, and soon after, make one read', async () => {
  const { lookup, reads, passMs } = await setUp()
  const all = await Promise.all(Array.from({ length: 50 }, () => lookup(of)))
  expect(all.every(({ model }) => model === null)).toBe(true)
  passMs(999)
  await lookup(of)
  expect(reads()).toBe(1)
  passMs(2)
  await lookup(of)
  expect(reads()).toBe(2)
})

test('a model made meanwhile is found when the memory ends', async () => {
  const { coordinator, lookup, passMs } = await setUp()
  await lookup(of)
  const value = JSON.stringify(modelRecord())
  const then = [put(modelKey(of), value)]
  await coordinator.transact({ when: [], then }, AbortSignal.timeout(1_000))
  passMs(1_001)
  expect((await lookup(of)).model).not.toBeNull()
})

test('an outage is told as such, and not remembered', async () => {
  const { fault, lookup } = await setUp()
  fault.state = 'stuck'
  await expect(lookup(of)).rejects.toThrow('does not answer')
  fault.state = 'none'
  expect((await lookup(of)).model).toBeNull()
})
