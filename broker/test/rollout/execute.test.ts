import {
  type Coordinator,
  codecs,
  createClusterFold,
  logPrefix,
  type ModelRecord,
  modelKey,
  nodeModelKey,
  put,
  systemClock,
  versionKey,
} from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { decide, servingNodes } from '../../src/rollout/decide.ts'
import { execute } from '../../src/rollout/execute.ts'
import { openCluster } from '../support/cluster.ts'
import { modelRecord, nodeModelRecord, nodeRecord, versionRecord } from '../support/records.ts'

const of = { tenant: 'default', model: 'm' }
const id = 'default/m'
const signal = () => AbortSignal.timeout(5_000)

async function write(coordinator: Coordinator, key: string, value: unknown): Promise<void> {
  const then = [put(key, JSON.stringify(value))]
  await coordinator.transact({ when: [], then }, signal())
}

/** A model whose version 2 is loaded next to version 1, and what a broker sees of it. */
async function ready() {
  const { coordinator } = await openCluster()
  const record = modelRecord({ serving: 1, target: 2, high: 2, changes: 1 })
  await write(coordinator, modelKey(of), { ...record, laterField: 'kept' })
  await write(coordinator, versionKey(of, 1), versionRecord(1))
  await write(coordinator, versionKey(of, 2), versionRecord(2))
  for (const port of [1, 2]) {
    await write(coordinator, `/nodes/10.0.0.1_${port}`, nodeRecord(port))
    const key = nodeModelKey(`10.0.0.1_${port}`, of)
    await write(coordinator, key, nodeModelRecord(port, [1, 2]))
  }
  const parts = { coordinator, clock: systemClock, bounds: boundsOf(), who: 'test' }
  return { coordinator, parts, record }
}

/** What is decided on the state as it is now. */
async function decided(coordinator: Coordinator, targetAgeMs = 0) {
  const fold = createClusterFold(() => {})
  fold.apply({ kind: 'snapshot', ...(await coordinator.list('/', signal())) })
  const held = fold.state.models.get(id)!
  const versions = fold.state.versions.get(id)!
  const nodes = servingNodes(fold.state, id)
  const action = decide({ record: held.value, versions, nodes, targetAgeMs }, boundsOf())
  if (action.kind === 'nothing') throw new Error('nothing to do')
  return { action, subject: { of, held, versions } }
}

const recordNow = async (coordinator: Coordinator): Promise<ModelRecord> =>
  JSON.parse((await coordinator.get(modelKey(of), signal()))!.value)

describe('a promotion', () => {
  test('makes the target serve, remembers what served, logs it and keeps unknown fields', async () => {
    const { coordinator, parts } = await ready()
    const { action, subject } = await decided(coordinator)
    expect(await execute(parts, subject, action)).toMatchObject({ kind: 'applied' })
    const now = await recordNow(coordinator)
    expect(now).toMatchObject({ serving: 2, previous: 1, changes: 2, laterField: 'kept' })
    const { entries } = await coordinator.list(logPrefix(of), signal())
    expect(entries.map(({ value }) => JSON.parse(value))).toMatchObject([
      { from: 1, to: 2, why: 'fit', who: 'test' },
    ])
  })

  test('that was done already does nothing', async () => {
    const { coordinator, parts } = await ready()
    const { action, subject } = await decided(coordinator)
    await execute(parts, subject, action)
    expect(await execute(parts, subject, action)).toEqual({ kind: 'overtaken' })
    expect((await coordinator.list(logPrefix(of), signal())).entries).toHaveLength(1)
  })

  test('is refused when the rollout moved on', async () => {
    const { coordinator, parts, record } = await ready()
    const { action, subject } = await decided(coordinator)
    await write(coordinator, modelKey(of), { ...record, target: 1, hold: true, why: 'rollback' })
    expect(await execute(parts, subject, action)).toEqual({ kind: 'overtaken' })
    expect((await recordNow(coordinator)).serving).toBe(1)
  })

  test('is refused when a node that was counted says something else', async () => {
    const { coordinator, parts } = await ready()
    const { action, subject } = await decided(coordinator)
    const key = nodeModelKey('10.0.0.1_2', of)
    await write(coordinator, key, nodeModelRecord(2, [1]))
    expect(await execute(parts, subject, action)).toEqual({ kind: 'overtaken' })
  })

  test('is refused when the version failed meanwhile', async () => {
    const { coordinator, parts } = await ready()
    const { action, subject } = await decided(coordinator)
    await write(coordinator, versionKey(of, 2), versionRecord(2, 'failed'))
    expect(await execute(parts, subject, action)).toEqual({ kind: 'overtaken' })
  })

  test('on a hundred nodes stays within what one transaction may compare', async () => {
    const { coordinator, parts } = await ready()
    for (let port = 3; port <= 110; port += 1) {
      await write(coordinator, `/nodes/10.0.0.1_${port}`, nodeRecord(port))
      const key = nodeModelKey(`10.0.0.1_${port}`, of)
      await write(coordinator, key, nodeModelRecord(port, [1, 2]))
    }
    const { action, subject } = await decided(coordinator)
    expect(await execute(parts, subject, action)).toMatchObject({ kind: 'applied' })
  })
})

test('giving up sets the target back and marks the version failed, together', async () => {
  const { coordinator, parts } = await ready()
  for (const port of [1, 2])
    await write(
      coordinator,
      nodeModelKey(`10.0.0.1_${port}`, of),
      nodeModelRecord(port, [1], [{ version: 2, reason: 'checksum', retriable: false }]),
    )
  const { action, subject } = await decided(coordinator)
  expect(action.kind).toBe('give-up')
  await execute(parts, subject, action)
  expect(await recordNow(coordinator)).toMatchObject({ serving: 1, target: 1, high: 2 })
  const version = codecs.version.decode((await coordinator.get(versionKey(of, 2), signal()))!.value)
  expect(version.ok && version.value).toMatchObject({
    state: 'failed',
    error: { phase: 'rollout', reason: 'checksum' },
  })
})
