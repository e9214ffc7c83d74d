import { expect, test } from 'vitest'
import { Doorkeeper } from '../../src/base/doorkeeper.ts'

const question = (i: number) => `default/model-${i % 7}@3?500&level=${(i / 1e4).toFixed(4)}`

test('it knows what came by lately, and hardly ever what did not', () => {
  const doorkeeper = new Doorkeeper(4_096)
  const wrong = Array.from({ length: 100_000 }, (_, i) => doorkeeper.knows(question(i)))
  expect(wrong.filter(Boolean).length).toBeLessThan(3)
  // A thousand others push out about a fifth of a thousand.
  for (let i = 0; i < 1_000; i++) doorkeeper.knows(question(200_000 + i))
  const known = Array.from({ length: 1_000 }, (_, i) => doorkeeper.knows(question(200_000 + i)))
  expect(known.filter(Boolean).length).toBeGreaterThan(750)
})

test('the empty key is as good as any', () => {
  const doorkeeper = new Doorkeeper(2)
  expect(doorkeeper.knows('')).toBe(false)
  expect(doorkeeper.knows('')).toBe(true)
})
