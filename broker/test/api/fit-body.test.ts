import { decodeShard, seriesAt } from '@almanac/engine'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readFitBody } from '../../src/api/fit-body.ts'

const spec = { family: 'arima', p: 1, d: 0, q: 0, differenceLag: 0 }
const dated = { family: 'additive', holidays: [{ name: 'fair', dates: ['2024-05-03'] }] }
const tenThousandDays = [{ name: 'days', dates: Array.from({ length: 10_000 }, (_, i) => i) }]
const numbers = Array.from({ length: 40 }, (_, i) => i % 5)
const read = (body: unknown) =>
  readFitBody(new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)))

describe('what is wrong with a body', () => {
  test.each<[string, unknown, { status?: number; field?: string; says?: RegExp }]>([
    ['nothing', '', { says: /empty/ }],
    ['white space', ' \n', { says: /empty/ }],
    ['an array', [1, 2], { says: /object/ }],
    ['text', '"x"', { says: /object/ }],
    ['cut off', '{"data":[1,2', { says: /JSON/ }],
    ['NaN', '{"data":[1, 2, NaN, 3]}', { field: '/data/2', says: /NaN/ }],
    [
      'NaN in one of many series',
      '{"series":[{"key":"a","y":[1]},{"key":"b","y":[1,NaN]}]}',
      { field: '/series/1/y/1', says: /NaN/ },
    ],
    ['a negative infinity', '{"data":[-Infinity]}', { field: '/data/0', says: /Infinity/ }],
    ['NaN in a series', '{"series":[{"y":[NaN]}]}', { field: '/series/0/y/0' }],
    ['no data', {}, { field: '/data', says: /no data/ }],
    ['empty data', { data: [] }, { field: '/data', says: /empty/ }],
    ['only missing values', { data: [null, null] }, { field: '/data', says: /missing/ }],
    ['data that is no array', { data: '1,2,3' }, { field: '/data' }],
    ['text among numbers', { data: [...numbers, '7'] }, { field: '/data/40', says: /"7"/ }],
    ['true among numbers', { data: [1, true] }, { field: '/data/1', says: /boolean/ }],
    ['an object among numbers', { data: [{}] }, { field: '/data/0', says: /object/ }],
    ['a number too large', '{"data":[1,1e999]}', { field: '/data/1', says: /large/ }],
    ['data and series', { data: [1], series: [] }, { field: '/series' }],
    ['a field that is not known', { dat: [1] }, { field: '/dat', says: /no field "dat"/ }],
    ['two series without keys', { series: [{ y: [1] }, { y: [1] }] }, { field: '/series/0/key' }],
    [
      'two series with the same key',
      {
        series: [
          { key: 'a', y: [1] },
          { key: 'b', y: [1] },
          { key: 'a', y: [1] },
        ],
      },
      { field: '/series/2/key', says: /Series 0 and 2/ },
    ],
    [
      'text in one of many series',
      {
        series: [
          { key: 'a', y: [1] },
          { key: 'b', y: [1, 'x'] },
        ],
      },
      { field: '/series/1/y/1', says: /series\/1\/y\/1 is the text "x"/ },
    ],
    [
      'an unknown field in one of many series',
      {
        series: [
          { key: 'a', y: [1] },
          { key: 'b', z: 1 },
        ],
      },
      { field: '/series/1/z' },
    ],
    [
      'a bad spec for many series',
      {
        series: [
          { key: 'a', y: [1] },
          { key: 'b', y: [1] },
        ],
        spec: { family: 'nope' },
      },
      { field: '/spec/family' },
    ],
    ['a series without y', { series: [{}] }, { field: '/series/0/y' }],
    ['an unknown field of a series', { series: [{ z: 1 }] }, { field: '/series/0/z' }],
    ['a bad start', { series: [{ y: [1], start: '1.5.2024' }] }, { field: '/series/0/start' }],
    [
      'a start that is no day',
      { series: [{ y: [1], start: '2024-13-41' }] },
      { field: '/series/0/start' },
    ],
    ['a frequency', { series: [{ y: [1], frequency: 'D' }] }, { field: '/series/0/frequency' }],
    [
      'a timezone',
      { series: [{ y: [1], timezone: 'Europe/Atlantis' }] },
      { field: '/series/0/timezone' },
    ],
    [
      'too short for the model',
      { data: numbers, spec: { family: 'arima' } },
      { status: 422, field: '/data', says: /\d{3}/ },
    ],
    ['an unknown family', { data: numbers, spec: { family: 'x' } }, { field: '/spec/family' }],
    [
      'an unknown field of the spec',
      { data: numbers, spec: { ...spec, pp: 1 } },
      { field: '/spec/pp' },
    ],
    [
      'a season of the spec that the series cannot have',
      { data: numbers, spec: { family: 'ets', season: 'A', seasonLength: 1 } },
      { field: '/spec/seasonLength' },
    ],
    [
      'seasonal terms without a season',
      { data: numbers, spec: { family: 'arima', p: 1, P: 1 } },
      { status: 422, field: '/spec/seasonLength' },
    ],
    [
      'seasons of the spec that do not ascend',
      { data: numbers, spec: { family: 'mstl', seasons: [12, 7] } },
      { field: '/spec/seasons' },
    ],
    [
      'a spec that no record could hold',
      { data: numbers, spec: { family: 'additive', holidays: tenThousandDays } },
      { field: '/spec', says: /more than 32768/ },
    ],
    ['dates without a calendar', { data: numbers, spec: dated }, { status: 422, field: '/data' }],
    [
      'dates of a series without a start',
      { series: [{ y: numbers, frequency: 'daily' }], spec: dated },
      { status: 422, field: '/series/0/start' },
    ],
    [
      'a value that the family cannot take',
      { series: [{ y: [...numbers, -1] }], spec: { family: 'croston' } },
      { status: 422, field: '/series/0/y/40' },
    ],
    [
      'a regressor that nobody can send',
      { data: numbers, spec: { family: 'arima', p: 1, regressors: ['price'] } },
      { status: 422, field: '/spec/regressors', says: /price/ },
    ],
  ])('%s', (_name, body, { status = 400, field, says = /./ }) => {
    const fault = read(body)
    expect(fault).toMatchObject({ kind: 'fault', status, ...(field ? { field } : {}) })
    expect(fault.kind === 'fault' && fault.detail).toMatch(says)
  })

  test('a million and one numbers are too many', () => {
    const fault = read(`{"data":[${'1,'.repeat(1_000_000)}1]}`)
    expect(fault).toMatchObject({ code: 'too-many', field: '/data' })
  })

  test('a family that is mistyped beside a table is told of regressions, and of series is not', () => {
    const source = { format: 'csv' }
    const recipe = { source, time: { column: 'date' }, target: 'sold', keys: ['store'] }
    const table = { file: 'sales.csv', recipe: { ...recipe, frequency: 'daily' } }
    const mistyped = { family: 'regresion' }
    const code = 'unknown-family'
    const known = expect.stringMatching(/^Set family to one of: .*regression, too\.$/)
    expect(read({ table, spec: mistyped })).toMatchObject({ code, remedy: known })
    const ofSeries = read({ data: numbers, spec: mistyped })
    expect(ofSeries).toMatchObject({ code, remedy: expect.not.stringContaining('regression') })
  })

  test('arbitrary bytes give a fault and never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readFitBody(bytes).kind).toBe('fault')
      }),
    )
  })

  test('arbitrary JSON gives a fault that fits a problem, or a fit', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (data, series) => {
        for (const body of [{ data }, { series: [{ y: data }] }, { series }, data]) {
          const result = read(body)
          if (result.kind === 'fault') expect(result.detail.length).toBeGreaterThan(5)
        }
      }),
    )
  })
})

