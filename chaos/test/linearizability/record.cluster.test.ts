import { expect, test } from 'vitest'
import { checkHistory } from '../../linearizability/check.ts'
import type { Operation } from '../../linearizability/history.ts'

type Act = Operation['act']
type Found = NonNullable<Extract<Act, { kind: 'read' }>['found']>

/** Called at one time and returned at another; null: nobody knows. */
const at = (callMs: number, returnMs: number | null, act: Act): Operation => ({
  client: 'client',
  model: 'model',
  callMs,
  returnMs,
  act,
})
const allocate = (version: number | null): Act => ({ kind: 'allocate', version })
const rollback = (version: number | null): Act => ({ kind: 'rollback', version })
const release: Act = { kind: 'release' }
const remove = (lastVersion: number | null): Act => ({ kind: 'delete', lastVersion })
const promote = (n: number, from: number | null, to: number, why: 'fit' | 'rollback'): Act => ({
  kind: 'promote',
  n,
  from,
  to,
  why,
})
const serves = (broker: string, version: number): Act => ({ kind: 'serves', broker, version })
const look = (broker: string, serving: number | null, changes: number): Act => ({
  kind: 'look',
  broker,
  found: { serving, changes },
})
const notThere = (broker: string): Act => ({ kind: 'look', broker, found: null })
const read = (found: Partial<Found> | null): Act => ({
  kind: 'read',
  found: found && {
    serving: null,
    target: null,
    previous: null,
    high: 0,
    hold: false,
    changes: 0,
    ...found,
  },
})

/** One after the other, each a millisecond. */
const inOrder = (...acts: readonly Act[]) => acts.map((act, i) => at(2 * i, 2 * i + 1, act))
const twoVersions = [
  allocate(1),
  promote(1, null, 1, 'fit'),
  allocate(2),
  promote(2, 1, 2, 'fit'),
] as const

const explained: Record<string, readonly Operation[]> = {
  nothing: [],
  'the life of a model': inOrder(
    notThere('a'),
    ...twoVersions,
    serves('a', 2),
    read({ serving: 2, target: 2, previous: 1, high: 2, changes: 2 }),
    rollback(1),
    promote(3, 2, 1, 'rollback'),
    serves('a', 1),
    allocate(3),
    read({ serving: 1, target: 1, previous: 2, high: 2, hold: true, changes: 3 }),
    release,
    read({ serving: 1, target: 3, previous: 2, high: 3, changes: 3 }),
    promote(4, 1, 3, 'fit'),
    look('a', 3, 4),
    remove(3),
    read(null),
    notThere('a'),
    allocate(4),
    read({ high: 3, changes: 5 }),
    look('a', null, 5),
    promote(6, null, 4, 'fit'),
    serves('b', 4),
  ),
  'a broker that is behind': inOrder(...twoVersions, look('b', 1, 1), look('b', 2, 2)),
  'a broker that acknowledges a fit while a newer one serves': inOrder(
    ...twoVersions,
    serves('b', 1),
    serves('b', 2),
  ),
  'what the API tells of a record': inOrder(...twoVersions, {
    kind: 'read',
    found: { serving: 2, target: 2, hold: false, changes: 2 },
  }),
  'a rollback to the version before, with what was given up': inOrder(
    ...twoVersions,
    rollback(null),
    read({ serving: 2, target: 1, previous: 1, high: 2, hold: true, changes: 2 }),
    read({ serving: 2, target: 2, previous: 1, high: 2, hold: true, changes: 2 }),
  ),
  'versions that overlap, and are told in the other order': [
    at(0, 10, allocate(2)),
    at(0, 10, allocate(1)),
  ],
  'an allocation of which nobody knows, and which serves': [
    at(0, null, allocate(null)),
    at(5, 6, promote(1, null, 1, 'fit')),
    at(7, 8, allocate(2)),
  ],
  'a rollback of which nobody knows, done late': [
    ...inOrder(...twoVersions),
    at(10, null, rollback(1)),
    at(20, 21, read({ serving: 2, target: 2, previous: 1, high: 2, changes: 2 })),
    at(30, 31, read({ serving: 2, target: 1, previous: 1, high: 2, hold: true, changes: 2 })),
  ],
  'a deletion of which nobody knows, never done': [
    ...inOrder(...twoVersions),
    at(10, null, remove(null)),
    at(20, 21, read({ serving: 2, target: 2, previous: 1, high: 2, changes: 2 })),
  ],
  'a model that an allocation of which nobody knows brought back': [
    ...inOrder(allocate(1), remove(1)),
    at(10, null, allocate(null)),
    at(20, 21, read({ high: 1, changes: 1 })),
    at(22, 23, allocate(3)),
  ],
}

