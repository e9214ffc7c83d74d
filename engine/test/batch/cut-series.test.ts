import { expect, test } from 'vitest'
import {
  type CutShard,
  cutSeries,
  decodeShard,
  type KnownSeries,
  knownSeries,
} from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'

const about = { start: '2026-01-01', frequency: 'daily', timezone: '' }
const seriesOf = (lengths: readonly number[]): KnownSeries[] =>
  lengths.map((length, i) => {
    const y = Float64Array.from({ length }, (_, t) => (t % 4 === 3 ? Number.NaN : i + t))
    const timezone = i % 5 === 4 ? 'Asia/Tokyo' : ''
    return { key: `k=${String(i).padStart(3, '0')}`, ...about, timezone, y }
  })

const again = ({ bytes }: CutShard) => knownSeries(doneValue(decodeShard(bytes)), [])

/** As a join cuts them: some at a time, with what is left of those before. */
function cutInTurns(
  series: readonly KnownSeries[],
  each: number,
  sizes: Parameters<typeof cutSeries>[1],
) {
  const shards: CutShard[] = []
  let rest: CutShard | null = null
  for (let from = 0; from < series.length; from += each) {
    const before: readonly KnownSeries[] = rest ? again(rest) : []
    const cut = cutSeries([...before, ...series.slice(from, from + each)], sizes)
    shards.push(...cut.full)
    rest = cut.rest
  }
  return rest ? [...shards, rest] : shards
}

test.each([1, 2, 3, 7, 40])('%i at a time are cut as all at once, to the byte', (each) => {
  const series = seriesOf(Array.from({ length: 40 }, (_, i) => (i * 7) % 23))
  const sizes = { series: 6, observations: 50 }
  const { full, rest } = cutSeries(series, sizes)
  const shards = cutInTurns(series, each, sizes)
  expect(shards).toEqual([...full, rest])
  expect(shards.flatMap(again)).toEqual(series)
  for (const shard of shards) {
    expect(shard.series).toBeLessThanOrEqual(6)
    expect(shard.observations).toBeLessThanOrEqual(50)
  }
})

test('a series that is longer than a shard has one for itself, and what is missing is counted', () => {
  const { full, rest } = cutSeries(seriesOf([3, 80, 4]), { series: 6, observations: 50 })
  expect(full.map(({ first, series }) => [first, series])).toEqual([
    ['k=000', 1],
    ['k=001', 1],
  ])
  expect(full[1]).toMatchObject({ observations: 80, missing: 20 })
  expect(rest).toMatchObject({ first: 'k=002', series: 1, observations: 4, missing: 1 })
  expect(cutSeries([], { series: 6, observations: 50 })).toEqual({ full: [], rest: null })
})
