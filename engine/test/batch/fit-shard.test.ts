import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitShard } from '../../src/batch/fit-shard.ts'
import { faultOfData, seriesAt } from '../../src/batch/shard-data.ts'
import { compareKeys, decodeModel, fitMany, forecastModel, parseSpec } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { autoregression, mixedBatch } from './batches.ts'
import { dataOf, described, run, shardOf } from './shards.ts'

const spec = doneValue(parseSpec(autoregression))

/** Fittable ones, and others; keys ascend. */
const batch = mixedBatch(1, 24)
  .filter(({ y }) => Number.isFinite(y[0]))
  .map(({ key, y }) => described(key!, [...y]))
  .sort((a, b) => compareKeys(a.key, b.key))

describe('a shard of data', () => {
  test('gives back the series that were put in', () => {
    const value = fc.option(fc.double({ noNaN: true }), { nil: null })
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary' })), fc.array(value), (keys, y) => {
        const sorted = keys.toSorted(compareKeys).map((key, i) => described(key, y.slice(i)))
        const data = dataOf(sorted)
        expect(faultOfData(data)).toBeUndefined()
        for (const [place, { key, y: wanted }] of sorted.entries()) {
          const series = seriesAt(data, place)
          expect(series.key).toBe(key)
          expect(Array.from(series.y, (one) => (Number.isNaN(one) ? null : one))).toEqual(wanted)
        }
      }),
      { seed: 21 },
    )
  })

  test('knows when its series began and how often they were looked at', () => {
    const data = dataOf([
      described('a', [1], { start: '2024-02-01', frequency: 'monthly' }),
      described('b', [1], { frequency: 'daily' }),
    ])
    expect(seriesAt(data, 0)).toMatchObject({ seasons: [12] })
    expect(seriesAt(data, 0).calendar?.start).toBe(Date.UTC(2024, 1, 1))
    expect(seriesAt(data, 1).calendar).toBeUndefined()
  })

  test('without its columns, or with half a number, is told', () => {
    const columns = { start: [''], frequency: [''] }
    const half = { keys: ['a'], columns, payloads: [new Uint8Array(12)] }
    expect(faultOfData(shardOf(half))).toBe('series 0 is cut short')
    const none = { ...half, columns: { start: [''] } }
    expect(faultOfData(shardOf(none))).toBe('there is no column frequency')
  })
})

describe('a fitted shard', () => {
  const fitted = fitShard(dataOf(batch), spec, run)
  const shard = shardOf(fitted.content)

  test('has the models that its series have in any batch', () => {
    const series = batch.map((_, place) => seriesAt(dataOf(batch), place))
    const alone = [...fitMany(series, autoregression, run)]
    const codes = shard.columns.get('code') as readonly string[]
    expect(shard.count).toBe(batch.length)
    for (const [place, outcome] of alone.entries()) {
      expect(codes[place]).toBe(outcome.kind === 'refused' ? outcome.reason.code : 'ok')
      if (outcome.kind === 'refused') continue
      expect(doneValue(decodeModel(shard.payloadAt(place)))).toEqual(outcome.value)
    }
    expect(new Set(codes).size).toBeGreaterThan(1)
  })

  test('gives a series that the spec refuses the default model, and says why', () => {
    const codes = shard.columns.get('code') as readonly string[]
    const families = shard.columns.get('family') as readonly string[]
    const details = shard.columns.get('detail') as readonly string[]
    const place = codes.indexOf('too-short')
    expect(families[place]).toBe('automatic')
    expect(details[place]).toContain('observations')
    const model = doneValue(decodeModel(shard.payloadAt(place)))
    const ask = { horizon: 3, quantiles: new Float64Array(0) }
    expect(doneValue(forecastModel(model, ask)).point.every(Number.isFinite)).toBe(true)
    expect(fitted.codes).toEqual({
      ok: codes.filter((code) => code === 'ok').length,
      'too-short': codes.filter((code) => code === 'too-short').length,
    })
  })

  test('has no model of a series without observations, and sinks no other', () => {
    const data = dataOf([
      described('a', [null, null]),
      described('b', [1, 2, 3]),
      described('c', []),
    ])
    const { content, codes } = fitShard(data, doneValue(parseSpec(undefined)), run)
    expect(content.payloads.map(({ length }) => length > 0)).toEqual([false, true, false])
    expect(content.columns.family).toEqual(['', 'automatic', ''])
    expect(codes.ok).toBe(1)
    expect(content.columns.steps).toEqual(Int32Array.of(2, 3, 0))
    expect(content.columns.observed).toEqual(Int32Array.of(0, 3, 0))
  })

  test('passes over what it is told to, with the simplest model', () => {
    const passedOver = new Map([[1, 'crashed']])
    const { content } = fitShard(dataOf(batch.slice(0, 3)), spec, { ...run, passedOver })
    expect((content.columns.code as readonly string[])[1]).toBe('crashed')
    expect((content.columns.family as readonly string[])[1]).toBe('baseline')
  })

  test('tells which series it is at, and how far it is', () => {
    const places: number[] = []
    const fractions: number[] = []
    fitShard(dataOf(batch.slice(0, 4)), spec, {
      ...run,
      onSeries: (place) => places.push(place),
      onProgress: (fraction) => fractions.push(fraction),
    })
    expect(places).toEqual([0, 1, 2, 3])
    expect(fractions).toEqual([0.25, 0.5, 0.75, 1])
  })

  test('that is told to stop says that it is not whole', () => {
    let asked = 0
    const { isStopped } = fitShard(dataOf(batch), spec, { ...run, shouldStop: () => ++asked > 3 })
    expect(isStopped).toBe(true)
    expect(fitted.isStopped).toBe(false)
  })
})
