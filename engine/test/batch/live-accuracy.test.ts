import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { KeyedDescription } from '../../src/batch/shard-data.ts'
import { decodeShard, type Shard } from '../../src/codec/shard.ts'
import { faultOfModels, parseSpec, updateShard } from '../../src/index.ts'
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
const maeOf = (shard: Shard, key: string) => figure(shard, 'live-mae', key)

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
    expect(scaleOf(shard, 'c')).toBe(0)
    for (const name of ['live-mae', 'live-mase']) expect(shard.columns.has(name)).toBe(false)
  })

  test('and says nothing of it where no series has a model', () => {
    const shard = fittedOf([described('d', [null])], naive)
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
      // An error of 5 that nothing is known to divide by.
      described('c', [9]),
      // Nothing was foreseen of these.
      described('e', [3, 4]),
      described('f', [1, 4]),
    ]
    const { shard, live } = update(base, news)
    expect(maseOf(shard, 'a')).toBeCloseTo(4 / 1.5 / 2, 12)
    expect(maseOf(shard, 'b')).toBeCloseTo(7 / (14 / 3), 12)
    for (const key of ['c', 'd', 'e', 'f']) expect(maseOf(shard, key), key).toBeNaN()
    expect(['a', 'b', 'c'].map((key) => maeOf(shard, key))).toEqual([2, 7, 5])
    for (const key of ['d', 'e', 'f']) expect(maeOf(shard, key), key).toBeNaN()
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
    expect(maeOf(shard, 'b')).toBe(7)
    for (const key of ['a', 'd']) expect(maeOf(shard, key), key).toBeNaN()
  })

  test('replaces what was said of the one before', () => {
    const once = update(base, [described('d', [5])]).shard
    expect(maseOf(once, 'd')).toBe(3)
    const twice = update(once, [described('d', [6]), described('f', [1])])
    expect([maseOf(twice.shard, 'd'), twice.live]).toEqual([1, { count: 1, scaled: 1 }])
  })

  test('tells of each series how far off it was, and lets none count for more than ten times its scale', () => {
    const news = [described('a', [2 + 3, 2 + 150]), described('b', [20 + 14])]
    const { shard, live } = update(base, news)
    expect(maseOf(shard, 'a')).toBe((2 + 100) / 2)
    expect(maseOf(shard, 'b')).toBe(3)
    expect(live).toEqual({ count: 3, scaled: 2 + 10 + 3 })
  })

  test('whose scaled error leaves the range of numbers counts as any other that is far off', () => {
    const tiny = fittedOf([described('a', [0, 1e-300]), described('b', [1, 2])], naive)
    const { shard, live } = update(tiny, [described('a', [1e30]), described('b', [4])])
    expect(maseOf(shard, 'a')).toBeNaN()
    expect(maeOf(shard, 'a')).toBe(1e30)
    expect(figure(shard, 'observed', 'a')).toBe(3)
    expect(live).toEqual({ count: 2, scaled: 10 + 2 })
  })

  test('of a series that never changed, but for rounding, tells how far off it was and no more', () => {
    const still = [described('a', [0.3, 0.1 + 0.2, 0.3]), described('b', [0, 0, 0])]
    const shard = fittedOf(still, naive)
    const jumped = update(shard, [described('a', [7.3]), described('b', [0])])
    expect([maeOf(jumped.shard, 'a'), maseOf(jumped.shard, 'a')]).toEqual([7, Number.NaN])
    expect([maeOf(jumped.shard, 'b'), maseOf(jumped.shard, 'b')]).toEqual([0, Number.NaN])
    expect(jumped.live).toEqual({ count: 0, scaled: 0 })
  })
})

describe('of a hundred series', () => {
  const keys = Array.from({ length: 100 }, (_, i) => `s=${1_000 + i}`)
  /** In units of their own, up and down by one unit, with a step in which nothing happens. */
  const unitOf = (i: number) => 10 ** (i % 7)
  const usual = keys.map((key, i) =>
    described(
      key,
      [5, 6, 5, 5, 4, 5].map((value) => value * unitOf(i)),
    ),
  )
  const still = described('s=still', [1e6, 1e6 + 1e-4, 1e6, 1e6 - 1e-4, 1e6, 1e6])
  const base = fittedOf([...usual, still], naive)
  /** Steps of one unit from 5 units on, or of four units by so many. */
  const newsOf = (decayed: number) =>
    keys.map((key, i) => described(key, [(i < decayed ? 9 : 6) * unitOf(i), 5 * unitOf(i)]))
  const meanOf = ({ count, scaled }: { count: number; scaled: number }) => scaled / count

  test('one that hardly ever changed and jumps does not make all of them bad', () => {
    const news = [...newsOf(0), described('s=still', [2e6, 3e6])]
    const { shard, live } = update(base, news)
    expect(maseOf(shard, 's=still')).toBeGreaterThan(1e9)
    expect(live.count).toBe(202)
    expect(meanOf(live)).toBeLessThan(1)
  })

  test('sixty that are not what they were do, whatever their units', () => {
    expect(meanOf(update(base, newsOf(0)).live)).toBeLessThan(0.75)
    expect(meanOf(update(base, newsOf(60)).live)).toBeGreaterThan(1.5)
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
