import { expect, test } from 'vitest'
import { experiments } from '../experiments/list.ts'
import { foundSeeds, seedsOf } from '../seeds.ts'

test('seeds that once showed a bug run first, and every one of them belongs to an experiment', () => {
  for (const [name, found] of Object.entries(foundSeeds)) {
    expect(experiments.map((experiment) => experiment.name)).toContain(name)
    expect(seedsOf(name, 10, 4_711).slice(0, found.length)).toEqual(found)
  }
})

test('a run has fixed seeds and one that is new, each of them once', () => {
  expect(seedsOf('has-found-nothing', 4, 4_711)).toEqual([1, 2, 3, 4_711])
  expect(seedsOf('has-found-nothing', 4, 2)).toEqual([1, 2, 3])
  expect(seedsOf('has-found-nothing', 0, 4_711)).toEqual([])
})
