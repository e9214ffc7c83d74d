import { expect, test } from 'vitest'
import { createClusterFold } from '../../src/cluster/state.ts'
import type { Entry } from '../../src/index.ts'

const claim = (instance: string) =>
  JSON.stringify({ node: 'a_1', instance, since: '2026-01-01', x: 1 })
const entry = (key: string, value: string, revision: number): Entry => ({
  key,
  value,
  createRevision: revision,
  modRevision: revision,
  lease: null,
})

test('a bad value is reported and skipped, and the values beside it stay', () => {
  const faults: string[] = []
  const fold = createClusterFold((key) => faults.push(key))
  fold.apply({
    kind: 'snapshot',
    revision: 3,
    entries: [entry('/claims/a', claim('i'), 2), entry('/claims/b', '{"node":1}', 3)],
  })
  expect(faults).toEqual(['/claims/b'])
  expect([...fold.state.claims.keys()]).toEqual(['a'])
  expect(fold.state.revision).toBe(3)
})

test('a snapshot replaces all that was there before it', () => {
  const fold = createClusterFold(() => {})
  fold.apply({ kind: 'snapshot', revision: 2, entries: [entry('/claims/a', claim('i'), 2)] })
  const touched = fold.apply({ kind: 'snapshot', revision: 9, entries: [] })
  expect(touched.all).toBe(true)
  expect(fold.state.claims.size).toBe(0)
})

test('a delete takes away exactly its key and says whom it touched', () => {
  const fold = createClusterFold(() => {})
  fold.apply({
    kind: 'snapshot',
    revision: 2,
    entries: [entry('/claims/a', claim('i'), 2), entry('/claims/b', claim('j'), 2)],
  })
  const touched = fold.apply({
    kind: 'changes',
    revision: 3,
    changes: [{ kind: 'delete', key: '/claims/a', modRevision: 3 }],
  })
  expect([...fold.state.claims.keys()]).toEqual(['b'])
  expect([...touched.jobs]).toEqual(['a'])
})

test('fields of a later release survive in the text, and keys of one are ignored', () => {
  const fold = createClusterFold(() => expect.unreachable())
  fold.apply({
    kind: 'snapshot',
    revision: 2,
    entries: [entry('/claims/a', claim('i'), 2), entry('/shards/of/tomorrow', '?', 2)],
  })
  expect(fold.state.claims.get('a')?.value).toMatchObject({ x: 1 })
})

test('what a node says about one of its models touches that model, not the node', () => {
  const fold = createClusterFold(() => expect.unreachable())
  const said = JSON.stringify({ instance: 'i', loaded: [1], failed: [] })
  const touched = fold.apply({
    kind: 'changes',
    revision: 2,
    changes: [{ kind: 'put', entry: entry('/nodes/a_1/models/default/m', said, 2) }],
  })
  expect([...touched.models]).toEqual(['default/m'])
  expect(touched.nodes.size).toBe(0)
  expect(fold.state.nodeModels.get('a_1')?.size).toBe(1)
})
