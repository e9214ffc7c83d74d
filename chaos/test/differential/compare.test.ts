import { expect, test } from 'vitest'
import { type Coordinator, openEmbeddedCoordinator } from '../../../shared/src/index.ts'
import { compareSides, describeDifference } from '../../differential/compare.ts'
import { generateHistory } from '../../differential/generate.ts'
import { shrink } from '../../differential/shrink.ts'
import { sideOf } from '../../differential/sides.ts'
import type { History } from '../../differential/steps.ts'
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
