import { expect, test } from 'vitest'
import { createTargetAges } from '../../src/rollout/ages.ts'

test('a target ages from first sight, while it can get on', () => {
  const ages = createTargetAges()
  expect(ages.observe('m', '2', 5_000, true)).toBe(0)
  expect(ages.observe('m', '2', 5_400, true)).toBe(400)
  expect(ages.observe('m', '2', 5_900, false)).toBe(400)
  expect(ages.observe('m', '2', 6_100, true)).toBe(600)
})

test('another target begins anew', () => {
  const ages = createTargetAges()
  ages.observe('m', '2', 0, true)
  ages.observe('m', '2', 500, true)
  expect(ages.observe('m', '3', 600, true)).toBe(0)
  expect(ages.observe('m', null, 700, true)).toBe(0)
  expect(ages.observe('m', '3', 800, true)).toBe(0)
})

test('an hour in which this process stood still is not held against the target', () => {
  const ages = createTargetAges()
  ages.observe('m', '2', 0, true)
  expect(ages.observe('m', '2', 3_600_000, true)).toBe(1_000)
})
