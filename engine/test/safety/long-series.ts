import type { Series } from '../../src/index.ts'
import { counts, days, growingSeason, walk } from '../family/series.ts'

/** Each family with a series of some length that gives it work to do. */
export function longCases(
  n: number,
): readonly { readonly name: string; readonly spec: object; readonly series: Series }[] {
  const months: Series = { y: seasonal(n), seasons: [12] }
  const daily: Series = { y: days(n), seasons: [7, 365] }
  const plain: Series = { y: walk(n), seasons: [] }
  const sparse: Series = { y: counts(n), seasons: [] }
  return [
    { name: 'arima', spec: { family: 'arima', ...mixed }, series: plain },
    { name: 'the airline model', spec: { family: 'arima', ...airline }, series: months },
    { name: 'arima, chosen', spec: { family: 'arima', select: true }, series: months },
    { name: 'naive', spec: { family: 'baseline', method: 'naive' }, series: plain },
    { name: 'a window', spec: { family: 'baseline', method: 'window', window: 9 }, series: plain },
    { name: 'ets', spec: { family: 'ets' }, series: months },
    { name: 'theta', spec: { family: 'theta' }, series: months },
    { name: 'ces', spec: { family: 'ces' }, series: months },
    { name: 'croston', spec: { family: 'croston' }, series: sparse },
    { name: 'tsb', spec: { family: 'tsb' }, series: sparse },
    { name: 'mstl', spec: { family: 'mstl' }, series: daily },
    { name: 'additive', spec: { family: 'additive' }, series: months },
    { name: 'automatic, months', spec: { family: 'automatic' }, series: months },
    { name: 'automatic, days', spec: { family: 'automatic' }, series: daily },
    { name: 'automatic, counts', spec: { family: 'automatic' }, series: sparse },
    { name: 'automatic, unknown seasons', spec: { family: 'automatic' }, series: { y: months.y } },
  ]
}

const mixed = { p: 2, d: 1, q: 1, differenceLag: 0 }
const airline = { d: 1, q: 1, D: 1, Q: 1 }

/** A season that stays within its range however long the series is. */
function seasonal(n: number): Float64Array {
  const shape = growingSeason(Math.min(n, 1_200))
  const noise = walk(n, 8)
  return noise.map(
    (value, t) => 200 + value + 20 * Math.sin((2 * Math.PI * t) / 12) + shape[t % 12]!,
  )
}
