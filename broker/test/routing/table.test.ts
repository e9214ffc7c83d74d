import { createClusterFold, type Entry, type ModelRecord, type NodeRecord } from '@almanac/shared'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Peer } from '../../src/routing/peer.ts'
import { createRouter } from '../../src/routing/router.ts'
import { modelRecord, nodeModelRecord, nodeRecord } from '../support/records.ts'

const id = 'default/m'

/** A router over a fold that tests feed with events. */
function setUp(unconfirmedNodeMs = 600_000) {
  const fold = createClusterFold(() => {})
  let nowMs = 0
  let revision = 0
  const router = createRouter({
    state: () => fold.state,
    clock: { monotonicMs: () => nowMs },
    bounds: { unconfirmedNodeMs },
    onTable: () => {},
  })
  const put = (key: string, value: unknown): void => {
    revision += 1
    const entry: Entry = {
      key,
      value: JSON.stringify(value),
      createRevision: revision,
      modRevision: revision,
      lease: null,
    }
    router.refresh(fold.apply({ kind: 'changes', revision, changes: [{ kind: 'put', entry }] }))
  }
  /** A lease that ends takes all its keys at one revision. */
  const remove = (...keys: string[]): void => {
    revision += 1
    const changes = keys.map((key) => ({ kind: 'delete' as const, key, modRevision: revision }))
    router.refresh(fold.apply({ kind: 'changes', revision, changes }))
  }
  return {
    router,
    revision: () => revision,
    passMs: (ms: number) => {
      nowMs += ms
    },
    model: (record: Partial<ModelRecord>) => put('/models/default/m', modelRecord(record)),
    record: (port: number, change: Partial<NodeRecord> = {}) =>
      put(`/nodes/10.0.0.1_${port}`, nodeRecord(port, change)),
    said: (port: number, loaded: number[]) =>
      put(`/nodes/10.0.0.1_${port}/models/default/m`, nodeModelRecord(port, loaded)),
    node: (port: number, loaded: number[], change: Partial<NodeRecord> = {}) => {
      put(`/nodes/10.0.0.1_${port}`, nodeRecord(port, change))
      const said = { ...nodeModelRecord(port, loaded), ...instanceOf(change) }
      put(`/nodes/10.0.0.1_${port}/models/default/m`, said)
    },
    lose: (port: number) =>
      remove(`/nodes/10.0.0.1_${port}`, `/nodes/10.0.0.1_${port}/models/default/m`),
    holders: (version: number) => {
      const holders = router.table().models.get(id)?.holders.get(version)
      const names = (peers: readonly Peer[] = []) => peers.map((peer) => peer.instance)
      return [names(holders?.confirmed), names(holders?.unconfirmed)]
    },
  }
}

const instanceOf = (change: Partial<NodeRecord>) =>
  change.instance ? { instance: change.instance } : {}

describe('the routing table', () => {
  test('a version is routed to the nodes that registered it', () => {
    const t = setUp()
    t.model({ serving: 2, target: 2 })
    t.node(1, [1, 2])
    t.node(2, [2])
    expect(t.holders(1)).toEqual([['i-1'], []])
    expect(t.holders(2)).toEqual([['i-1', 'i-2'], []])
    expect(t.holders(3)).toEqual([[], []])
  })

  test('the table before stays as it was', () => {
    const t = setUp()
    t.model({ serving: 1, target: 1 })
    t.node(1, [1])
    const before = t.router.table()
    t.node(2, [1])
    expect(before.models.get(id)?.holders.get(1)?.confirmed).toHaveLength(1)
    expect(t.router.table()).not.toBe(before)
  })

  test('a node that does not serve is not asked', () => {
    const t = setUp()
    t.model({ serving: 1, target: 1 })
    t.node(1, [1], { roles: ['fit'] })
    expect(t.holders(1)).toEqual([[], []])
  })

  test('a deleted model has no routes', () => {
    const t = setUp()
    t.model({ serving: 1, target: 1 })
    t.model({ deletedAt: 'now' })
    expect(t.router.table().models.has(id)).toBe(false)
  })
})

describe('with many models', () => {
  test('a node that takes a fit routes nothing anew, and one that comes all that it has', () => {
    const t = setUp()
    t.model({ serving: 1, target: 1 })
    t.node(1, [1])
    const before = t.router.table().models.get(id)
    t.record(1, { capacity: { fits: 5, fitsBusy: 1 } })
    expect(t.router.table().models.get(id)).toBe(before)
    expect(t.router.table().serving.confirmed).toHaveLength(1)
    t.said(2, [1])
    expect(t.holders(1)).toEqual([['i-1'], []])
    t.record(2)
    expect(t.holders(1)).toEqual([['i-1', 'i-2'], []])
    t.record(2, { roles: ['fit'] })
    expect(t.holders(1)).toEqual([['i-1'], []])
  })
})

