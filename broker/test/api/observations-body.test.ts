import { decodeShard, encodeShardData, seriesAt } from '@almanac/engine'
import { limits, shardOf } from '@almanac/shared'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readObservationsBody } from '../../src/api/observations-body.ts'
import { cutNews } from '../../src/jobs/news.ts'

const read = (body: unknown) =>
  readObservationsBody(
    new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
  )
const keyed = (count: number, each: number) =>
  Array.from({ length: count }, (_, i) => ({
    key: `k${i}`,
    y: Array.from({ length: each }, () => 1),
  }))

describe('what is wrong with new observations of many series', () => {
  const good = { key: 'a', y: [1] }
  test.each<[string, unknown, string, string]>([
    ['a field that is not known', { series: [good], spec: {} }, '/spec', 'unknown-field'],
    [
      'one that a series does not have',
      { series: [good, { key: 'b', y: [1], holidays: [] }] },
      '/series/1/holidays',
      'unknown-field',
    ],
    ['no key', { series: [good, { y: [1] }] }, '/series/1/key', 'key'],
    ['no series', { series: [] }, '/series', 'series'],
    [
      'a key that is too long',
      { series: [{ ...good, key: 'k'.repeat(1_025) }] },
      '/series/0/key',
      'key',
    ],
    ['the same key twice', { series: [good, good] }, '/series/1/key', 'key'],
    [
      'text among numbers',
      { series: [{ key: 'a', y: [1, '2'] }] },
      '/series/0/y/1',
      'not-a-number',
    ],
    ['NaN', '{"series":[{"key":"a","y":[NaN]}]}', '/series/0/y/0', 'not-json'],
    ['no numbers', { series: [good, { key: 'b' }] }, '/series/1/y', 'no-data'],
    ['a start that is none', { series: [{ ...good, start: 'now' }] }, '/series/0/start', 'start'],
    ['a base that is no number', { series: [good], base: 0 }, '/base', 'invalid'],
    ['data beside it', { series: [good, good], data: [1] }, '/series', 'data-and-series'],
    ['too many of one', { series: keyed(1, 10_001) }, '/series/0/y', 'too-many'],
    ['too many of all', { series: keyed(101, 10_000) }, '/series/100/y', 'too-many'],
  ])('%s is told with its place', (_what, body, field, code) => {
    expect(read(body)).toMatchObject({ kind: 'fault', status: 400, field, code })
  })

  test('is nothing where there are as many as may be', () => {
    const { newObservationsMax: most } = limits
    const all = keyed(2, most)
    // As long as those that tables make.
    all[0]!.key = 'k'.repeat(1_024)
    const body = read({ series: all, base: 7 })
    const news = { kind: 'many', series: 2, observations: 2 * most }
    expect(body).toMatchObject({ kind: 'observations', base: 7, news })
  })
})

test('news are cut where shards begin, and none gets lost', () => {
  const keys = fc.uniqueArray(fc.string({ maxLength: 3 }), { minLength: 1 })
  const inOrder = (all: readonly string[]) =>
    all.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  fc.assert(
    fc.property(keys, keys, (some, begins) => {
      const firsts = inOrder(begins)
      const index = { shards: firsts.map((first) => ({ first })) } as Parameters<typeof shardOf>[0]
      const all = inOrder(some).map((key, i) => ({
        ...{ key, y: [i, null], start: i % 2 ? '2026-01-03' : null, frequency: null },
      }))
      const cut = cutNews(encodeShardData(all), firsts)
      const found = cut.map(({ first, series, bytes }) => {
        const shard = decodeShard(bytes)
        if (shard.kind === 'refused') throw new Error(shard.reason.detail)
        const { value } = shard
        const own = Array.from({ length: value.count }, (_, i) => value.keyAt(i))
        expect([own[0], own.length]).toEqual([first, series])
        const places = new Set(own.map((key) => shardOf(index, key)))
        expect(places.size).toBe(1)
        return { place: [...places][0], value, own }
      })
      expect(new Set(found.map(({ place }) => place)).size).toBe(found.length)
      expect(found.flatMap(({ own }) => own)).toEqual(all.map(({ key }) => key))
      const told = found.flatMap(({ value, own }) =>
        own.map((_, i) => [seriesAt(value, i).y[0], value.columns.get('start')?.[i] || null]),
      )
      expect(told).toEqual(all.map(({ y, start }) => [y[0], start]))
    }),
    { seed: 8 },
  )
})
