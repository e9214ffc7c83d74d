import { expect, test } from 'vitest'
import { minimise } from '../../src/numeric/minimise.ts'

const options = { iterationsMax: 200, tolerance: 1e-12 }

test('the bottom of a curved valley is found', () => {
  const valley = (x: Float64Array) => {
    const [a, b] = [1 - x[0]!, x[1]! - x[0]! * x[0]!]
    return a * a + 100 * b * b
  }
  const { x, converged } = minimise(valley, Float64Array.of(-1.2, 1), options)
  expect(x[0]).toBeCloseTo(1, 4)
  expect(x[1]).toBeCloseTo(1, 4)
  expect(converged).toBe(true)
})

test('walls of infinity are walked along, not through', () => {
  const walled = (x: Float64Array) => (x[0]! < 1 ? Number.POSITIVE_INFINITY : x[0]! * x[0]!)
  const { x, value } = minimise(walled, Float64Array.of(3), options)
  expect(x[0]).toBeLessThan(1.1)
  expect(value).toBe(x[0]! * x[0]!)
})

test('an objective that breaks off leaves the best so far', () => {
  let evaluations = 0
  const breaking = (x: Float64Array) =>
    ++evaluations > 20 ? Number.NaN : (x[0]! - 5) * (x[0]! - 5)
  const { value } = minimise(breaking, Float64Array.of(100), options)
  expect(value).toBeLessThan(95 * 95)
  expect(evaluations).toBeLessThan(25)
})

test('without parameters the start is the minimum', () => {
  expect(minimise(() => 7, new Float64Array(0), options)).toMatchObject({
    value: 7,
    converged: true,
  })
})
