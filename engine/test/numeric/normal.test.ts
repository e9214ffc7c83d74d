import { expect, test } from 'vitest'
import { normalQuantile } from '../../src/numeric/normal.ts'

test.each([
  [0.5, 0],
  [0.75, 0.6744897501960817],
  [0.9, 1.2815515655446004],
  [0.975, 1.959963984540054],
  [0.995, 2.5758293035489004],
  [0.001, -3.090232306167813],
  [1e-10, -6.361340902404056],
  [1e-20, -9.26234008979841],
  [1e-300, -37.0471],
])('the normal quantile of %f is %f', (probability, quantile) => {
  const digits = probability === 1e-300 ? 3 : 12
  expect(normalQuantile(probability)).toBeCloseTo(quantile, digits)
})

test('the normal quantile is odd and ascends', () => {
  let before = Number.NEGATIVE_INFINITY
  for (let k = 1; k < 1_024; k++) {
    const quantile = normalQuantile(k / 1_024)
    expect(quantile).toBeGreaterThan(before)
    expect(normalQuantile(1 - k / 1_024)).toBe(quantile === 0 ? 0 : -quantile)
    before = quantile
  }
})
