import { expect, test } from 'vitest'
import { type Arma, armaFromCoefficients } from '../../../src/arima/parameters.ts'
import { isStationaryBeyond } from '../../../src/arima/select/root-margin.ts'

function armaOf(ar: number[], ma: number[], sar: number[] = [], sma: number[] = []): Arma {
  const seasonal = {
    ar: Float64Array.from(sar),
    ma: Float64Array.from(sma),
    seasonLength: 12,
  }
  const arma = armaFromCoefficients(Float64Array.from(ar), Float64Array.from(ma), seasonal)
  if (arma === undefined) throw new Error('the test has no process')
  return arma
}

test('a real root is judged by its distance', () => {
  // The root of 1 - φB is 1/φ: 1/0.985 = 1.015, 1/0.995 = 1.005.
  expect(isStationaryBeyond(armaOf([0.985], []), 1.01)).toBe(true)
  expect(isStationaryBeyond(armaOf([0.995], []), 1.01)).toBe(false)
  expect(isStationaryBeyond(armaOf([-0.995], []), 1.01)).toBe(false)
})

test('a pair of complex roots is judged by its modulus', () => {
  // 1 - 2r cos(ω) B + r² B² has two roots of modulus 1/r.
  const pair = (r: number) => armaOf([2 * r * Math.cos(0.7), -r * r], [0.3])
  expect(isStationaryBeyond(pair(0.985), 1.01)).toBe(true)
  expect(isStationaryBeyond(pair(0.995), 1.01)).toBe(false)
})

test('a seasonal root is judged in terms of one step', () => {
  // The roots of 1 - ΦB¹² have modulus Φ^(-1/12): 0.88 gives 1.0107, 0.9 gives 1.0088.
  expect(isStationaryBeyond(armaOf([], [], [0.88]), 1.01)).toBe(true)
  expect(isStationaryBeyond(armaOf([], [], [0.9]), 1.01)).toBe(false)
})

test('moving averages and no terms at all pass', () => {
  expect(isStationaryBeyond(armaOf([0.5], [-0.999], [], [-0.999]), 1.01)).toBe(true)
  expect(isStationaryBeyond(armaOf([], []), 1.01)).toBe(true)
})
