import { describe, expect, test } from 'vitest'
import { fillLinearly, fillSeasonally } from '../../src/series/gaps.ts'
import { makeRandom } from '../random.ts'

const missing = Number.NaN

describe('gaps', () => {
  test('are bridged by a line, and filled with the nearest value at both ends', () => {
    const y = Float64Array.of(missing, missing, 2, missing, missing, 8, missing)
    expect(fillLinearly(y)).toEqual({ y: Float64Array.of(2, 2, 2, 4, 6, 8, 8), count: 5 })
  })

  test('stay where every value is missing', () => {
    const y = new Float64Array(3).fill(missing)
    expect(fillLinearly(y)).toEqual({ y, count: 0 })
    expect(fillSeasonally(y, [2])).toEqual({ y, count: 0 })
    expect(fillLinearly(new Float64Array(0)).y).toEqual(new Float64Array(0))
  })

  test('between huge values of two signs are filled with finite ones, between equal ones exactly', () => {
    const filled = fillLinearly(Float64Array.of(-1.7e308, missing, 1.7e308)).y
    expect(filled[1]).toBe(0)
    expect(fillLinearly(Float64Array.of(0.1, missing, missing, 0.1)).y).toEqual(
      new Float64Array(4).fill(0.1),
    )
  })

  test('follow the season, wherever they are: inside, at the start, at the end', () => {
    const random = makeRandom(4)
    const whole = Float64Array.from({ length: 240 }, (_, t) => {
      return 50 + 0.1 * t + 10 * Math.sin((2 * Math.PI * t) / 12) + 0.1 * random.normal()
    })
    const gaps = (t: number) => t < 5 || (t >= 100 && t < 118) || t % 17 === 3 || t > 234
    const y = whole.map((value, t) => (gaps(t) ? missing : value))
    const seasonal = fillSeasonally(y, [12])
    const linear = fillLinearly(y)
    const worst = (filled: Float64Array) =>
      Math.max(...filled.map((value, t) => Math.abs(value - whole[t]!)))
    expect(seasonal.count).toBe(y.filter(Number.isNaN).length)
    expect(worst(seasonal.y)).toBeLessThan(1.5)
    expect(worst(linear.y)).toBeGreaterThan(8)
    whole.forEach((value, t) => {
      if (!gaps(t)) expect(seasonal.y[t]).toBe(value)
    })
  })

  test('of many seasons follow the season, too', () => {
    const whole = Float64Array.from({ length: 240 }, (_, t) => {
      return 50 + 0.1 * t + 10 * Math.sin((2 * Math.PI * t) / 12)
    })
    const { y } = fillSeasonally(
      whole.map((value, t) => (t > 60 && t < 150 ? missing : value)),
      [12],
    )
    expect(Math.max(...y.map((value, t) => Math.abs(value - whole[t]!)))).toBeLessThan(1.5)
  })

  test('of a series shorter than two seasons are bridged by lines', () => {
    const y = Float64Array.of(1, missing, 3, 4, 5, 6, 7)
    expect(fillSeasonally(y, [4])).toEqual(fillLinearly(y))
  })
})
