import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { KeyedDescription } from '../../src/batch/shard-data.ts'
import { decodeShard, type Shard } from '../../src/codec/shard.ts'
import { faultOfModels, parseSpec, sumOfLive, updateShard } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { dataOf, described, fittedOf, run, shardOf } from './shards.ts'

/** The last value goes on. */
const naive = doneValue(parseSpec({ family: 'baseline', method: 'naive' }))
const daily = { start: '2024-02-01', frequency: 'daily' }

function update(of: Shard, news: readonly KeyedDescription[], given = {}) {
  const { content, live } = updateShard(of, dataOf(news), naive, { ...run, ...given })
  return { shard: shardOf(content), live }
}

const figure = (shard: Shard, name: string, key: string) =>
  (shard.columns.get(name) as Float64Array | undefined)?.[shard.find(key)] ?? Number.NaN
const scaleOf = (shard: Shard, key: string) => figure(shard, 'live-scale', key)
const maseOf = (shard: Shard, key: string) => figure(shard, 'live-mase', key)

describe('a fit keeps what errors are divided by', () => {
  test('of each series, over a season where the data has one', () => {
    const weekly = [1, 2, 3, 4, 5, 6, 7, 3, 2, 7, 4, 5, 6, 9]
    const shard = fittedOf(
      [described('a', [1, 3, 2]), described('b', weekly, daily), described('c', [4, 4])],
      naive,
    )
    expect(scaleOf(shard, 'a')).toBe(1.5)
    // At a lag of 7 days: 2, 0, 4, 0, 0, 0 and 2.
    expect(scaleOf(shard, 'b')).toBe(8 / 7)
    expect(scaleOf(shard, 'c')).toBeNaN()
    expect(shard.columns.has('live-mase')).toBe(false)
  })

  test('and says nothing of it where no series has any', () => {
    const shard = fittedOf([described('c', [4, 4]), described('d', [null])], naive)
    expect(shard.columns.has('live-scale')).toBe(false)
  })
})

describe('an update', () => {
  const base = fittedOf(
    [
      described('a', [1, 3, 2], daily),
      described('b', [10, 14, 12, 20]),
      described('c', [4, 4]),
      described('d', [1, 2]),
      described('e', [null]),
    ],
    naive,
  )

  test('says of each series how it was foreseen, and adds that up', () => {
    const news = [
      // Of the last value, 2: errors of 3 and 1 by 1.5; the two missing ones count nowhere.
      described('a', [5, null, 1], { start: '2024-02-05' }),
      // Of 20: an error of 7, by 14 / 3.
      described('b', [13]),
      // Nothing of these has a scale.
      described('c', [9]),
      described('e', [3, 4]),
      described('f', [1, 4]),
    ]
    const { shard, live } = update(base, news)
    expect(maseOf(shard, 'a')).toBeCloseTo(4 / 1.5 / 2, 12)
    expect(maseOf(shard, 'b')).toBeCloseTo(7 / (14 / 3), 12)
    for (const key of ['c', 'd', 'e', 'f']) expect(maseOf(shard, key), key).toBeNaN()
    expect(live.count).toBe(3)
    expect(live.scaled).toBeCloseTo(4 / 1.5 + 1.5, 12)
    expect(['a', 'b', 'd'].map((key) => scaleOf(shard, key))).toEqual([1.5, 14 / 3, 1])
  })

  test('is compared with the forecast of its own time, beyond what is missing before', () => {
    const drift = doneValue(parseSpec({ family: 'baseline', method: 'drift' }))
    const rising = fittedOf([described('a', [1, 2, 3], daily)], drift)
    const news = [described('a', [9], { start: '2024-02-07' })]
    expect(update(rising, news).live).toEqual({ count: 1, scaled: 2 })
  })

  test('gives new series a scale, and those that had no model; the next one scores them', () => {
    const { shard } = update(base, [described('e', [3, 4]), described('f', [1, 4])])
    expect([scaleOf(shard, 'e'), scaleOf(shard, 'f')]).toEqual([1, 3])
    const { live } = update(shard, [described('e', [6]), described('f', [10])])
    expect(live).toEqual({ count: 2, scaled: 2 + 2 })
  })

  test('has nothing to say of news that were not taken, and of none', () => {
    const known = update(base, [described('b', [13])]).shard
    const news = [
      described('a', [99], { start: '2024-02-02' }),
      described('b', [...new Array(1_000).fill(null), 50]),
      described('d', [1e308]),
    ]
    const passedOver = new Map([[2, 'ends-threads']])
    const { shard, live } = update(known, news, { passedOver })
    expect(live).toEqual({ count: 0, scaled: 0 })
    expect(maseOf(shard, 'b')).toBe(1.5)
    for (const key of ['a', 'd']) expect(maseOf(shard, key), key).toBeNaN()
  })

  test('replaces what was said of the one before', () => {
    const once = update(base, [described('d', [5])]).shard
    expect(maseOf(once, 'd')).toBe(3)
    const twice = update(once, [described('d', [6]), described('f', [1])])
    expect([maseOf(twice.shard, 'd'), twice.live]).toEqual([1, { count: 1, scaled: 1 }])
  })

  test('whose errors leave the range of numbers is left out', () => {
    expect(sumOfLive({ count: 1, scaled: 1e308 }, { count: 2, scaled: 1e308 })).toEqual({
      count: 1,
      scaled: 1e308,
    })
    const tiny = fittedOf([described('a', [0, 1e-300]), described('b', [1, 2])], naive)
    const { shard, live } = update(tiny, [described('a', [1e30]), described('b', [4])])
    expect(maseOf(shard, 'a')).toBeNaN()
    expect(figure(shard, 'observed', 'a')).toBe(3)
    expect(live).toEqual({ count: 1, scaled: 2 })
  })
})

/** Three series, of which an update was refused, by the release before there were scales. */
const old = () =>
  doneValue(decodeShard(readFileSync(new URL('golden/shard-1.bin', import.meta.url))))

describe('a shard as an earlier release wrote it', () => {
  test('is updated all the same; nothing is said of what was foreseen', () => {
    expect(faultOfModels(old())).toBeUndefined()
    const news = [described('a', [9], { start: '2024-02-04' }), described('b', [3])]
    const { shard, live } = update(old(), news)
    expect(live.count).toBe(0)
    expect(shard.columns.get('code')).toEqual(['ok', 'ok', 'all-missing'])
    expect([...shard.columns.get('steps')!]).toEqual([4, 5, 2])
    expect([...shard.columns.keys()].filter((name) => name.startsWith('live'))).toEqual([])
  })

  test('is as it was without news, to the byte', () => {
    const { shard } = update(old(), [])
    expect([...shard.columns]).toEqual([...old().columns])
    const again = update(shard, []).shard
    expect(Buffer.from(again.payloadAt(1))).toEqual(Buffer.from(old().payloadAt(1)))
  })

  test('has scales of the series that are new in it', () => {
    const { shard } = update(old(), [described('c', [2, 5]), described('z', [1, 2])])
    expect(['a', 'b', 'c', 'z'].map((key) => scaleOf(shard, key))).toEqual([
      ...[Number.NaN, Number.NaN, 3, 1],
    ])
    const { live } = update(shard, [described('b', [8]), described('z', [4])])
    expect(live).toEqual({ count: 1, scaled: 2 })
  })
})
