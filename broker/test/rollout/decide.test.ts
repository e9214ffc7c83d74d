import type { Held, NodeModelRecord, VersionRecord } from '@almanac/shared'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Action,
  decide,
  type RolloutView,
  type ServingNode,
} from '../../src/rollout/decide.ts'
import { held, modelRecord, nodeModelRecord, versionRecord } from '../support/records.ts'

const bounds = { promotionPatienceMs: 3_000, rolloutDeadlineMs: 60_000, rolloutUnreadMs: 600_000 }

const node = (
  n: number,
  loaded: number[],
  failed: NodeModelRecord['failed'] = [],
): ServingNode => ({
  name: `n${n}`,
  key: `/nodes/n${n}`,
  said: held(nodeModelRecord(n, loaded, failed)),
})
const versions = (...list: VersionRecord[]): ReadonlyMap<number, Held<VersionRecord>> =>
  new Map(list.map((version) => [version.version, held(version)]))
const step = (view: Partial<RolloutView>) =>
  decide(
    { record: modelRecord(), versions: versions(), nodes: [], targetAgeMs: 0, ...view },
    bounds,
  )

describe('choosing a target', () => {
  const record = modelRecord({ serving: 3, target: 3, high: 4 })

  test('the highest stored version above the highest ever targeted becomes the target', () => {
    const known = versions(versionRecord(5), versionRecord(6), versionRecord(7, 'fitting'))
    expect(step({ record, versions: known })).toEqual({ kind: 'target', version: 6 })
  })

  test('a version that was targeted before is not targeted again', () => {
    expect(step({ record, versions: versions(versionRecord(4)) }).kind).toBe('nothing')
  })

  test('a hold keeps a finished fit from becoming the target', () => {
    const known = versions(versionRecord(5))
    expect(step({ record: { ...record, hold: true }, versions: known }).kind).toBe('nothing')
  })

  test('a rollout in progress is not replaced by a newer version', () => {
    const rolling = modelRecord({ serving: 3, target: 4, high: 4 })
    const nodes = [node(1, [3])]
    const known = versions(versionRecord(4), versionRecord(5))
    expect(step({ record: rolling, versions: known, nodes }).kind).toBe('nothing')
  })

  test('a deleted model has no target', () => {
    const gone = modelRecord({ deletedAt: 'x' })
    expect(step({ record: gone, versions: versions(versionRecord(5)) }).kind).toBe('nothing')
  })
})

describe('promotion', () => {
  const record = modelRecord({ serving: 1, target: 2, high: 2 })
  const known = versions(versionRecord(1), versionRecord(2))
  const withNodes = (nodes: ServingNode[], targetAgeMs = 0, over = record) =>
    step({ record: over, versions: known, nodes, targetAgeMs }).kind

  test('waits until as many nodes have the target as hold the serving version', () => {
    expect(withNodes([node(1, [1, 2]), node(2, [1])])).toBe('nothing')
    expect(withNodes([node(1, [1, 2]), node(2, [1, 2])])).toBe('promote')
  })

  test('after the patience a majority is enough, and half is not', () => {
    const majority = [node(1, [1, 2]), node(2, [1, 2]), node(3, [1])]
    expect(withNodes(majority, 2_999)).toBe('nothing')
    expect(withNodes(majority, 3_000)).toBe('promote')
    expect(withNodes([node(1, [1, 2]), node(2, [1])], 3_000)).toBe('nothing')
  })

  test('without any node nothing is promoted, however long it takes', () => {
    expect(withNodes([], 10_000)).toBe('nothing')
  })

  test('a first version waits for every node, and after the patience for one', () => {
    const first = modelRecord({ target: 2, high: 2 })
    const some = [node(1, [2]), node(2, [])]
    expect(withNodes(some, 0, first)).toBe('nothing')
    expect(withNodes(some, 3_000, first)).toBe('promote')
    expect(withNodes([node(1, [2]), node(2, [2])], 0, first)).toBe('promote')
  })
})

