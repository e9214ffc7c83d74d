import { expect, test } from 'vitest'
import { nameOf } from '../../../src/arima/select/name.ts'
import { firstModels, keyOf, neighbours, type Space } from '../../../src/arima/select/steps.ts'

const space: Space = {
  d: 1,
  D: 1,
  seasonLength: 12,
  differenceLag: 0,
  maxima: { p: 5, q: 5, P: 2, Q: 2, total: 5 },
  constants: [true, false],
}

test('a search begins as Hyndman and Khandakar have it, within the maxima', () => {
  const keys = (of: Space) => firstModels(of).map(keyOf)
  expect(keys({ ...space, maxima: { ...space.maxima, total: 6 } })).toEqual([
    '2,2,1,1,1',
    '0,0,0,0,1',
    '1,0,1,0,1',
    '0,1,0,1,1',
    '0,0,0,0,0',
  ])
  expect(keys(space)[0]).toBe('1,2,1,1,1')
  const plain = { ...space, seasonLength: 1, constants: [false] }
  expect(keys(plain)).toEqual(['2,2,0,0,0', '0,0,0,0,0', '1,0,0,0,0', '0,1,0,0,0'])
})

test('neighbours differ by one step, keep to the maxima, and keep the differences', () => {
  const orders = { ...firstModels(space)[0]!, p: 2, q: 2, P: 1, Q: 0 }
  const around = neighbours(orders, space)
  expect(new Set(around.map(keyOf)).size).toBe(around.length)
  for (const { p, q, P, Q, d, D } of around) {
    for (const step of [p - 2, q - 2, P - 1, Q]) expect(Math.abs(step)).toBeLessThanOrEqual(1)
    expect(Math.min(p, q, P, Q)).toBeGreaterThanOrEqual(0)
    expect(p + q + P + Q).toBeLessThanOrEqual(5)
    expect([d, D]).toEqual([1, 1])
  }
  expect(around.map(keyOf)).toContain('2,2,1,0,0')
  const fixed = neighbours(orders, { ...space, constants: [true] })
  expect(fixed.every(({ constant }) => constant)).toBe(true)
})

test('without a season nothing seasonal is tried', () => {
  const maxima = { p: 3, q: 3, P: 0, Q: 0, total: 5 }
  const plain = { ...space, D: 0, seasonLength: 1, maxima }
  for (const first of firstModels(plain)) {
    for (const { P, Q } of [first, ...neighbours(first, plain)]) expect([P, Q]).toEqual([0, 0])
  }
})

test('a model is named as people write it', () => {
  const orders = { p: 0, d: 1, q: 1, P: 0, D: 1, Q: 1, seasonLength: 12, differenceLag: 0 }
  expect(nameOf({ ...orders, constant: false })).toBe('ARIMA(0,1,1)(0,1,1)[12]')
  expect(nameOf({ ...orders, D: 0, Q: 0, constant: true })).toBe('ARIMA(0,1,1) with drift')
  expect(nameOf({ ...orders, d: 0, D: 0, constant: true })).toBe(
    'ARIMA(0,0,1)(0,0,1)[12] with a mean',
  )
})
