import { type ClusterState, createClusterFold, type Entry, type ModelRecord } from '@almanac/shared'
import { expect, test } from 'vitest'
import { fitOutcome } from '../../src/jobs/fit-outcome.ts'

const tombstone: ModelRecord = {
  serving: null,
  target: null,
  previous: null,
  high: 1,
  hold: false,
  changes: 1,
  floor: 1,
  why: 'fit',
  createdAt: '2026-01-01T00:00:00.000Z',
  deletedAt: '2026-01-02T00:00:00.000Z',
}
const fit = { of: { tenant: 'default', model: 'm' }, version: 2, job: 'j', revision: 8 }

function stateAt(revision: number, record: ModelRecord): ClusterState {
  const entry: Entry = {
    key: '/models/default/m',
    value: JSON.stringify(record),
    createRevision: 2,
    modRevision: revision,
    lease: null,
  }
  const fold = createClusterFold((key, fault) => expect.unreachable(`${key}: ${fault}`))
  fold.apply({ kind: 'snapshot', revision, entries: [entry] })
  return fold.state
}

test('a deletion before the fit was recorded says nothing about the fit', () => {
  expect(fitOutcome(stateAt(7, tombstone), fit)).toBeUndefined()
})

test('a deletion after the fit was recorded fails it', () => {
  const outcome = fitOutcome(stateAt(9, tombstone), fit)
  expect(outcome).toMatchObject({ kind: 'failed', error: { phase: 'deleted' } })
})

test('a fit whose version serves is done', () => {
  const serving = { ...tombstone, deletedAt: null, serving: 2, target: 2, high: 2 }
  expect(fitOutcome(stateAt(9, serving), fit)).toEqual({ kind: 'serving' })
})
