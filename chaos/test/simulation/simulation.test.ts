import '../../simulation/world/globals.ts'
import { describe, expect, test } from 'vitest'
import { mutants } from '../../simulation/mutants.ts'
import { planOf } from '../../simulation/schedule/draw.ts'
import type { Request } from '../../simulation/schedule/plan.ts'
import { keptOf, keptText, reduced, shrink } from '../../simulation/schedule/shrink.ts'
import { runSeed } from '../../simulation/work.ts'
import { canDrain, World } from '../../simulation/world/world.ts'
import { apart } from './apart.ts'

const traceOf = (seed: number) =>
  apart(() => {
    const lines: string[] = []
    const { violations } = runSeed(seed, undefined, undefined, (line) => lines.push(line))
    return { text: lines.join('\n'), violations }
  })

describe('a simulation', () => {
  test('can settle promises at once on this Node', async () => {
    expect(await apart(canDrain)).toBe(true)
  })

  test('is the same to the byte for the same seed, whatever ran before it', async () => {
    const before = await traceOf(7)
    expect(before.text.split('\n').length).toBeGreaterThan(50)
    for (const other of [8, 9, 10]) await traceOf(other)
    const again = await traceOf(7)
    expect(again.text).toBe(before.text)
    expect((await traceOf(8)).text).not.toBe(before.text)
  })

  test('finds nothing to blame on a few schedules', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const { violations } = await apart(() => runSeed(seed))
      expect({ seed, violations }).toEqual({ seed, violations: [] })
    }
  })
})

test('in a world that is over nothing waits any more, nor is anything kept for it', () => {
  const world = new World({ seed: 1 })
  world.after(10, undefined, () => {})
  world.end()
  world.run(1_000)
  expect(world.events).toBe(0)
})

describe('a planted fault', () => {
  test.each(Object.keys(mutants))('%s: is noticed', { timeout: 120_000 }, async (mutant) => {
    let noticed = 0
    // What is in few schedules only those can tell of.
    const isOfUse = rare[mutant.split('-')[0]!] ?? (() => true)
    const seeds = Array.from({ length: 12_000 }, (_, i) => i + 1)
    for (const seed of seeds.filter(isOfUse).slice(0, 600)) {
      noticed = await apart(() => runSeed(seed, undefined, mutant).violations.length)
      if (noticed > 0) break
    }
    expect(noticed).toBeGreaterThan(0)
  })
})

const having = (isOfUse: (one: Request) => boolean) => (seed: number) =>
  planOf(seed).requests.some(isOfUse)

const rare: Record<string, (seed: number) => boolean> = {
  table: having((one) => one.kind === 'fit' && one.table !== undefined),
  refit: having((one) => one.kind === 'fit' && one.refit === true),
  rule: having(({ kind }) => kind === 'rule'),
  schedule: having(({ kind }) => kind === 'schedule'),
}

describe('shrinking', () => {
  test('leaves what it takes to fail, and nothing else', () => {
    const plan = planOf(1)
    const isNeeded = (one: object) => one === plan.requests[3] || one === plan.faults[0]
    const fails = ({ requests, faults }: typeof plan) =>
      [...requests, ...faults].filter(isNeeded).length === 2
    const kept = shrink(plan, fails)
    expect(kept.requests).toEqual([3])
    expect(kept.faults).toEqual([0])
    expect(keptOf(keptText(kept))).toEqual(kept)
    expect(reduced(plan, kept).requests).toEqual([plan.requests[3]])
  })
})
