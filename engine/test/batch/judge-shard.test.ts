import { expect, test } from 'vitest'
import {
  decodeShard,
  encodeShard,
  encodeShardData,
  fitShard,
  judge,
  judgeShard,
  type KeyedDescription,
  knownSeries,
  parseSpec,
  seedOfKey,
  type Trial,
  updateShard,
} from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'

const trial: Trial = {
  ...{ horizon: 2, windows: 2, step: 2, levels: [80], mode: 'refit', season: null },
}
const spec = doneValue(parseSpec({ family: 'baseline', method: 'naive' }))
const run = { seed: 7, workMax: 1e9 }

type Given = Partial<KeyedDescription> & Pick<KeyedDescription, 'key' | 'y'>
const shardOf = (series: readonly Given[]) => {
  const all = series.map((one) => ({ start: null, frequency: null, ...one }))
  return doneValue(decodeShard(encodeShardData(all)))
}
const wave = (length: number) => Array.from({ length }, (_, t) => 10 + Math.sin(t * t))

test('each series is judged by itself, seeded by its key; what is wrong with one is its code', () => {
  const data = shardOf([
    { key: 'a', y: wave(30) },
    { key: 'b', y: [1, 2] },
    { key: 'c', y: [null, null] },
    { key: 'd', y: wave(40) },
  ])
  const { verdicts, codes, isStopped, steps } = judgeShard(knownSeries(data, []), spec, trial, run)
  expect(isStopped).toBe(false)
  expect(codes).toEqual({ ok: 2, 'too-short': 2 })
  expect(verdicts.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd'])
  const y = Float64Array.from(wave(40))
  const alone = judge({ y }, spec, trial, { ...run, seed: seedOfKey(7, 'd') })
  expect(verdicts[3]).toMatchObject({ errors: alone.errors, count: alone.count })
  expect(steps.map(({ count }) => count)).toEqual([4, 4])
})

test('a series that is passed over has the reason as its code, and no errors', () => {
  const data = knownSeries(
    shardOf([
      { key: 'a', y: wave(30) },
      { key: 'b', y: wave(30) },
    ]),
    [],
  )
  const passedOver = new Map([[1, 'ends-threads']])
  const { verdicts, codes } = judgeShard(data, spec, trial, { ...run, passedOver })
  expect(codes).toEqual({ ok: 1, 'ends-threads': 1 })
  expect(verdicts[1]).toMatchObject({ code: 'ends-threads', windows: 0, count: 0 })
})

test('one that is told to stop is not whole', () => {
  const data = knownSeries(
    shardOf([
      { key: 'a', y: wave(30) },
      { key: 'b', y: wave(30) },
    ]),
    [],
  )
  let asked = 0
  const told = judgeShard(data, spec, trial, { ...run, shouldStop: () => ++asked > 1 })
  expect(told.isStopped).toBe(true)
})

test('what a version knows after its updates is what its models have seen', () => {
  const day = { start: '2026-01-01', frequency: 'daily' as const }
  const base = shardOf([
    { key: 'a', y: [1, 2, 3], ...day },
    { key: 'b', y: [1, 2, 3], ...day },
    { key: 'c', y: [null, null], ...day },
    { key: 'd', y: [5] },
    { key: 'e', y: [null], ...day },
  ])
  const first = shardOf([
    { key: 'a', y: [6], start: '2026-01-06' },
    { key: 'b', y: [9], start: '2026-01-02' },
    { key: 'c', y: [7], start: '2026-03-01' },
    { key: 'd', y: [6] },
    { key: 'dd', y: [1, 2], ...day },
    { key: 'e', y: [4] },
  ])
  const second = shardOf([
    { key: 'a', y: [7] },
    { key: 'b', y: [4], start: '2026-01-04', frequency: 'daily' },
    { key: 'd', y: [1], start: '2026-01-04' },
  ])
  const known = knownSeries(base, [first, second])
  const gap = Number.NaN
  expect(known.map(({ key, start, y }) => [key, start, ...y])).toEqual([
    ['a', '2026-01-01', 1, 2, 3, gap, gap, 6, 7],
    // Known already, and then not.
    ['b', '2026-01-01', 1, 2, 3, 4],
    // Nothing was known: its first news begin it.
    ['c', '2026-03-01', 7],
    // Nobody said when it began.
    ['d', '', 5, 6],
    ['dd', '2026-01-01', 1, 2],
    ['e', '2026-01-01', gap, 4],
  ])
  let models = doneValue(decodeShard(encodeShard(fitShard(base, spec, run).content)))
  for (const news of [first, second])
    models = doneValue(decodeShard(encodeShard(updateShard(models, news, spec, run).content)))
  expect(Array.from(models.columns.get('steps') as Int32Array)).toEqual(
    known.map(({ y }) => y.length),
  )
})

test('what is known of a series is known in its zone', () => {
  const about = { start: '2024-03-30', frequency: 'daily', timezone: 'Europe/Berlin' }
  const data = shardOf([{ key: 'a', ...about, y: [1, 2] }])
  const news = shardOf([{ key: 'a', start: '2024-04-02', y: [5] }])
  const [known] = knownSeries(data, [news])
  expect(known).toEqual({ key: 'a', ...about, y: Float64Array.of(1, 2, Number.NaN, 5) })
  const wrong = shardOf([{ key: 'a', start: '2024-04-01T00:00Z', y: [5] }])
  expect(knownSeries(data, [wrong])[0]!.y).toEqual(Float64Array.of(1, 2))
})