function storedOf(body: ReturnType<typeof read>) {
  if (body.kind !== 'fit' || body.data.kind !== 'one') throw new Error('no body of one series')
  return JSON.parse(new TextDecoder().decode(body.data.dataset))
}

describe('a good body', () => {
  test('becomes a data set with its missing values', () => {
    const data = [...numbers, null, 2.5]
    const body = read({ data, spec })
    const spoken = { kind: 'fit', data: { observations: 42 }, spec: { family: 'arima', q: 0 } }
    expect(body).toMatchObject(spoken)
    expect(storedOf(body)).toEqual({
      format: 1,
      series: [{ key: null, start: null, frequency: null, y: data }],
    })
  })

  test('keeps what a series says about itself', () => {
    const about = { key: 'k', start: '2024-05-01T00:00:00Z', frequency: 'daily' }
    const body = read({ series: [{ ...about, timezone: 'UTC', y: numbers }], spec })
    expect(storedOf(body).series).toEqual([{ ...about, y: numbers }])
    const zoned = { ...about, timezone: 'Europe/Berlin', y: numbers }
    expect(storedOf(read({ series: [zoned], spec })).series).toEqual([zoned])
  })

  test('speaks of holidays by date, where the series says when it was observed', () => {
    const series = [{ y: numbers, start: '2024-05-01', frequency: 'daily' }]
    expect(read({ series, spec: dated }).kind).toBe('fit')
  })

  test('of a constant series is fine', () => {
    expect(read({ data: Array(40).fill(3), spec }).kind).toBe('fit')
  })
})

