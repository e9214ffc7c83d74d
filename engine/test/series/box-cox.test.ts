import { expect, test } from 'vitest'
import {
  boxCox,
  boxCoxCeiling,
  boxCoxFault,
  boxCoxOf,
  inverseBoxCox,
  inverseBoxCoxMean,
} from '../../src/series/box-cox.ts'
import { guerreroLambda } from '../../src/series/box-cox-lambda.ts'
import { referenceSeries } from '../arima/references.ts'
import { makeRandom } from '../random.ts'

const lambdas = [-1, -0.5, -0.1, 0, 1e-9, 0.1, 1 / 3, 0.5, 0.9, 1, 1.5, 2]

test('what is transformed comes back', () => {
  const random = makeRandom(31)
  for (const lambda of lambdas) {
    for (let i = 0; i < 200; i++) {
      const value = Math.exp(random.between(-6, 6))
      const back = inverseBoxCox(boxCoxOf(value, lambda), lambda)
      expect(Math.abs(back / value - 1)).toBeLessThan(1e-9)
    }
  }
})

test('the transform is continuous in λ at the logarithm, and keeps what is missing', () => {
  expect(boxCoxOf(7, 1e-9)).toBeCloseTo(Math.log(7), 8)
  expect(boxCoxOf(7, 0)).toBe(Math.log(7))
  expect([...boxCox(Float64Array.of(1, Number.NaN, 4), 0.5)]).toEqual([0, Number.NaN, 2])
})

test('zero has a transform for a positive λ alone, a negative value has none', () => {
  expect(boxCoxOf(0, 0.5)).toBe(-2)
  expect(inverseBoxCox(-2, 0.5)).toBe(0)
  expect(boxCoxFault(Float64Array.of(3, 0, 2), 0.5)).toBeUndefined()
  expect(boxCoxFault(Float64Array.of(3, 0, 2), 0)).toBe(1)
  expect(boxCoxFault(Float64Array.of(3, Number.NaN, -2), 0.5)).toBe(2)
})

test('below its range the inverse is zero, above it and on overflow it is the ceiling', () => {
  for (const lambda of lambdas) {
    for (const far of [-1e308, -1e3, 1e3, 1e308]) {
      const back = inverseBoxCox(far, lambda)
      expect(back).toBeGreaterThanOrEqual(0)
      expect(back).toBeLessThanOrEqual(boxCoxCeiling)
    }
  }
  expect(inverseBoxCox(-2.5, 0.5)).toBe(0)
  expect(inverseBoxCox(2.5, -0.5)).toBe(boxCoxCeiling)
  expect(inverseBoxCox(1000, 0)).toBe(boxCoxCeiling)
  expect(inverseBoxCox(-1000, 0)).toBe(0)
})

test('the inverse ascends, so that quantiles never cross', () => {
  for (const lambda of lambdas) {
    let last = 0
    for (let w = -50; w <= 50; w += 0.25) {
      const back = inverseBoxCox(w, lambda)
      expect(back).toBeGreaterThanOrEqual(last)
      last = back
    }
  }
})

test('the mean of a root is exact, that of a logarithm is log-normal', () => {
  // y = (1 + w/2)², w ~ N(5, 0.7): E y = (1 + 5/2)² + 0.7/4.
  expect(inverseBoxCoxMean(5, 0.7, 0.5)).toBeCloseTo(12.25 + 0.175, 12)
  expect(inverseBoxCoxMean(1.2, 0.3, 0)).toBeCloseTo(Math.exp(1.35), 13)
  expect(inverseBoxCoxMean(5, 2, 1)).toBe(6)
  expect(inverseBoxCoxMean(5, 0, 0.3)).toBe(inverseBoxCox(5, 0.3))
})

test('the mean agrees with an average over many draws', () => {
  const random = makeRandom(77)
  for (const lambda of [0.2, 0.4, 0.8, 1.5]) {
    let sum = 0
    const draws = 200_000
    for (let i = 0; i < draws; i++) sum += inverseBoxCox(6 + 0.8 * random.normal(), lambda)
    const mean = inverseBoxCoxMean(6, 0.64, lambda)
    expect(Math.abs(sum / draws / mean - 1)).toBeLessThan(0.01)
  }
})

test('the mean is finite and not negative wherever the normal lies', () => {
  for (const lambda of lambdas) {
    for (const w of [-1e6, -2, 0, 2, 1e6]) {
      for (const variance of [1e-12, 1, 1e12]) {
        const mean = inverseBoxCoxMean(w, variance, lambda)
        expect(mean).toBeGreaterThanOrEqual(0)
        expect(mean).toBeLessThanOrEqual(boxCoxCeiling)
      }
    }
  }
})

test("Guerrero's λ is that of R", () => {
  // R 4.2, forecast 8.20: BoxCox.lambda(x, method = 'guerrero'), to the tolerance of its search.
  const cases: [string, number, number][] = [
    ['AirPassengers', 12, -0.2947156],
    ['Nile', 1, 0.9988894],
    ['LakeHuron', 1, 2],
  ]
  for (const [name, season, expected] of cases) {
    const y = Float64Array.from(referenceSeries[name]!)
    expect(guerreroLambda(y, season, -1, 2)).toBeCloseTo(expected, 3)
  }
})

test("Guerrero's λ does not depend on the unit, and keeps to its bounds", () => {
  const y = Float64Array.from(referenceSeries.AirPassengers!)
  const plain = guerreroLambda(y, 12, -1, 2)!
  for (const unit of [1e-150, 1e140]) {
    const scaled = guerreroLambda(
      y.map((value) => value * unit),
      12,
      -1,
      2,
    )
    expect(scaled).toBeCloseTo(plain, 6)
  }
  expect(guerreroLambda(y, 12, 0, 1)).toBe(0)
})

test("Guerrero's λ is left out where there is none", () => {
  const none = [
    Float64Array.of(1, 2, 0, 4, 5, 6),
    new Float64Array(24).fill(3),
    new Float64Array(24).fill(Number.NaN),
    Float64Array.of(1, 2),
    new Float64Array(0),
  ]
  for (const y of none) expect(guerreroLambda(y, 2, 0, 1)).toBeUndefined()
})
