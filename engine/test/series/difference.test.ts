import { expect, test } from 'vitest'
import { difference, differencing } from '../../src/series/difference.ts'

test('the polynomial of differences is multiplied out, equal lags merged', () => {
  const terms = (d: number, lag: number) => {
    const { lags, weights, depth } = differencing(d, lag)
    return { lags: [...lags], weights: [...weights], depth }
  }
  expect(terms(0, 0)).toEqual({ lags: [], weights: [], depth: 0 })
  expect(terms(0, 365)).toEqual({ lags: [365], weights: [1], depth: 365 })
  expect(terms(1, 12)).toEqual({ lags: [1, 12, 13], weights: [1, 1, -1], depth: 13 })
  expect(terms(2, 0)).toEqual({ lags: [1, 2], weights: [2, -1], depth: 2 })
  expect(terms(1, 1)).toEqual(terms(2, 0))
})

test('differences of a parabola are constant, and missing where any end is', () => {
  const parabola = Float64Array.from({ length: 8 }, (_, t) => t * t)
  expect([...difference(differencing(2, 0), parabola)]).toEqual([2, 2, 2, 2, 2, 2])
  parabola[3] = Number.NaN
  const gapped = [...difference(differencing(0, 2), parabola)]
  expect(gapped).toEqual([4, Number.NaN, 12, Number.NaN, 20, 24])
})