describe('many series', () => {
  const manyOf = (series: readonly unknown[]) => {
    const body = read({ series, spec: { family: 'baseline', method: 'naive' } })
    if (body.kind !== 'fit' || body.data.kind !== 'many') throw new Error(JSON.stringify(body))
    return body.data
  }
  const shardIn = (bytes: Uint8Array) => {
    const shard = decodeShard(bytes)
    if (shard.kind === 'refused') throw new Error(shard.reason.detail)
    return shard.value
  }

  test('are one shard in the order of their keys, with what each says of itself', () => {
    const about = { start: '2024-05-01', frequency: 'daily' }
    const data = manyOf([
      { key: 'b', y: [1, null] },
      { key: 'a', y: [3], ...about },
    ])
    expect(data).toMatchObject({ series: 2, observations: 3, shards: [{ first: 'a', series: 2 }] })
    const shard = shardIn(data.shards[0]!.bytes)
    expect([seriesAt(shard, 0), seriesAt(shard, 1)]).toMatchObject([
      { key: 'a', y: Float64Array.of(3) },
      { key: 'b', y: Float64Array.of(1, Number.NaN) },
    ])
    expect(shard.columns.get('start')).toEqual(['2024-05-01', ''])
  })

  test.each([
    ['by their number', 4_100, 2, [2_000, 2_000, 100]],
    ['by their observations', 5, 50_000, [2, 2, 1]],
    ['one by one where they are long', 3, 130_000, [1, 1, 1]],
  ])('are cut %s', (_, count, length, sizes) => {
    const y = Array.from({ length }, (_, i) => i % 10)
    const key = (i: number) => String(i).padStart(4, '0')
    const data = manyOf(Array.from({ length: count }, (_, i) => ({ key: key(i), y })))
    expect(data.shards.map(({ series }) => series)).toEqual(sizes)
    const keys = data.shards.flatMap(({ bytes }) => {
      const shard = shardIn(bytes)
      return Array.from({ length: shard.count }, (_, place) => shard.keyAt(place))
    })
    expect(keys).toEqual(Array.from({ length: count }, (_, i) => key(i)))
  })

  test('may have among them what cannot be fitted', () => {
    const data = manyOf([
      { key: 'a', y: [] },
      { key: 'b', y: [null] },
    ])
    expect(data).toMatchObject({ series: 2, observations: 1 })
  })
})
