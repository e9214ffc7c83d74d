import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ShardedMap } from '../../src/routing/sharded-map.ts'

const change = fc.tuple(
  fc.integer({ min: 0, max: 600 }).map((n) => `default/m-${n}`),
  fc.option(fc.integer(), { nil: undefined }),
)

test('it holds what a plain map would after the same changes, and editions before stay', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 40 }), { maxLength: 20 }), (rounds) => {
      let map = ShardedMap.empty<number>()
      const plain = new Map<string, number>()
      for (const changes of rounds) {
        const before = map
        const entriesBefore = new Map(plain)
        map = map.with(changes)
        for (const [key, value] of changes) {
          if (value === undefined) plain.delete(key)
          else plain.set(key, value)
        }
        expect(before.size).toBe(entriesBefore.size)
        for (const [key, value] of entriesBefore) expect(before.get(key)).toBe(value)
      }
      expect(map.size).toBe(plain.size)
      expect(new Set(map.keys())).toEqual(new Set(plain.keys()))
      expect([...map.values()].sort()).toEqual([...plain.values()].sort())
      for (const key of plain.keys()) expect(map.has(key)).toBe(true)
    }),
  )
})

test('keys that differ in a number are spread over the shards', () => {
  const map = ShardedMap.empty<number>().with(
    Array.from({ length: 25_600 }, (_, i) => [`default/model-${i}`, i] as const),
  )
  // A change copies one shard: a hundred entries if they are spread evenly.
  const startedMs = performance.now()
  let next = map
  for (let i = 0; i < 1_000; i++) next = next.with([[`default/model-${i}`, -i]])
  const sharded = performance.now() - startedMs
  const copyMs = performance.now()
  for (let i = 0; i < 100; i++) new Map([...map.keys()].map((key) => [key, 0]))
  const whole = performance.now() - copyMs
  expect(sharded / 1_000).toBeLessThan(whole / 100)
})
