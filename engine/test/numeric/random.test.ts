import { expect, test } from 'vitest'
import { normalAt, seedOfKey, uniformAt } from '../../src/numeric/random.ts'

test('the words are those of Threefry-2x32-20 in the known answers of Random123', () => {
  const words = (key: bigint, a: number, b: number) => {
    const fraction = uniformAt(Number(key), a, b) * 2 ** 52 - 0.5
    return [Math.floor(fraction / 2 ** 20) >>> 0, (fraction % 2 ** 20) >>> 0]
  }
  expect(words(0n, 0, 0)).toEqual([0x6b200159, 0x99ba4efe >>> 12])
})

test('uniform numbers lie inside (0, 1) and fill it evenly, on every path and step', () => {
  const counts = new Int32Array(10)
  for (let path = 0; path < 100; path++) {
    for (let step = 0; step < 1_000; step++) {
      const value = uniformAt(7, path, step)
      expect(value > 0 && value < 1).toBe(true)
      counts[Math.floor(value * 10)]!++
    }
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
})

test('normal numbers have mean 0, variance 1 and no memory from step to step', () => {
  const n = 100_000
  let sum = 0
  let squares = 0
  let neighbours = 0
  for (let step = 0; step < n; step++) {
    const value = normalAt(3, 5, step)
    sum += value
    squares += value * value
    neighbours += value * normalAt(3, 5, step + 1)
  }
  expect(Math.abs(sum / n)).toBeLessThan(0.015)
  expect(Math.abs(squares / n - 1)).toBeLessThan(0.02)
  expect(Math.abs(neighbours / n)).toBeLessThan(0.015)
})

test('another seed, path or step gives another number; the seed of a key depends on both', () => {
  const values = [uniformAt(1, 0, 0), uniformAt(2, 0, 0), uniformAt(1, 1, 0), uniformAt(1, 0, 1)]
  expect(new Set([...values, uniformAt(1 + 2 ** 32, 0, 0)]).size).toBe(5)
  expect(new Set([seedOfKey(1, 'a'), seedOfKey(1, 'b'), seedOfKey(2, 'a')]).size).toBe(3)
})
