import type { Calendar } from '../../src/index.ts'
import { normalAt, uniformAt } from '../../src/numeric/random.ts'

/** Days from 2021-03-01 on, UTC. */
export const daily: Calendar = {
  start: Date.UTC(2021, 2, 1),
  step: { kind: 'calendar', unit: 'day', count: 1 },
}

/** The holiday of `promotedDays`: the day itself and the one after have an effect. */
export const fairs = ['2021-04-20', '2021-09-03', '2022-04-26', '2022-09-09', '2022-12-20']

/** 700 days: a trend that bends at day 300, a week, a fair, a price and a promotion. */
export function promotedDays() {
  const n = 700
  const price = Float64Array.from({ length: n }, (_, t) => 20 + 2 * normalAt(41, 0, t))
  const promotion = Float64Array.from({ length: n }, (_, t) => (uniformAt(41, 1, t) < 0.15 ? 1 : 0))
  const fairDays = fairs.map((date) => (Date.parse(date) - daily.start) / 86_400_000)
  const y = Float64Array.from({ length: n }, (_, t) => {
    const trend = 50 + 0.05 * t - 0.08 * Math.max(0, t - 300)
    const week = 3 * Math.sin((2 * Math.PI * t) / 7)
    const fair = fairDays.includes(t) ? 12 : fairDays.includes(t - 1) ? 5 : 0
    const told = -1.5 * (price[t]! - 20) + 6 * promotion[t]!
    return trend + week + fair + told + 1.2 * normalAt(41, 2, t)
  })
  return { y, x: { price, promotion }, calendar: daily }
}

/** 500 days of growth from 20 towards 120, with a week in it and every ninth value missing. */
export function saturating(): Float64Array {
  return Float64Array.from({ length: 500 }, (_, t) => {
    if (t % 9 === 4) return Number.NaN
    const grown = 20 + 100 / (1 + Math.exp(-(t - 220) / 60))
    return grown + 4 * Math.cos((2 * Math.PI * t) / 7) + 2 * normalAt(42, 0, t)
  })
}
