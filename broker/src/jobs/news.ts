import { decodeShard, encodeShard, type Shard } from '@almanac/engine'
import { assert } from '@almanac/shared'
import type { DataShard } from './store-data.ts'

/** New observations, checked as far as they can be without what they are added to. */
export type News = OneNews | ManyNews

export type OneNews = {
  readonly kind: 'one'
  readonly y: readonly (number | null)[]
  /** When the first of them was made, ISO 8601; null: right after those that the base knows. */
  readonly start: string | null
  /** Where the observations stand in the body. */
  readonly field: string
  /** Where a key would stand. */
  readonly keyField: string
}

export type ManyNews = {
  readonly kind: 'many'
  readonly series: number
  readonly observations: number
  /** All of them as one shard of data. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Cut where the shards of a base begin: of each shard the part that is in it, if there is any. */
export function cutNews(bytes: Uint8Array, firsts: readonly string[]): readonly DataShard[] {
  const decoded = decodeShard(bytes)
  assert(decoded.kind !== 'refused', 'news are a shard of data')
  const news = decoded.value
  const beginnings = [0, ...firsts.slice(1).map((first) => news.rangeOf(first).from)]
  return beginnings.flatMap((from, shard) => {
    const to = beginnings[shard + 1] ?? news.count
    return from === to ? [] : [part(news, from, to)]
  })
}

function part(news: Shard, from: number, to: number): DataShard {
  const places = Array.from({ length: to - from }, (_, i) => from + i)
  const columns = [...news.columns].map(([name, column]) => [name, column.slice(from, to)])
  const content = {
    keys: places.map(news.keyAt),
    columns: Object.fromEntries(columns),
    payloads: places.map(news.payloadAt),
  }
  const bytes = new Uint8Array(encodeShard(content))
  return { first: news.keyAt(from), series: to - from, bytes }
}
