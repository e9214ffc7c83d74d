import {
  codec,
  type ModelName,
  type SeriesEntry,
  SeriesPage,
  type ShardIndex,
  shardOf,
  shardSeriesPath,
} from '@almanac/shared'
import type { AskShard, ShardAsk } from '../routing/ask-shard.ts'
import { shardText } from '../routing/shard-indexes.ts'
import { type Errand, withLoad } from '../routing/try-nodes.ts'

export type ListAsk = ModelName & {
  readonly version: number
  readonly index: ShardIndex
  readonly limit: number
  /** The last key of the page before. */
  readonly cursor: string | null
  /** Only those with this result. */
  readonly code: string | null
}

type Course = {
  readonly requestId: string
  readonly signal: AbortSignal
  readonly patienceMs: number
}

/** One page of a version's series in the order of their keys, from as many shards as it takes. */
export async function listSeries(
  askShard: AskShard,
  { tenant, model, version, index, limit, cursor, code }: ListAsk,
  course: Course,
): Promise<SeriesPage> {
  const series: SeriesEntry[] = []
  let after = cursor
  let shard = nextShard(index, cursor === null ? 0 : shardOf(index, cursor), code)
  while (shard !== undefined && series.length < limit) {
    const query = queryOf({ limit: limit - series.length, after, code })
    const text = shardText({ tenant, model }, index, shard)
    const ask = { tenant, model, version, shard, query }
    const page = await askShard(listErrand, ask, { ...course, text })
    series.push(...page.series)
    after = page.next
    if (page.next === null) shard = nextShard(index, shard + 1, code)
  }
  return { series, next: shard === undefined ? null : (series.at(-1)?.key ?? null) }
}

/** The first shard from a place on that has series of this code, as far as the index tells. */
function nextShard({ shards }: ShardIndex, from: number, code: string | null): number | undefined {
  const found = shards.findIndex(
    ({ codes }, place) =>
      place >= from && (code === null || codes === undefined || (codes[code] ?? 0) > 0),
  )
  return found < 0 ? undefined : found
}

function queryOf(asked: Pick<ListAsk, 'limit' | 'code'> & { readonly after: string | null }) {
  const { limit, after, code } = asked
  const parts = [`limit=${limit}`]
  if (after !== null) parts.push(`after=${encodeURIComponent(after)}`)
  if (code !== null) parts.push(`code=${encodeURIComponent(code)}`)
  return parts.join('&')
}

const pages = codec(SeriesPage)

const listErrand: Errand<ShardAsk & { readonly query: string }, SeriesPage> = {
  path: (ask, _version, load) => shardSeriesPath(ask, load ? withLoad(ask.query) : ask.query),
  read: (_ask, _version, { body }) => {
    const page = pages.decode(body.toString('utf8'))
    return page.ok ? page.value : undefined
  },
  isLong: true,
}
