import { expect, test } from 'vitest'
import { lossOf, makePriors, varianceOf } from '../../src/additive/posterior.ts'

const priors = makePriors(new Float64Array(0), {
  changeScale: 0.05,
  varianceMin: 1e-20,
  logistic: false,
})

test('the variance has the highest density, its prior counted, however few the observations', () => {
  for (const observations of [1, 3, 50, 4_000]) {
    for (const squares of [1e-8, 0.1, 5, 300]) {
      const best = varianceOf(squares, observations, priors)
      const lossAt = (variance: number) =>
        lossOf(new Float64Array(2), variance, squares, observations, priors)
      for (const share of [0.9, 0.99, 0.999, 1.001, 1.01, 1.1]) {
        expect(lossAt(best * share)).toBeGreaterThan(lossAt(best))
      }
    }
  }
  expect(varianceOf(0, 10, priors)).toBe(1e-20)
})