const impossible: Record<string, readonly Operation[]> = {
  'a version that was allocated twice': inOrder(allocate(1), allocate(2), allocate(2)),
  'a version that was allocated twice at the same time': [
    at(0, 10, allocate(1)),
    at(0, 10, allocate(1)),
  ],
  'a version below one that was told before': inOrder(allocate(2), allocate(1)),
  'a version that was allocated again after the model was deleted': inOrder(
    allocate(1),
    remove(1),
    allocate(1),
  ),
  'a deletion that forgets a version': inOrder(allocate(1), allocate(2), remove(1)),
  'a stale read after an acknowledged promotion': inOrder(
    ...twoVersions,
    read({ serving: 1, target: 1, high: 1, changes: 1 }),
  ),
  'a broker that goes back': inOrder(...twoVersions, look('a', 2, 2), look('a', 1, 1)),
  'a broker that goes back behind what it acknowledged': inOrder(
    ...twoVersions,
    serves('a', 2),
    look('a', 1, 1),
  ),
  'a broker that shows what never served': inOrder(...twoVersions, look('a', 1, 2)),
  'a broker that knows the future': [
    ...inOrder(...twoVersions.slice(0, 3)),
    at(10, 11, look('a', 2, 2)),
    at(12, 13, promote(2, 1, 2, 'fit')),
  ],
  'a rollback that was lost': inOrder(
    ...twoVersions,
    rollback(1),
    read({ serving: 2, target: 2, previous: 1, high: 2, hold: false, changes: 2 }),
  ),
  'a fit that undid a rollback': inOrder(
    ...twoVersions,
    rollback(1),
    promote(3, 2, 1, 'rollback'),
    allocate(3),
    promote(4, 1, 3, 'fit'),
  ),
  'a hold that came back after its release': inOrder(
    ...twoVersions,
    rollback(1),
    promote(3, 2, 1, 'rollback'),
    release,
    read({ serving: 1, target: 1, previous: 2, high: 2, hold: true, changes: 3 }),
  ),
  'a fit that lets an older version serve': inOrder(
    allocate(1),
    allocate(2),
    promote(1, null, 2, 'fit'),
    promote(2, 2, 1, 'fit'),
  ),
  'a promotion that was done twice': inOrder(...twoVersions, promote(3, 2, 2, 'fit')),
  'two promotions after the same version': inOrder(
    ...twoVersions,
    allocate(3),
    promote(3, 1, 3, 'fit'),
  ),
  'a promotion of what nobody allocated': inOrder(allocate(1), promote(1, null, 2, 'fit')),
  'a version of a deleted model that serves again': inOrder(
    ...twoVersions,
    remove(2),
    allocate(3),
    promote(4, null, 2, 'fit'),
  ),
  'a model that is there after its deletion': inOrder(
    ...twoVersions,
    remove(2),
    read({ serving: 2, target: 2, previous: 1, high: 2, changes: 2 }),
  ),
  'a model that is denied while it is there': inOrder(allocate(1), notThere('a')),
  'a version that is said to serve before it does': inOrder(
    allocate(1),
    serves('a', 1),
    promote(1, null, 1, 'fit'),
  ),
  'a broker that says that an older version serves': inOrder(
    ...twoVersions,
    serves('a', 2),
    serves('a', 1),
  ),
  'a rollback that was lost, by what the API tells': inOrder(
    ...twoVersions,
    rollback(1),
    promote(3, 2, 1, 'rollback'),
    { kind: 'read', found: { serving: 1, target: 1, hold: false, changes: 3 } },
  ),
}

for (const [name, history] of Object.entries(explained)) {
  test(`${name}: can be explained`, async () => {
    expect(await checkHistory(history)).toMatchObject({ verdict: 'ok', illegal: [] })
  })
}

for (const [name, history] of Object.entries(impossible)) {
  test(`${name}: noticed`, async () => {
    const { verdict, illegal } = await checkHistory(history)
    expect(verdict).toBe('illegal')
    expect(illegal).toHaveLength(1)
  })
}