describe('giving up', () => {
  const record = modelRecord({ serving: 1, target: 2, high: 2 })
  const known = versions(versionRecord(1), versionRecord(2))
  const giveUp = (view: Partial<RolloutView>) => {
    const action = step({ record, versions: known, ...view })
    return action.kind === 'give-up' ? action : undefined
  }
  const broken = (retriable: boolean) => [{ version: 2, reason: 'checksum: bad', retriable }]

  test('a target that is not ready by its deadline is given up and blamed', () => {
    const nodes = [node(1, [1])]
    expect(giveUp({ nodes, targetAgeMs: 59_999 })).toBeUndefined()
    expect(giveUp({ nodes, targetAgeMs: 60_000 })).toMatchObject({
      reason: 'deadline',
      blame: true,
    })
  })

  test('one that nodes cannot read at present has longer: an outage is not its fault', () => {
    const nodes = [node(1, [1], broken(true)), node(2, [1])]
    expect(giveUp({ nodes, targetAgeMs: 599_999 })).toBeUndefined()
    expect(giveUp({ nodes, targetAgeMs: 600_000 })).toMatchObject({ reason: 'deadline' })
  })

  test('a target that no node can load is given up at once, with the reason', () => {
    const nodes = [node(1, [1], broken(false)), node(2, [1], broken(false))]
    expect(giveUp({ nodes })).toMatchObject({ reason: 'checksum', blame: true })
  })

  test('one node that may still load it keeps the target', () => {
    expect(giveUp({ nodes: [node(1, [1], broken(false)), node(2, [1])] })).toBeUndefined()
    expect(giveUp({ nodes: [node(1, [1], broken(true))] })).toBeUndefined()
  })

  test('a rollback that is late does not blame its version, a damaged one does', () => {
    const back = modelRecord({ serving: 2, target: 1, high: 2, why: 'rollback', hold: true })
    const late = giveUp({ record: back, nodes: [node(1, [2])], targetAgeMs: 60_000 })
    expect(late).toMatchObject({ version: 1, blame: false })
    const faults = [{ version: 1, reason: 'checksum', retriable: false }]
    const damaged = giveUp({ record: back, nodes: [node(1, [2], faults)] })
    expect(damaged).toMatchObject({ reason: 'checksum', blame: true })
  })
})

/** What the executor writes for an action, for running many steps without a coordinator. */
function apply(view: RolloutView, action: Action): RolloutView {
  const { record } = view
  switch (action.kind) {
    case 'nothing':
      return view
    case 'target':
      return {
        ...view,
        record: { ...record, target: action.version, high: action.version, why: 'fit' },
        targetAgeMs: 0,
      }
    case 'promote':
      return {
        ...view,
        record: {
          ...record,
          serving: action.version,
          previous: record.serving,
          changes: record.changes + 1,
        },
      }
    case 'give-up':
      return { ...view, record: { ...record, target: record.serving } }
  }
}

test('without a rollback the serving version never goes back, whatever nodes and time do', () => {
  const event = fc.record({
    stored: fc.integer({ min: 1, max: 12 }),
    loaded: fc.array(fc.subarray([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), { maxLength: 4 }),
    ageMs: fc.integer({ min: 0, max: 70_000 }),
    hold: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let view: RolloutView = {
        record: modelRecord(),
        versions: versions(),
        nodes: [],
        targetAgeMs: 0,
      }
      for (const { stored, loaded, ageMs, hold } of events) {
        view = {
          record: { ...view.record, hold },
          versions: new Map([...view.versions, [stored, held(versionRecord(stored))]]),
          nodes: loaded.map((list, i) => node(i, list)),
          targetAgeMs: view.targetAgeMs + ageMs,
        }
        const action = decide(view, bounds)
        const before = view.record.serving ?? 0
        if (action.kind === 'promote') {
          expect(action.holders.length).toBeGreaterThan(0)
          expect(view.versions.get(action.version)?.value.state).toBe('stored')
        }
        view = apply(view, action)
        expect(view.record.serving ?? 0).toBeGreaterThanOrEqual(before)
      }
    }),
  )
})
