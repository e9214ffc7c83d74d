import { expect, test } from 'vitest'
import { type Coordinator, openEmbeddedCoordinator } from '../../../shared/src/index.ts'
import { playConcurrently } from '../../differential/concurrent.ts'
import { sideOf } from '../../differential/sides.ts'
import { checkKeySpaceHistory } from '../../linearizability/check.ts'
import type { KeySpaceOperation } from '../../linearizability/key-space-history.ts'

const { signal } = new AbortController()
const open = (name: string, change: (right: Coordinator) => Coordinator) =>
  sideOf(name, async () => [change(await openEmbeddedCoordinator({ path: ':memory:' }))])

test('clients at once are linearizable on one coordinator, and not when it reads old things', async () => {
  const right = await open('right', (coordinator) => coordinator)
  const old = await open('old', (coordinator) => {
    let before: Promise<Awaited<ReturnType<Coordinator['list']>>> | undefined
    return {
      ...coordinator,
      // Each list gives what the one before it should have given.
      async list(prefix, given) {
        const now = coordinator.list(prefix, given)
        const shown = prefix === '/a' && before ? before : now
        if (prefix === '/a') before = now
        return await shown
      },
    }
  })
  const [good, stale] = [[], []] as [KeySpaceOperation[], KeySpaceOperation[]]
  for (let seed = 1; seed <= 5; seed++) {
    good.push(...(await playConcurrently(right, seed, `seed ${seed}`, signal)))
    stale.push(...(await playConcurrently(old, seed, `seed ${seed}`, signal)))
  }
  expect(good.length).toBeGreaterThan(200)
  expect(await checkKeySpaceHistory(good)).toMatchObject({ verdict: 'ok', models: 5 })
  expect(await checkKeySpaceHistory(stale)).toMatchObject({ verdict: 'illegal' })
  await right.close()
  await old.close()
})
