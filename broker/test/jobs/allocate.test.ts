import {
  type Coordinator,
  codecs,
  modelKey,
  put,
  requestKey,
  systemClock,
  systemRandom,
} from '@almanac/shared'
import { expect, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { allocate } from '../../src/jobs/allocate.ts'
import { deleteModel } from '../../src/rollout/control.ts'
import { openCluster } from '../support/cluster.ts'

const of = { tenant: 'default', model: 'm' }
const signal = () => AbortSignal.timeout(5_000)
const partsOf = (coordinator: Coordinator) => ({
  coordinator,
  clock: systemClock,
  random: systemRandom,
  bounds: boundsOf(),
  who: 'test',
})
const requestFor = (job: string, idempotency: { hash: string; body: string } | null = null) => ({
  of,
  job,
  spec: {},
  dataset: { blob: 'b', observations: 3 },
  base: null,
  requestId: 'r',
  idempotency,
})

/** Lets something happen between what an allocation reads and what it writes, once. */
function interposed(coordinator: Coordinator, happen: () => Promise<unknown>): Coordinator {
  let isDone = false
  return {
    ...coordinator,
    get: (key, s) => coordinator.get(key, s),
    transact: async (transaction, s) => {
      if (!isDone) {
        isDone = true
        await happen()
      }
      return await coordinator.transact(transaction, s)
    },
  }
}

async function modelNow(coordinator: Coordinator) {
  const entry = await coordinator.get(modelKey(of), signal())
  const record = codecs.model.decode(entry!.value)
  if (!record.ok) throw new Error(record.fault)
  return record.value
}

test('a fit that meets a deletion is begun anew for the model that comes after', async () => {
  const { coordinator } = await openCluster()
  const parts = partsOf(coordinator)
  await allocate(parts, requestFor('one'))
  const racing = interposed(coordinator, () => deleteModel(parts, of))
  const allocated = await allocate(partsOf(racing), requestFor('two'))
  expect(allocated).toMatchObject({ job: 'two', version: 2, isNew: true })
  expect(await modelNow(coordinator)).toMatchObject({ deletedAt: null, floor: 1, high: 1 })
})

test('a rollout meanwhile does not make an allocation fail', async () => {
  const { coordinator } = await openCluster()
  await allocate(partsOf(coordinator), requestFor('one'))
  let tries = 0
  const racing = interposed(coordinator, async () => {
    const value = codecs.model.encode({ ...(await modelNow(coordinator)), target: 1, high: 1 })
    await coordinator.transact({ when: [], then: [put(modelKey(of), value)] }, signal())
  })
  const counted: Coordinator = {
    ...racing,
    transact: (transaction, s) => {
      tries += 1
      return racing.transact(transaction, s)
    },
  }
  expect(await allocate(partsOf(counted), requestFor('two'))).toMatchObject({ version: 2 })
  expect(tries).toBe(1)
  expect(await modelNow(coordinator)).toMatchObject({ target: 1, high: 1 })
})

test('an Idempotency-Key is forgotten after a day, and not before', async () => {
  const { coordinator } = await openCluster()
  const key = { hash: 'h', body: 'a'.repeat(64) }
  const at = (hours: number) => ({
    ...partsOf(coordinator),
    clock: {
      ...systemClock,
      wallTime: () => new Date(Date.UTC(2026, 0, 1, hours)).toISOString(),
    },
  })
  const first = await allocate(at(0), requestFor('one', key))
  expect(await allocate(at(24), requestFor('two', key))).toEqual({ ...first, isNew: false })
  expect(await allocate(at(25), requestFor('three', key))).toMatchObject({ version: 2 })
  const entry = await coordinator.get(requestKey('default', 'h'), signal())
  expect(JSON.parse(entry!.value)).toMatchObject({ job: 'three' })
})
