import { expect, test } from 'vitest'
import { makeBudget } from '../../src/numeric/budget.ts'
import { mstlDecompose, usableSeasons } from '../../src/series/mstl-decompose.ts'
import { stl } from '../../src/series/stl.ts'
import { makeRandom } from '../random.ts'
import { airPassengers } from './sample-series.ts'

const plain = { robust: false }

/** A line and two patterns that do not change. */
function twoSeasons(length: number, noise: number) {
  const random = makeRandom(9)
  const day = Float64Array.from({ length: 24 }, () => random.normal())
  const week = Float64Array.from({ length: 168 }, (_, t) => (t < 120 ? 2 : -5))
  const y = Float64Array.from({ length }, (_, t) => {
    return 30 + 0.01 * t + 3 * day[t % 24]! + week[t % 168]! + noise * random.normal()
  })
  return { y, day, week }
}

test('two seasons of one series are told apart, and the trend from both', () => {
  const { y, week } = twoSeasons(1_680, 0)
  const { seasons, seasonals, trend } = mstlDecompose(y, [24, 168], plain)
  expect(seasons).toEqual([24, 168])
  y.forEach((value, t) => {
    expect(Math.abs(seasonals[0]![t]! + seasonals[1]![t]! + trend[t]! - value)).toBeLessThan(0.1)
    const offset = seasonals[1]![0]! - week[0]!
    expect(Math.abs(seasonals[1]![t]! - week[t % 168]! - offset)).toBeLessThan(0.2)
  })
})

test('one season is taken out as STL does with a window of 11 and local constants', () => {
  const { seasonals, trend } = mstlDecompose(airPassengers, [12], plain)
  const options = { period: 12, seasonalWindow: 11, seasonalDegree: 0, inner: 2 } as const
  const alone = stl(airPassengers, options)
  expect(seasonals[0]).toEqual(alone.seasonal)
  expect(trend).toEqual(alone.trend)
})

test('outliers are left in the remainder when it is robust', () => {
  const { y, day, week } = twoSeasons(1_680, 0.1)
  const spoilt = y.map((value, t) => (t % 97 === 13 ? value + 200 : value))
  const fault = (robust: boolean) => {
    const { seasonals } = mstlDecompose(spoilt, [24, 168], { robust })
    const centred = (t: number) => 3 * day[t % 24]! + week[t % 168]!
    const offset = seasonals[0]![0]! + seasonals[1]![0]! - centred(0)
    const faults = spoilt.map((_, t) =>
      Math.abs(seasonals[0]![t]! + seasonals[1]![t]! - centred(t) - offset),
    )
    return faults.reduce((sum, value) => sum + value / faults.length, 0)
  }
  expect(fault(true)).toBeLessThan(0.5)
  expect(fault(false)).toBeGreaterThan(2)
})

test('a season without two whole cycles is left alone', () => {
  expect(usableSeasons(730, [7, 365])).toEqual([7, 365])
  expect(usableSeasons(729, [7, 365])).toEqual([7])
  const { seasons, seasonals, trend } = mstlDecompose(airPassengers, [100], plain)
  expect(seasons).toEqual([])
  expect(seasonals).toEqual([])
  expect(trend.every(Number.isFinite)).toBe(true)
})

test('what the budget ends is in finite numbers, and marked', () => {
  const { y } = twoSeasons(800, 1)
  for (const workMax of [0, 100, 5_000, 20_000]) {
    const parts = mstlDecompose(y, [24, 168], plain, makeBudget({ workMax }))
    expect(parts.complete).toBe(false)
    expect(parts.seasonals.every((seasonal) => seasonal.every(Number.isFinite))).toBe(true)
  }
})
