import { describe, expect, test } from 'vitest'
import { normalQuantile } from '../../src/numeric/normal.ts'
import {
  logGamma,
  studentDensity,
  studentProbability,
  studentQuantile,
} from '../../src/numeric/student.ts'

/** R 4.2: qt(p, df). */
const references = [
  { probability: 0.9, degrees: 1, quantile: 3.0776835371752544 },
  { probability: 0.975, degrees: 2, quantile: 4.302652729749464 },
  { probability: 0.975, degrees: 5, quantile: 2.5705818356363146 },
  { probability: 0.95, degrees: 10, quantile: 1.8124611228116756 },
  { probability: 0.995, degrees: 30, quantile: 2.7499956535672236 },
]

describe('the quantile of Student’s t', () => {
  test.each(references)('is that of tables: $probability, $degrees degrees', (entry) => {
    const { probability, degrees, quantile } = entry
    expect(studentQuantile(probability, degrees) / quantile).toBeCloseTo(1, 10)
  })

  test('of one degree of freedom is that of Cauchy, far into the tails', () => {
    for (const probability of [1e-12, 1e-6, 0.01, 0.2, 0.4999, 0.7, 0.999]) {
      const cauchy = -1 / Math.tan(Math.PI * probability)
      expect(studentQuantile(probability, 1) / cauchy).toBeCloseTo(1, 9)
    }
  })

  test('inverts the probability', () => {
    for (const degrees of [0.7, 1.5, 2, 3.3, 8, 40, 1000, 1e6]) {
      for (const probability of [1e-9, 0.001, 0.025, 0.1, 0.45, 0.5, 0.8, 0.99]) {
        const back = studentProbability(studentQuantile(probability, degrees), degrees)
        expect(Math.abs(back - probability) / probability).toBeLessThan(1e-9)
      }
    }
  })

  test('tends to the normal one', () => {
    expect(studentQuantile(0.975, 1e6)).toBeCloseTo(normalQuantile(0.975), 5)
    expect(studentQuantile(0.975, 1e8)).toBe(-normalQuantile(1 - 0.975))
  })
})

test('the density is the slope of the probability', () => {
  for (const degrees of [1, 2.5, 7, 60]) {
    for (const t of [-4, -1, -0.1, 0.3, 2]) {
      const step = 1e-5
      const above = studentProbability(t + step, degrees)
      const slope = (above - studentProbability(t - step, degrees)) / (2 * step)
      expect(studentDensity(t, degrees) / slope).toBeCloseTo(1, 6)
    }
  }
})

test('the logarithm of the gamma function is that of factorials and of the root of pi', () => {
  let factorial = 1
  for (let n = 1; n < 20; n++) {
    expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 12)
    factorial *= n
  }
  expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 13)
})
