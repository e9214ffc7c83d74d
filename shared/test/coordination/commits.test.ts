import { describe, expect, test } from 'vitest'
import { createCommits } from '../../src/coordination/embedded/commits.ts'
import { evaluate } from '../../src/coordination/embedded/evaluate.ts'
import type { Journal } from '../../src/coordination/embedded/journal.ts'
import { createKeySpace } from '../../src/coordination/embedded/key-space.ts'
import { absent, type Change, put, Unavailable } from '../../src/index.ts'

const { signal } = new AbortController()

/** A disk whose syncs end when they are told to, well or not. */
function setUp() {
  const syncs: { done(): void; fail(): void }[] = []
  const journal: Journal = {
    opened: { clusterId: 'c', revision: 1, compactedRevision: 0, changes: [] },
    append: () =>
      new Promise((resolve, reject) => {
        syncs.push({
          done: resolve,
          fail: () => reject(new Unavailable('coordinator', 'the disk is full')),
        })
      }),
    compact: async () => {},
    close: async () => {},
  }
  const space = createKeySpace([], 1)
  const seen: (readonly Change[])[] = []
  const commits = createCommits(space, journal, (changes) => seen.push(changes))
  const create = (key: string) =>
    commits.submit(
      (draft) => evaluate({ when: [absent(key)], then: [put(key, '1')] }, draft, () => false),
      signal,
    )
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { syncs, space, seen, commits, create, turn }
}

describe('commits', () => {
  test('nothing is visible or acknowledged before the disk has it', async () => {
    const { syncs, space, seen, create, turn } = setUp()
    let acknowledged = false
    const writing = create('/a').then(() => {
      acknowledged = true
    })
    await turn()
    expect([acknowledged, space.get('/a'), seen]).toEqual([false, undefined, []])
    syncs[0]?.done()
    await writing
    expect(space.get('/a')?.modRevision).toBe(2)
    expect(seen).toHaveLength(1)
  })

  test('what comes together shares a sync and still sees what was before it', async () => {
    const { syncs, seen, create, turn } = setUp()
    const all = Promise.all([create('/a'), create('/b'), create('/a')])
    await turn()
    expect(syncs).toHaveLength(1)
    syncs[0]?.done()
    expect(await all).toEqual([
      { succeeded: true, revision: 2 },
      { succeeded: true, revision: 3 },
      { succeeded: false, revision: 3 },
    ])
    expect(seen).toHaveLength(1)
  })

  test('what the disk refuses rejects and leaves no trace, and the next goes on', async () => {
    const { syncs, space, seen, create, turn } = setUp()
    const refused = Promise.allSettled([create('/a'), create('/a')])
    await turn()
    syncs[0]?.fail()
    for (const result of await refused) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'Unavailable' } })
    }
    expect([space.revision, space.list('').entries, seen]).toEqual([1, [], []])
    const next = create('/a')
    await turn()
    syncs[1]?.done()
    expect(await next).toEqual({ succeeded: true, revision: 2 })
  })
})
