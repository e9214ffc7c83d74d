import { expect, test } from 'vitest'
import { naive2, seasonalNaive } from '../../bench/engine/benchmarks.ts'
import { judge, judgePeer, judgesOf } from '../../bench/engine/scoring.ts'
import { everyNth, type Split, trainSeries } from '../../bench/engine/splits.ts'
import { compare, summarise } from '../../bench/engine/summary.ts'

function splitOf(id: string, train: number[], test: (number | null)[], season = 1): Split {
  const dates = { start: '1980-01-01', rule: 'MS' }
  const rest = { collection: 'toy', frequency: 'M', season, seasons: [] }
  return { id, ...rest, dates, horizon: test.length, train, test }
}

/** Bounds half a step and a whole step away from the point. */
function forecast(point: number[]) {
  const quantiles = Float64Array.from(
    point.flatMap((value) => [-1, -0.5, 0, 0.5, 1].map((by) => value + by)),
  )
  return { point: Float64Array.from(point), quantiles }
}

test('seasonal naive repeats the last season, or the last value without one', () => {
  const y = Float64Array.of(1, 2, 3, 4, 5)
  expect([...seasonalNaive(y, 2, 5)]).toEqual([4, 5, 4, 5, 4])
  expect([...seasonalNaive(y, 12, 2)]).toEqual([5, 5])
})

test('naive2 finds a multiplicative season and carries the level on', () => {
  const shape = [0.5, 1, 1.5, 1]
  const y = Float64Array.from({ length: 40 }, (_, t) => 100 * shape[t % 4]!)
  expect([...naive2(y, 4, 4)].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([
    50, 100, 150, 100,
  ])
  // Without a season in the numbers it is the last value.
  const trend = Float64Array.from({ length: 40 }, (_, t) => (t * 7919) % 13)
  expect([...naive2(trend, 1, 2)]).toEqual([trend[39], trend[39]])
})

test('a score is relative to seasonal naive, and a perfect one to the floor', () => {
  // Changes of 1: the scale is 1. Seasonal naive misses by 1 and 3.
  const [one] = judgesOf([splitOf('a', [1, 2, 3, 4], [5, 7])])
  expect(one?.seasonalNaiveMase).toBe(2)
  const scored = (point: number[]) => ({
    split: one!,
    scores: judge(one!, forecast(point)),
    cpuSeconds: 0,
  })
  expect(summarise([scored([4, 4])]).gm).toBeCloseTo(1, 12)
  expect(summarise([scored([5, 6])]).gm).toBeCloseTo(0.25, 12)
  expect(summarise([scored([5, 7])]).gm).toBeCloseTo(0.01, 12)
  expect(summarise([scored([5, 6])]).coverage80).toBe(0.5)
  expect(summarise([scored([5, 6])]).coverage95).toBe(1)
})

test('two models are compared only where both have a forecast', () => {
  const judges = judgesOf([splitOf('a', [1, 2, 3], [4]), splitOf('b', [1, 2, 3], [5])])
  const all = judges.map((split) => ({ split, scores: judge(split, forecast([3])), cpuSeconds: 0 }))
  expect(compare(all, all.slice(0, 1))).toMatchObject({ count: 1, gm: 1 })
  expect(compare(all.slice(0, 1), all.slice(1))).toBeUndefined()
})

test('a series that never moves has no scale and is left out', () => {
  expect(judgesOf([splitOf('flat', [3, 3, 3], [3])])).toEqual([])
})

test('a peer that failed, or gave no number, has no scores', () => {
  const [one] = judgesOf([splitOf('a', [1, 2, 3], [4])])
  const result = { id: 'a', model: 'peer', cpuSeconds: 1 }
  expect(judgePeer(one!, { ...result, status: 'failed: why' })).toEqual({ fault: 'failed: why' })
  const bounds = { '80': [2], '95': [1] }
  const made = { ...result, status: 'ok', lower: bounds, upper: { '80': [4], '95': [5] } }
  expect(judgePeer(one!, { ...made, point: [3] })).toMatchObject({ count: 1, mase: 1 })
  expect(judgePeer(one!, { ...made, point: [] })).toEqual({ fault: 'not finite' })
})

test('a sample holds each collection and frequency', () => {
  const splits = ['a', 'b', 'c', 'd'].map((id, i) => ({
    ...splitOf(id, [1, 2], [3]),
    frequency: i === 3 ? 'Q' : 'M',
  }))
  expect(everyNth(splits, 2).map(({ id }) => id)).toEqual(['a', 'c', 'd'])
})

test('a split begins at its date and steps as its rule says', () => {
  expect(trainSeries(splitOf('a', [1, 2], [3])).calendar).toEqual({
    start: Date.UTC(1980, 0, 1),
    step: { kind: 'calendar', unit: 'month', count: 1 },
  })
})
