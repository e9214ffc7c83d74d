import { expect, test } from 'vitest'
import { minimiseSparse } from '../../src/additive/sparse.ts'
import { makeRandom } from '../random.ts'

test('the sparse minimum meets the conditions of optimality, from any start, however collinear', () => {
  let zeros = 0
  let others = 0
  for (let seed = 0; seed < 300; seed++) {
    const random = makeRandom(seed)
    const size = random.integer(1, 25)
    // Hinges of neighbouring changepoints, as in a trend: nearly the same columns.
    const rows = 60
    const hinge = (t: number, j: number) => Math.max(0, t / rows - (0.8 * j) / size)
    const a = new Float64Array(size * size)
    const c = new Float64Array(size)
    const noise = Float64Array.from({ length: rows }, () => random.normal())
    for (let t = 0; t < rows; t++) {
      for (let i = 0; i < size; i++) {
        c[i]! += hinge(t, i) * noise[t]!
        for (let j = 0; j < size; j++) a[i * size + j]! += hinge(t, i) * hinge(t, j)
      }
    }
    const penalty = random.between(0.001, 2)
    const starts = [
      new Float64Array(size),
      Float64Array.from({ length: size }, () => 5 * random.normal()),
    ]
    const ends = starts.map((x) => {
      minimiseSparse(a, c, penalty, x, { spend: () => true })
      for (let i = 0; i < size; i++) {
        let gradient = -c[i]!
        for (let j = 0; j < size; j++) gradient += a[i * size + j]! * x[j]!
        const slack = 1e-7 * (1 + penalty)
        if (x[i] === 0) {
          zeros++
          expect(Math.abs(gradient), `seed ${seed}`).toBeLessThan(penalty + slack)
        } else {
          others++
          expect(Math.abs(gradient + penalty * Math.sign(x[i]!)), `seed ${seed}`).toBeLessThan(
            slack,
          )
        }
      }
      return x
    })
    for (const [i, value] of ends[0]!.entries()) {
      expect(Math.abs(value - ends[1]![i]!), `seed ${seed}`).toBeLessThan(1e-5)
    }
  }
  expect(Math.min(zeros, others)).toBeGreaterThan(500)
})
