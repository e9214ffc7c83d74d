import { describe, expect, test } from 'vitest'
import { makeRanking } from '../../src/additive/ranking.ts'
import { normalAt, uniformAt } from '../../src/numeric/random.ts'

const count = 500
const drawn = (draw: (path: number) => number) =>
  Float64Array.from({ length: count }, (_, i) => draw(i))

describe('values that are sorted step by step', () => {
  test('are sorted, however much they move between two steps', () => {
    const ranking = makeRanking(count)
    const slopes = drawn((path) => normalAt(1, path, 0))
    for (let h = 0; h < 60; h++) {
      // Now and then all of them change places.
      const stir = h % 7 === 3 ? 100 : 0.01
      const values = drawn((path) => slopes[path]! * h + stir * normalAt(2, path, h))
      expect(ranking.sort(values)).toEqual(values.slice().sort())
    }
  })

  test('may be equal', () => {
    const ranking = makeRanking(count)
    for (let h = 0; h < 9; h++) {
      const values = drawn((path) => Math.floor(4 * uniformAt(3, path, h)))
      expect(ranking.sort(values)).toEqual(values.slice().sort())
    }
  })
})
