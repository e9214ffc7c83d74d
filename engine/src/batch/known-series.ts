import { compareKeys, type Shard } from '../codec/shard.ts'
import type { Series } from '../family.ts'
import { describedSeries } from '../series/described.ts'
import { observedIn } from './shard-rows.ts'
import { afterMissing, gapOf, newsAt } from './update-shard.ts'

/** All that is known of a series; words of its calendar are empty where nobody said. */
export type KnownSeries = {
  readonly key: string
  readonly start: string
  readonly frequency: string
  readonly timezone: string
  readonly y: Float64Array
}

/**
 * The series of a shard of data after shards of news, in the order of their keys: what a version
 * knows that was fitted to the first and updated by the others. News that an update leaves out by
 * their dates are left out here, too (`updateShard`).
 */
export function knownSeries(base: Shard, news: readonly Shard[]): readonly KnownSeries[] {
  const known = new Map<string, KnownSeries>()
  for (const shard of [base, ...news])
    for (let place = 0; place < shard.count; place++) {
      const key = shard.keyAt(place)
      const more = newsAt(shard, place)
      const before = known.get(key)
      known.set(key, before === undefined ? { key, ...more } : after(before, more))
    }
  return [...known.values()].sort((a, b) => compareKeys(a.key, b.key))
}

/** As models take it. */
export function seriesOf({ key, start, frequency, timezone, y }: KnownSeries): Series {
  const words = {
    ...{ start: start || null, frequency: frequency || null, timezone: timezone || null },
  }
  return { ...describedSeries({ y: [], ...words }), y, key }
}

function after(known: KnownSeries, news: Omit<KnownSeries, 'key'>): KnownSeries {
  const { key, start, y } = known
  // Without a single value there was no model, and its first news were fitted anew.
  if (observedIn(y) === 0) {
    const frequency = known.frequency || news.frequency
    const timezone = known.timezone || news.timezone
    if (news.start !== '' || start === '') return { ...news, key, frequency, timezone }
    return { key, start, frequency, timezone, y: joined(y, news.y) }
  }
  const gap = gapOf({ ...known, steps: y.length }, news)
  if (gap.kind === 'refused') return known
  return { ...known, y: joined(y, afterMissing(gap.value, news.y)) }
}

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}
