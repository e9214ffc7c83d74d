import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KeyedDescription } from '../../src/batch/shard-data.ts'
import type { Shard } from '../../src/codec/shard.ts'
import {
  compareKeys,
  decodeModel,
  encodeModel,
  faultOfModels,
  fitModel,
  parseSpec,
  scoreNews,
  seedOfKey,
  updateModel,
  updateShard,
} from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { autoregression, mixedBatch } from './batches.ts'
import { dataOf, described, fittedOf, run, shardOf } from './shards.ts'

const spec = doneValue(parseSpec(autoregression))
const naive = doneValue(parseSpec({ family: 'baseline', method: 'naive' }))
const ascending = (all: readonly KeyedDescription[]) =>
  all.toSorted((a, b) => compareKeys(a.key, b.key))
const batch = ascending(
  mixedBatch(1, 24)
    .filter(({ y }) => Number.isFinite(y[0]))
    .map(({ key, y }) => described(key!, [...y])),
)
const base = fittedOf(batch, spec)
const update = (news: readonly KeyedDescription[], of = base, given = {}, by = spec) =>
  updateShard(of, dataOf(ascending(news)), by, { ...run, ...given })

/** All that a shard says of a key. */
function rowOf(shard: Shard, key: string) {
  const place = shard.find(key)
  const columns = [...shard.columns].map(([name, column]) => [name, column[place]])
  return { ...Object.fromEntries(columns), payload: Buffer.from(shard.payloadAt(place)) }
}

const unscored = { 'live-mae': Number.NaN, 'live-mase': Number.NaN }

/** How news alone were foreseen, as they are and by the scale of the fit. */
function scoresOf(before: ReturnType<typeof rowOf>, y: Float64Array): typeof unscored {
  const score = scoreNews(doneValue(decodeModel(before.payload)), y)
  if (score === null || score.count === 0) return unscored
  const [mae, scale] = [score.absolute / score.count, before['live-scale']]
  return { 'live-mae': mae, 'live-mase': scale > 0 ? mae / scale : Number.NaN }
}

describe('an updated shard', () => {
  test('has each model as it is when updated alone, and the others to the byte', () => {
    const value = fc.option(fc.double({ min: -9, max: 9, noNaN: true }), { nil: null })
    const news = fc.dictionary(fc.constantFrom(...batch.map(({ key }) => key)), fc.array(value))
    fc.assert(
      fc.property(news, (given) => {
        const added = new Map(Object.entries(given))
        const { content, codes, isStopped } = update(
          [...added].map(([key, y]) => described(key, y)),
        )
        const shard = shardOf(content)
        expect(isStopped).toBe(false)
        expect(shard.count).toBe(base.count)
        for (const { key, y } of batch) {
          const [before, after] = [rowOf(base, key), rowOf(shard, key)]
          const newer = added.get(key)
          const isScored = 'live-mae' in after
          if (newer === undefined) {
            expect({ ...unscored, ...after }).toEqual({ ...before, ...unscored })
            continue
          }
          const values = Float64Array.from(newer, (one) => one ?? Number.NaN)
          const alone = doneValue(
            updateModel(doneValue(decodeModel(before.payload)), { y: values }),
          )
          expect({ ...unscored, ...after }).toEqual({
            ...before,
            ...(isScored ? scoresOf(before, values) : unscored),
            steps: y.length + newer.length,
            observed: before.observed + newer.filter((one) => one !== null).length,
            payload: Buffer.from(encodeModel(alone)),
          })
        }
        expect(Object.values(codes).reduce((sum, count) => sum + count)).toBe(base.count)
      }),
      { seed: 3, numRuns: 40 },
    )
  })

  test('has new series between the others, fitted as in a fit of all', () => {
    const all = batch.filter((_, i) => i < 9)
    const isNew = (_: unknown, i: number) => i % 3 === 0
    const known = fittedOf(
      all.filter((one, i) => !isNew(one, i)),
      spec,
    )
    const shard = shardOf(update(all.filter(isNew), known).content)
    const whole = fittedOf(all, spec)
    expect(all.map(({ key }) => rowOf(shard, key))).toEqual(all.map(({ key }) => rowOf(whole, key)))
    expect(Array.from({ length: shard.count }, (_, i) => shard.keyAt(i))).toEqual(
      all.map(({ key }) => key),
    )
  })

  test('goes down the ladder with a new series that the spec refuses', () => {
    const { content, codes } = update([described('a new one', [1, 2, 3])])
    const row = rowOf(shardOf(content), 'a new one')
    expect(row).toMatchObject({ code: 'too-short', family: 'automatic', steps: 3 })
    expect(codes['too-short']).toBe(
      1 + batch.filter((one) => rowOf(base, one.key).code === 'too-short').length,
    )
  })
})

