import { expect, test } from 'vitest'
import {
  fourierColumns,
  fourierCount,
  fourierNames,
  fourierPairsMax,
} from '../../src/series/fourier.ts'

test('a pair is a sine and a cosine of its harmonic', () => {
  const [s1, c1, s2, c2] = fourierColumns([{ period: 7, pairs: 2 }], 0, 20)
  for (let t = 0; t < 20; t++) {
    expect(s1![t]).toBeCloseTo(Math.sin((2 * Math.PI * t) / 7), 13)
    expect(c1![t]).toBeCloseTo(Math.cos((2 * Math.PI * t) / 7), 13)
    expect(s2![t]).toBeCloseTo(Math.sin((4 * Math.PI * t) / 7), 13)
    expect(c2![t]).toBeCloseTo(Math.cos((4 * Math.PI * t) / 7), 13)
  }
})

test('at half the period there is a cosine alone, which alternates', () => {
  const terms = [{ period: 4, pairs: 2 }]
  expect(fourierNames(terms)).toEqual(['sin1/4', 'cos1/4', 'cos2/4'])
  expect(fourierCount(terms[0]!)).toBe(3)
  const columns = fourierColumns(terms, 0, 6)
  expect(columns).toHaveLength(3)
  expect([...columns[2]!]).toEqual([1, -1, 1, -1, 1, -1])
  expect(fourierPairsMax(4)).toBe(2)
  expect(fourierPairsMax(365.25)).toBe(182)
})

test('later columns continue earlier ones to the last bit, for whole and broken periods', () => {
  for (const period of [12, 365, 365.25, 52.18]) {
    const terms = [{ period, pairs: 3 }]
    const all = fourierColumns(terms, 0, 500)
    const later = fourierColumns(terms, 400, 100)
    for (const [k, column] of later.entries()) expect(column).toEqual(all[k]!.slice(400))
  }
})

test('a whole period repeats exactly, however late', () => {
  const terms = [{ period: 24, pairs: 12 }]
  const early = fourierColumns(terms, 0, 24)
  expect(fourierColumns(terms, 24 * 1_000_000_000, 24)).toEqual(early)
})

test('the columns of all pairs of a period and a constant are orthogonal over the period', () => {
  const columns = [
    new Float64Array(12).fill(1),
    ...fourierColumns([{ period: 12, pairs: 6 }], 0, 12),
  ]
  expect(columns).toHaveLength(12)
  for (const [i, a] of columns.entries()) {
    for (const [j, b] of columns.entries()) {
      const product = a.reduce((sum, value, t) => sum + value * b[t]!, 0)
      if (i === j) expect(product).toBeGreaterThan(5.9)
      else expect(Math.abs(product)).toBeLessThan(1e-13)
    }
  }
})
