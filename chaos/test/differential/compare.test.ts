import { expect, test } from 'vitest'
import { type Coordinator, openEmbeddedCoordinator } from '../../../shared/src/index.ts'
import { compareSides, describeDifference } from '../../differential/compare.ts'
import { playConcurrently } from '../../differential/concurrent.ts'
import { generateHistory } from '../../differential/generate.ts'
import { shrink } from '../../differential/shrink.ts'
import { type ClosableSide, sideOf } from '../../differential/sides.ts'
import type { History } from '../../differential/steps.ts'
import { checkKeySpaceHistory } from '../../linearizability/check.ts'
import type { KeySpaceOperation } from '../../linearizability/key-space-history.ts'
import { mutants } from './mutants.ts'

const { signal } = new AbortController()
const asItIs = (right: Coordinator) => right
const open = (name: string, change: (right: Coordinator) => Coordinator) =>
  sideOf(name, async () => [change(await openEmbeddedCoordinator({ path: ':memory:' }))])

/** Plays on two coordinators that are gone after it. */
async function playOn(history: History, change: (right: Coordinator) => Coordinator) {
  const sides = [await open('right', asItIs), await open('changed', change)] as const
  try {
    return await compareSides(sides, history, signal)
  } finally {
    for (const side of sides) await side.close()
  }
}

test('a seed makes one history, another seed another one', () => {
  expect(generateHistory(7)).toEqual(generateHistory(7))
  expect(generateHistory(7)).not.toEqual(generateHistory(8))
})

test('equal sides never differ, and are left empty for the next history', async () => {
  const sides = [await open('one', asItIs), await open('other', asItIs)] as const
  const thrown = new Set<unknown>()
  let succeeded = 0
  for (let seed = 1; seed <= 100; seed++) {
    // In memory nothing is there after it is opened again.
    const history = generateHistory(seed).filter(({ act }) => act.kind !== 'reopen')
    const difference = await compareSides(sides, history, signal, (result) => {
      const { thrown: name, ...rest } = { thrown: undefined, ...(result as object) }
      thrown.add(name)
      if ('succeeded' in rest && rest.succeeded) succeeded += 1
    })
    expect(difference && describeDifference(history, difference)).toBeUndefined()
  }
  for (const side of sides) await side.close()
  // Histories in which everything was refused would prove nothing.
  expect(succeeded).toBeGreaterThan(500)
  expect(thrown).toEqual(new Set([undefined, 'Bug', 'Missing']))
})

for (const [name, change] of Object.entries(mutants)) {
  test(`${name}: found within 150 histories, and cut to a few steps`, async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const history = generateHistory(seed).filter(({ act }) => act.kind !== 'reopen')
      if ((await playOn(history, change)) === undefined) continue
      const fails = async (shorter: History) => (await playOn(shorter, change)) !== undefined
      const short = await shrink(history, fails, 300)
      expect(await fails(short)).toBe(true)
      expect(short.length).toBeLessThanOrEqual(6)
      return
    }
    throw new Error('not found')
  }, 60_000)
}

test('clients at once are linearizable on one coordinator, and not when it reads old things', async () => {
  const right: ClosableSide = await open('right', asItIs)
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
