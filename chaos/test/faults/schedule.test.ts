import { describe, expect, test } from 'vitest'
import { allFaults } from '../../faults/catalogue.ts'
import type { Shape } from '../../faults/fault.ts'
import { shareWays } from '../../faults/link-faults.ts'
import { faultOf, inEachOthersWay, planFaults } from '../../faults/schedule.ts'

const shape: Shape = {
  brokers: ['broker-1', 'broker-2'],
  nodes: ['node-1', 'node-2', 'node-3', 'node-4', 'node-5'],
  members: ['etcd-1', 'etcd-2', 'etcd-3'],
}
const plan = (seed: number, totalMs = 600_000) =>
  planFaults({ seed, totalMs, shape, faults: allFaults, atOnceMax: 3 })

describe('the schedule of faults', () => {
  test('one seed plans the same faults again, and another one others', () => {
    expect(plan(7)).toEqual(plan(7))
    expect(plan(8)).not.toEqual(plan(7))
  })

  test('in ten minutes every fault comes, whatever the seed', () => {
    for (let seed = 0; seed < 200; seed++) {
      const came = new Set(plan(seed).map(({ fault }) => fault))
      const missing = allFaults.filter(({ name }) => !came.has(name))
      expect(missing.map(({ name }) => `${name} in seed ${seed}`)).toEqual([])
    }
  })

  test('no more are under way at once than was asked for, and all are over in time', () => {
    for (let seed = 0; seed < 20; seed++) {
      const faults = plan(seed, 120_000).map((each) => ({
        ...each,
        untilMs: each.atMs + each.durationMs + faultOf(allFaults, each.fault).healingMs,
      }))
      expect(faults.length).toBeGreaterThan(5)
      for (const { atMs, untilMs } of faults) {
        expect(untilMs).toBeLessThanOrEqual(120_000)
        const others = faults.filter((other) => other.atMs <= atMs && other.untilMs > atMs)
        expect(others.length).toBeLessThanOrEqual(3)
      }
    }
  })

  test('two faults of one part are never under way at once', () => {
    const some = (fault: string, target: string) => {
      return { fault, target, atMs: 0, durationMs: 0, seed: 0 }
    }
    const clash = (a: readonly [string, string], b: readonly [string, string]) =>
      inEachOthersWay(allFaults, some(...a), some(...b))
    expect(clash(['killed', 'node-1'], ['frozen', 'node-1'])).toBe(true)
    expect(clash(['killed', 'node-1'], ['frozen', 'node-2'])).toBe(false)
    expect(clash(['slow', 'broker-1→node-*'], ['held', '*→node-2'])).toBe(true)
    expect(clash(['slow', 'broker-1→node-*'], ['held', 'broker-2→node-*'])).toBe(false)
    expect(clash(['compacted-while-apart', 'node-1→etcd-*'], ['slow', 'node-*→etcd-*'])).toBe(true)
    expect(clash(['killed', 'node-1'], ['slow', 'broker-1→node-1'])).toBe(false)
    expect(clash(['poisoned-model', 'flipped'], ['killed', 'node-1'])).toBe(true)
  })

  test('ways have others in common whichever side the star is on', () => {
    expect(shareWays('*→etcd-1', 'node-3→etcd-*')).toBe(true)
    expect(shareWays('*→etcd-1', 'node-3→etcd-2')).toBe(false)
    expect(shareWays('etcd', '*→etcd-1')).toBe(false)
  })
})