describe('a calendar', () => {
  const daily = { start: '2024-02-01', frequency: 'daily' }
  const known = fittedOf([described('a', [1, 2, 3], daily), described('b', [1, 2])], naive)
  const add = (key: string, y: readonly (number | null)[], given: object, of = known) =>
    rowOf(shardOf(update([described(key, y, given)], of, {}, naive).content), key)

  test('puts news where they belong; what lies between is missing', () => {
    const after = add('a', [9], { start: '2024-02-07' })
    expect(after).toMatchObject({ code: 'ok', steps: 7, observed: 4, start: '2024-02-01' })
    const alone = doneValue(decodeModel(rowOf(known, 'a').payload))
    const y = Float64Array.of(Number.NaN, Number.NaN, Number.NaN, 9)
    expect(after.payload).toEqual(Buffer.from(encodeModel(doneValue(updateModel(alone, { y })))))
    expect(add('a', [9], { start: '2024-02-04' })).toMatchObject({ code: 'ok', steps: 4 })
  })

  test.each([
    ['overlap with what is known', 'a', { start: '2024-02-03' }, 'known-already'],
    ['are in another zone', 'a', { timezone: 'Europe/Berlin' }, 'timezone'],
    ['begin between two steps', 'a', { start: '2024-02-05T06:00:00Z' }, 'start'],
    ['begin at no time', 'a', { start: 'yesterday' }, 'start'],
    ['tell a start, where the series has none', 'b', { start: '2024-02-05' }, 'start'],
    ['tell another frequency', 'a', { frequency: 'weekly' }, 'frequency'],
    ['begin decades later', 'a', { start: '2064-01-01' }, 'too-many'],
  ])('refuses news that %s, and keeps the model', (_what, key, given, code) => {
    const [before, after] = [rowOf(known, key), add(key, [9], given)]
    expect(after).toMatchObject({ ...before, code, detail: expect.stringMatching(/./) })
    expect(after.detail).not.toBe(before.detail)
  })

  test('of a zone has its dates, and stays in it', () => {
    const zoned = { ...daily, start: '2024-03-29', timezone: 'Europe/Berlin' }
    const of = fittedOf([described('a', [1, 2, 3], zoned), described('b', [1])], naive)
    expect(rowOf(of, 'a')).toMatchObject(zoned)
    expect(rowOf(of, 'b')).toMatchObject({ start: '', timezone: '' })
    const next = add('a', [9], { start: '2024-04-02', timezone: 'Europe/Berlin' }, of)
    expect(next).toMatchObject({ ...zoned, code: 'ok', steps: 5, observed: 4 })
    expect(add('a', [9], { start: '2024-04-01T00:00Z' }, of)).toMatchObject({ code: 'start' })
  })

  test('of a refused update is forgotten with the next that goes well', () => {
    const short = fittedOf([described('a', [1, 2, 3], daily)], spec)
    const before = rowOf(short, 'a')
    const news = (start: string) => described('a', [9], { start })
    const once = shardOf(update([news('2024-02-02')], short).content)
    const twice = shardOf(update([news('2024-02-03')], once).content)
    expect(rowOf(twice, 'a')).toMatchObject({ code: 'known-already', family: 'automatic' })
    const { code, detail } = before
    expect(rowOf(shardOf(update([news('2024-02-04')], twice).content), 'a')).toMatchObject({
      code,
      detail,
      steps: 4,
    })
  })

  test('of a series without a model goes on, and so does its first fit', () => {
    const none = fittedOf([described('a', [null, null], daily)], naive)
    expect(rowOf(none, 'a').family).toBe('')
    const right = add('a', [7], {}, none)
    expect(right).toMatchObject({ code: 'ok', steps: 3, observed: 1, start: '2024-02-01' })
    const later = add('a', [7, 8], { start: '2024-03-01' }, none)
    expect(later).toMatchObject({ code: 'ok', steps: 2, observed: 2, start: '2024-03-01' })
    expect(later).toMatchObject({ frequency: 'daily', family: 'baseline' })
    const seed = seedOfKey(run.seed, 'a')
    const alone = fitModel({ y: Float64Array.of(7, 8), key: 'a' }, naive, { ...run, seed })
    expect(later.payload).toEqual(Buffer.from(encodeModel(doneValue(alone))))
    expect(add('a', [null], {}, none)).toMatchObject({ family: '', steps: 3 })
  })
})

