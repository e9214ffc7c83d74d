import { describe, expect, test } from 'vitest'
import {
  checkWithin,
  decodeModel,
  fitModel,
  fitShard,
  forecastModel,
  judge,
  judgeShard,
  knownSeries,
  parseBounds,
  parseSpec,
  prepareForecast,
  scoreNews,
  updateShard,
} from '../src/index.ts'
import { dataOf, described, fittedOf, run, shardOf } from './batch/shards.ts'
import { doneValue, refusalOf } from './expect-done.ts'

const naive = doneValue(parseSpec({ family: 'baseline', method: 'naive' }))
const drift = doneValue(parseSpec({ family: 'baseline', method: 'drift' }))
const falling = Float64Array.from({ length: 20 }, (_, t) => 20 - t + (t % 2))
const bounds = { lower: 0 }
const quantiles = Float64Array.of(0.1, 0.9)

describe('bounds', () => {
  test.each([[{ lower: 0 }], [{ upper: 9 }], [{ lower: -1.5, upper: 9 }]])(
    '%j are some',
    (given) => {
      expect(doneValue(parseBounds(given))).toEqual(given)
    },
  )

  test.each<[unknown, string, string]>([
    [0, 'wrong-type', ''],
    ['0', 'wrong-type', ''],
    [[0, 1], 'wrong-type', ''],
    [{}, 'out-of-range', ''],
    [{ low: 0 }, 'unknown-field', '/low'],
    [{ lower: '0' }, 'wrong-type', '/lower'],
    [{ lower: null, upper: 1 }, 'wrong-type', '/lower'],
    [{ lower: Number.NaN }, 'out-of-range', '/lower'],
    [{ upper: Number.POSITIVE_INFINITY }, 'out-of-range', '/upper'],
    [{ upper: 1e151 }, 'out-of-range', '/upper'],
    [{ lower: 1, upper: 1 }, 'out-of-range', '/lower'],
    [{ lower: 2, upper: 1 }, 'out-of-range', '/lower'],
    [JSON.parse('{"__proto__": {"lower": 0}}'), 'unknown-field', '/__proto__'],
  ])('%j are none', (given, code, field) => {
    expect(refusalOf(parseBounds(given))).toMatchObject({ code, field })
  })

  test('have the first observation told that lies outside, and pass over missing ones', () => {
    expect(checkWithin([0, null, 5, -0.5, -7], bounds)).toMatchObject({
      ...{ code: 'out-of-bounds', field: '/y/3' },
      detail: 'Observation 3 is -0.5, below the lower bound 0.',
    })
    expect(checkWithin(Float64Array.of(1, Number.NaN, 3), { upper: 2 })?.field).toBe('/y/2')
    expect(checkWithin([0, null, 2], { lower: 0, upper: 2 })).toBeUndefined()
  })
})

describe('within bounds', () => {
  const model = doneValue(fitModel({ y: falling }, drift, { seed: 1, workMax: 1e7 }))
  const ask = { horizon: 30, quantiles }

  test('a prepared forecast is the one that is not, its points in one memory', () => {
    const automatic = doneValue(parseSpec({ family: 'automatic', members: ['drift', 'ets'] }))
    const model = doneValue(fitModel({ y: falling }, automatic, { seed: 1, workMax: 1e7 }))
    expect(Math.min(...doneValue(forecastModel(model, ask)).point)).toBeLessThan(0)
    const prepared = prepareForecast(model, { horizon: 30, bounds })
    const whole = doneValue(prepared.at(quantiles))
    expect(whole).toEqual(doneValue(forecastModel(model, { ...ask, bounds })))
    expect(Math.min(...whole.point, ...whole.quantiles)).toBe(0)
    const short = doneValue(prepared.at(Float64Array.of(0.5), 3))
    expect(short.point).toEqual(whole.point.slice(0, 3))
    expect(short.point.buffer).toBe(whole.point.buffer)
  })

  test('news are compared with what was given out', () => {
    const news = new Float64Array(30)
    expect(scoreNews(model, news)?.absolute).toBeGreaterThan(100)
    expect(scoreNews(model, news, bounds)?.absolute).toBeLessThan(10)
  })

  test('a backtest judges what would have been given out', () => {
    const y = Float64Array.from([...falling, ...new Float64Array(20)])
    const trial = {
      horizon: 20,
      windows: 1,
      step: 1,
      levels: [80],
      mode: 'refit',
      season: 1,
    } as const
    const mae = (given: object) => judge({ y }, drift, { ...trial, ...given }, run).errors.mae
    expect(mae({})).toBeGreaterThan(5)
    expect(mae({ bounds })).toBeLessThan(1)
    const known = knownSeries(dataOf([described('a', [...y])]), [])
    const { verdicts } = judgeShard(known, drift, { ...trial, bounds }, run)
    expect(verdicts[0]?.errors.mae).toBe(mae({ bounds }))
  })
})

describe('a shard of many series', () => {
  const fit = (y: readonly (number | null)[], given: object) => {
    const { content, codes } = fitShard(dataOf([described('a', y)]), naive, { ...run, ...given })
    return { shard: shardOf(content), codes }
  }
  const codeOf = (shard: ReturnType<typeof shardOf>) => shard.columns.get('code')?.[0]

  test('tells of data outside the bounds, and has the model that was asked for all the same', () => {
    const { shard, codes } = fit([3, -1, 4], { bounds })
    expect(codes).toEqual({ 'out-of-bounds': 1 })
    expect(shard.columns.get('detail')?.[0]).toContain('Observation 1 is -1')
    expect(shard.payloadAt(0)).toEqual(fit([3, -1, 4], {}).shard.payloadAt(0))
    expect(fit([3, 0, 4], { bounds }).codes).toEqual({ ok: 1 })
    expect(fit([3, -1, 4], {}).codes).toEqual({ ok: 1 })
    expect(fit([null], { bounds }).codes).not.toHaveProperty('out-of-bounds')
  })

  test('adds news outside the bounds, and tells of them until others come', () => {
    const base = fittedOf([described('a', [3, 1, 4])], naive)
    const update = (of: typeof base, y: readonly number[]) =>
      shardOf(updateShard(of, dataOf([described('a', y)]), naive, { ...run, bounds }).content)
    const outside = update(base, [2, -6])
    expect(codeOf(outside)).toBe('out-of-bounds')
    const model = doneValue(decodeModel(outside.payloadAt(0)))
    const next = { horizon: 1, quantiles: new Float64Array(0) }
    expect(doneValue(forecastModel(model, next)).point[0]).toBe(-6)
    expect(outside.columns.get('steps')?.[0]).toBe(5)
    const inside = update(outside, [7])
    expect([codeOf(inside), inside.columns.get('fitCode') ?? '']).toEqual(['ok', ''])
    expect(codeOf(update(fit([-3, 1], { bounds }).shard, [7]))).toBe('out-of-bounds')
  })

  test('measures what came by what was given out', () => {
    const base = shardOf(fitShard(dataOf([described('a', [...falling])]), drift, run).content)
    const news = dataOf([
      described(
        'a',
        Array.from({ length: 30 }, () => 0),
      ),
    ])
    const scaled = (given: object) =>
      updateShard(base, news, drift, { ...run, ...given }).live.scaled
    expect(scaled({ bounds })).toBeLessThan(scaled({}) / 10)
  })
})
