import { codec } from '@almanac/shared'
import { expect, test } from 'vitest'
import { operationsOf } from '../../history/operations.ts'
import { Operation } from '../../linearizability/history.ts'
import { entry, fitted, goodStory, unknown } from '../invariants/story.ts'

const acts = (operations: readonly Operation[], kind: Operation['act']['kind']) =>
  operations.filter(({ act }) => act.kind === kind)

test('a history becomes operations that the checker takes', () => {
  const { entries, records } = goodStory()
  const operations = operationsOf(entries, records)
  const taken = codec(Operation)
  for (const operation of operations) expect(taken.decode(JSON.stringify(operation)).ok).toBe(true)
  expect(acts(operations, 'allocate').map(({ act }) => act)).toEqual(
    [1, 2, 3, 4].map((version) => ({ kind: 'allocate', version })),
  )
  expect(acts(operations, 'promote')).toHaveLength(5)
  expect(acts(operations, 'rollback')).toHaveLength(1)
  expect(acts(operations, 'release')).toHaveLength(1)
})

test('requests under one key are one allocation, from the first call to the last return', () => {
  const { entries, records } = goodStory()
  const [, second] = acts(operationsOf(entries, records), 'allocate')
  expect(second).toMatchObject({ callMs: 30, returnMs: 55 })
})

test('what has an unknown outcome has no return, and what was refused is left out', () => {
  const { records } = goodStory()
  const entries = [
    { ...fitted([0, 10], 1), outcome: unknown },
    fitted([20, 30], 2, { answer: { status: 503, version: null, job: null } }),
    fitted([40, 50], 3, { answer: { status: 400, version: null, job: null } }),
    { ...fitted([60, 70], 4), outcome: { kind: 'unreached', why: 'refused' } as const },
    fitted([72, 73], 5, { answer: { status: 503, word: 'store-away', version: null, job: null } }),
    entry([74, 75], { kind: 'delete', model: 'm' }, { status: 503, word: 'coordinator-away' }),
    entry([80, 90], { kind: 'delete', model: 'm' }, unknown),
    entry([100, 110], { kind: 'rollback', model: 'm', version: 1 }, { status: 409 }),
  ]
  const operations = operationsOf(entries, { ...records, logs: new Map() })
  const done = operations.filter(({ client }) => client !== 'records')
  expect(done.map(({ act, callMs, returnMs }) => [act.kind, callMs, returnMs])).toEqual([
    ['allocate', 0, null],
    ['allocate', 20, null],
    ['delete', 80, null],
  ])
})

test('a promotion lies between the request that led to it and the first sight of it', () => {
  const { entries, records } = goodStory()
  const promotions = acts(operationsOf(entries, records), 'promote')
  const of = (n: number) => promotions.find(({ act }) => act.kind === 'promote' && act.n === n)
  expect(of(1)).toMatchObject({ callMs: 0, returnMs: 10 })
  expect(of(5)).toMatchObject({ callMs: 130, returnMs: 150 })
  // 2 served twice: when it was first seen says nothing of the second time.
  const endMs = Math.max(...entries.map(({ doneMs }) => doneMs)) + 1
  expect(of(4)).toMatchObject({ callMs: 100, returnMs: endMs })
})

test('a look that finds no model, and one that finds one, are both looks', () => {
  const { entries, records } = goodStory()
  const look = { kind: 'look', model: 'm' } as const
  entries.push(entry([500, 501], look, { status: 404, word: 'no-such-model' }))
  entries.push(entry([600, 601], look, { version: 4, changes: 5 }))
  expect(acts(operationsOf(entries, records), 'look').map(({ act }) => act)).toEqual([
    { kind: 'look', broker: 'broker-1', found: null },
    { kind: 'look', broker: 'broker-1', found: { serving: 4, changes: 5 } },
  ])
})
