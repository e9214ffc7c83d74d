import { expect, test } from 'vitest'
import {
  arFromPartials,
  maFromPartials,
  partialFromReal,
  partialsFromAr,
  partialsFromMa,
  realFromPartial,
} from '../../src/arima/partials.ts'
import { makeRandom } from '../random.ts'

test('coefficients and partial autocorrelations determine each other', () => {
  const random = makeRandom(1)
  for (let p = 0; p <= 8; p++) {
    const partials = Float64Array.from({ length: p }, () => random.between(-0.95, 0.95))
    const fromAr = partialsFromAr(arFromPartials(partials))
    const fromMa = partialsFromMa(maFromPartials(partials))
    for (let k = 0; k < p; k++) {
      expect(fromAr?.[k]).toBeCloseTo(partials[k]!, 8)
      expect(fromMa?.[k]).toBeCloseTo(partials[k]!, 8)
    }
  }
})

test('of two terms they are those of the textbook', () => {
  const [first, second] = arFromPartials(Float64Array.of(0.5, -0.25))
  expect([first, second]).toEqual([0.5 * (1 + 0.25), -0.25])
})

test('a process that is not stationary has none', () => {
  expect(partialsFromAr(Float64Array.of(1))).toBeUndefined()
  expect(partialsFromAr(Float64Array.of(1.5, -0.4))).toBeUndefined()
  expect(partialsFromMa(Float64Array.of(-1.2))).toBeUndefined()
  expect(partialsFromAr(Float64Array.of(Number.NaN))).toBeUndefined()
})

test('any real number becomes a partial that is clear of a unit root', () => {
  for (const x of [-1e9, -20, 0, 0.3, 20, 1e9]) {
    expect(Math.abs(partialFromReal(x))).toBeLessThanOrEqual(1 - 1e-6)
  }
  expect(partialFromReal(realFromPartial(0.3))).toBeCloseTo(0.3, 5)
  expect(Number.isFinite(realFromPartial(1))).toBe(true)
})