describe('nodes whose registration ended', () => {
  test('stay unconfirmed for a while, and are then forgotten', () => {
    const t = setUp(1_000)
    t.model({ serving: 1, target: 1 })
    t.node(1, [1])
    t.lose(1)
    expect(t.holders(1)).toEqual([[], ['i-1']])
    t.passMs(999)
    t.model({ serving: 1, target: 1, hold: true })
    expect(t.holders(1)).toEqual([[], ['i-1']])
    t.passMs(2)
    t.model({ serving: 1, target: 1 })
    expect(t.holders(1)).toEqual([[], []])
    expect(t.router.table().serving.unconfirmed).toHaveLength(1)
    t.node(2, [])
    expect(t.router.peers().map((peer) => peer.instance)).toEqual(['i-2'])
  })

  test('are confirmed again when they register again', () => {
    const t = setUp()
    t.model({ serving: 1, target: 1 })
    t.node(1, [1])
    const [peer] = t.router.peers()
    t.lose(1)
    expect(peer?.goneAtMs).not.toBeNull()
    t.node(1, [1])
    expect(t.holders(1)).toEqual([['i-1'], []])
    expect(t.router.peers()).toEqual([peer])
    expect(peer?.goneAtMs).toBeNull()
  })

  test('are replaced by another process at their address', () => {
    const t = setUp()
    t.model({ serving: 1, target: 1 })
    t.node(1, [1])
    t.lose(1)
    t.node(1, [], { instance: 'other' })
    expect(t.holders(1)).toEqual([[], []])
  })
})

describe('what a node knows better', () => {
  const [peerName] = ['10.0.0.1_1']
  const peerOf = (t: ReturnType<typeof setUp>) =>
    t.router.peers().find((peer) => peer.name === peerName)!

  test('a newer record is adopted, and whoever told it is asked for what it says serves', () => {
    const t = setUp()
    t.model({ serving: 1, target: 1 })
    t.node(1, [1])
    const newer = modelRecord({ serving: 2, target: 2 })
    expect(t.router.adopt(id, newer, t.revision() + 5, peerOf(t))).toBe(true)
    expect(t.router.table().models.get(id)?.record.serving).toBe(2)
    expect(t.holders(2)).toEqual([['i-1'], []])
  })

  test('an older record is ignored', () => {
    const t = setUp()
    t.model({ serving: 2, target: 2 })
    t.node(1, [2])
    expect(t.router.adopt(id, modelRecord({ serving: 1, target: 1 }), 0, peerOf(t))).toBe(false)
    expect(t.router.table().models.get(id)?.record.serving).toBe(2)
  })

  test('the table does not go back when the watch is still behind what was adopted', () => {
    const steps = fc.array(
      fc.record({ isHint: fc.boolean(), ahead: fc.integer({ min: -5, max: 20 }) }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(steps, (list) => {
        const t = setUp()
        t.node(1, [])
        t.model({ serving: 1, target: 1 })
        let seen = 0
        for (const { isHint, ahead } of list) {
          // The serving version of a record is its revision: newer records serve newer versions.
          const at = t.revision() + (isHint ? ahead : 1)
          const record = { serving: Math.max(1, at), target: Math.max(1, at) }
          if (isHint) t.router.adopt(id, modelRecord(record), at, peerOf(t))
          else t.model(record)
          const { modRevision = 0, record: now } = t.router.table().models.get(id) ?? {}
          expect(modRevision).toBeGreaterThanOrEqual(seen)
          // What the watch brings is never missed for what was heard before.
          if (!isHint) expect(modRevision).toBeGreaterThanOrEqual(at)
          if (modRevision > 3) expect(now?.serving).toBe(modRevision)
          seen = modRevision
        }
      }),
    )
  })
})

test('a node that denied what it registered is left alone for a moment', () => {
  const t = setUp()
  t.model({ serving: 1, target: 1 })
  t.node(1, [1])
  const [peer] = t.router.peers()
  t.router.deny(peer!, id, 1)
  expect(t.router.isDenied(peer!, id, 1)).toBe(true)
  expect(t.router.isDenied(peer!, id, 2)).toBe(false)
  t.passMs(1_001)
  expect(t.router.isDenied(peer!, id, 1)).toBe(false)
})
