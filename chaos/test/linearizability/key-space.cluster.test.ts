import { expect, test } from 'vitest'
import { checkKeySpaceHistory } from '../../linearizability/check.ts'
import type { KeySpaceOperation } from '../../linearizability/key-space-history.ts'

type Act = KeySpaceOperation['act']

const at = (callMs: number, returnMs: number | null, act: Act): KeySpaceOperation => ({
  client: `${callMs}`,
  model: 'keys',
  callMs,
  returnMs,
  act,
})
const inOrder = (...acts: readonly Act[]) => acts.map((act, i) => at(2 * i, 2 * i + 1, act))

type Transact = Extract<Act, { kind: 'transact' }>
const transact = (
  then: Transact['then'],
  revision: number,
  { when = [], succeeded = true }: { when?: Transact['when']; succeeded?: boolean | null } = {},
): Act => ({ kind: 'transact', when, then, succeeded, revision })
const put = (key: string, value: string, lease: string | null = null) =>
  ({ kind: 'put', key, value, lease }) as const
const remove = (key: string) => ({ kind: 'delete', key }) as const
const entry = (key: string, value: string, created: number, modified: number, lease = '') => ({
  key,
  value,
  createRevision: created,
  modRevision: modified,
  lease: lease || null,
})
const get = (key: string, found: ReturnType<typeof entry> | null): Act => ({
  kind: 'get',
  key,
  entry: found,
})
const unchanged = { when: [{ kind: 'modified-at' as const, key: '/a', revision: 2 }] }

const explained: Record<string, readonly KeySpaceOperation[]> = {
  'a key that is made, changed, deleted and made again': inOrder(
    transact([put('/a', '1')], 2),
    transact([put('/a', '2')], 3, unchanged),
    transact([put('/a', '3')], 3, { ...unchanged, succeeded: false }),
    get('/a', entry('/a', '2', 2, 3)),
    transact([remove('/a'), remove('/never')], 4),
    transact([remove('/a')], 4),
    transact([put('/a', '4'), put('/b', '4')], 5, { when: [{ kind: 'absent', key: '/a' }] }),
    { kind: 'list', prefix: '/a', revision: 5, entries: [entry('/a', '4', 5, 5)] },
  ),
  'a lease that takes its keys along': inOrder(
    transact([put('/a', '1', '7'), put('/b', '1'), put('/c', '1', '8')], 2),
    { kind: 'revoke', lease: '7' },
    { kind: 'revoke', lease: '7' },
    { kind: 'list', prefix: '/a', revision: 3, entries: [] },
    get('/c', entry('/c', '1', 2, 2, '8')),
  ),
  'writes at once, told in any order': [
    at(0, 10, transact([put('/a', '2')], 3)),
    at(0, 10, transact([put('/a', '1')], 2)),
    at(0, 10, get('/a', null)),
  ],
  'a write of which nobody knows': [
    at(0, null, transact([put('/a', '1')], 0, { succeeded: null })),
    at(1, 2, get('/a', null)),
    at(3, 4, get('/a', entry('/a', '1', 2, 2))),
  ],
}

const impossible: Record<string, readonly KeySpaceOperation[]> = {
  'two that changed the same state of a key': [
    ...inOrder(transact([put('/a', '1')], 2)),
    at(10, 20, transact([put('/a', '2')], 3, unchanged)),
    at(10, 20, transact([put('/a', '3')], 4, unchanged)),
  ],
  'a read that is old': inOrder(
    transact([put('/a', '1')], 2),
    transact([put('/a', '2')], 3),
    get('/a', entry('/a', '1', 2, 2)),
  ),
  'a read from the future': [
    at(0, 1, get('/a', entry('/a', '1', 2, 2))),
    at(2, 3, transact([put('/a', '1')], 2)),
  ],
  'a revision that was given twice': inOrder(
    transact([put('/a', '1')], 2),
    transact([put('/b', '1')], 2),
  ),
  'a key that remembers a former life': inOrder(
    transact([put('/a', '1')], 2),
    transact([remove('/a')], 3),
    transact([put('/a', '2')], 4),
    get('/a', entry('/a', '2', 2, 4)),
  ),
  'a refusal without a reason': inOrder(
    transact([put('/a', '1')], 2),
    transact([put('/a', '2')], 2, { ...unchanged, succeeded: false }),
  ),
  'a list that mixes two revisions': [
    ...inOrder(transact([put('/a', '1'), put('/b', '1')], 2)),
    at(10, 20, transact([put('/a', '2'), put('/b', '2')], 3)),
    at(10, 20, {
      kind: 'list',
      prefix: '/',
      revision: 3,
      entries: [entry('/a', '2', 2, 3), entry('/b', '1', 2, 2)],
    }),
  ],
  'a key that outlives its lease': inOrder(
    transact([put('/a', '1', '7')], 2),
    { kind: 'revoke', lease: '7' },
    get('/a', entry('/a', '1', 2, 2, '7')),
  ),
}

for (const [name, history] of Object.entries(explained)) {
  test(`${name}: can be explained`, async () => {
    expect(await checkKeySpaceHistory(history)).toMatchObject({ verdict: 'ok', illegal: [] })
  })
}

for (const [name, history] of Object.entries(impossible)) {
  test(`${name}: noticed`, async () => {
    expect(await checkKeySpaceHistory(history)).toMatchObject({ verdict: 'illegal' })
  })
}