describe('an update', () => {
  const [first, second, third] = batch as [KeyedDescription, KeyedDescription, KeyedDescription]

  test('that a model refuses leaves it as it was, with the reason', () => {
    const shard = shardOf(update([described(first.key, [1e200])]).content)
    const [before, after] = [rowOf(base, first.key), rowOf(shard, first.key)]
    expect(after.payload).toEqual(before.payload)
    expect(after).toMatchObject({ steps: before.steps, observed: before.observed })
    expect(['ok', '']).not.toContain(after.code)
  })

  test('of a model whose bytes are none leaves them as they are', () => {
    const { columns } = shardOf(update([]).content)
    const place = base.find(first.key)
    const payloads = Array.from({ length: base.count }, (_, i) =>
      i === place ? Uint8Array.of(1, 2) : base.payloadAt(i),
    )
    const keys = Array.from({ length: base.count }, (_, i) => base.keyAt(i))
    const spoiled = shardOf({ keys, columns: Object.fromEntries(columns), payloads })
    const shard = shardOf(update([described(first.key, [1])], spoiled).content)
    expect(rowOf(shard, first.key)).toMatchObject({
      code: 'bad-format',
      payload: Buffer.of(1, 2),
    })
  })

  test('passes over what it is told to: a known model stays, a new one is the simplest', () => {
    const news = ascending([described(first.key, [1]), described('zzz', [1, 2]), second])
    const passedOver = new Map(news.map(({ key }, i) => [i, key === second.key ? '' : 'crashed']))
    passedOver.delete(news.indexOf(second))
    const shard = shardOf(update(news, base, { passedOver }).content)
    expect(rowOf(shard, first.key)).toMatchObject({
      code: 'crashed',
      payload: rowOf(base, first.key).payload,
    })
    expect(rowOf(shard, 'zzz')).toMatchObject({ code: 'crashed', family: 'baseline' })
    expect(rowOf(shard, second.key).code).toBe(rowOf(base, second.key).code)
  })

  test('tells which of the news it is at, and how far it is', () => {
    const places: number[] = []
    const fractions: number[] = []
    update([first, third, described('zzz', [1])], base, {
      onSeries: (place: number) => places.push(place),
      onProgress: (fraction: number) => fractions.push(fraction),
    })
    expect(places).toEqual([0, 1, 2])
    expect(fractions).toEqual([1 / 3, 2 / 3, 1])
  })

  test('that is told to stop says that it is not whole', () => {
    let asked = 0
    const shouldStop = () => ++asked > 1
    expect(update([first, second], base, { shouldStop }).isStopped).toBe(true)
  })

  test('needs to know of each model what it has seen', () => {
    expect(faultOfModels(base)).toBeUndefined()
    expect(faultOfModels(dataOf(batch))).toBe('there is no column code')
    const { columns, keys, payloads } = update([]).content
    const { steps, ...rest } = columns
    expect(faultOfModels(shardOf({ keys, payloads, columns: rest }))).toBe(
      'there is no column steps',
    )
    expect(steps).toHaveLength(base.count)
  })
})
