import { checkWithin } from '@almanac/engine'
import { encodeDataset, limits, type ModelName, Refused, shardOf } from '@almanac/shared'
import { readIndex } from '../routing/read-index.ts'
import type { ShardIndexes } from '../routing/shard-indexes.ts'
import type { FitRequest } from './allocate.ts'
import type { Base } from './base.ts'
import { continueAfter } from './continue.ts'
import type { ManyNews, News, OneNews } from './news.ts'
import type { DataShard, FitData } from './store-data.ts'

export type DataAfterParts = {
  readonly indexes: Pick<ShardIndexes, 'read'>
  /** See `cutNews`. */
  readonly cutNews: (bytes: Uint8Array, firsts: readonly string[]) => Promise<readonly DataShard[]>
}

/** What a version after a base is made of, and the calendar that it then has. */
export type DataAfter = Pick<FitRequest, 'calendar'> & { readonly data: FitData }

/**
 * Joins new observations to a base. Throws `Refused` where they are not of its kind, or cannot come
 * after it; of many series each has its own say about that, later. Rejects with `Unavailable`.
 */
export async function dataAfter(
  parts: DataAfterParts,
  of: ModelName,
  { record }: Base,
  news: News,
): Promise<DataAfter> {
  if (record.series !== undefined) {
    if (news.kind === 'one') throw noKey(of, news.keyField)
    return { data: await shardsAfter(parts, of, record, news) }
  }
  if (news.kind === 'many') throw noKeys(of, news)
  mustLieWithin(record, news)
  const { y, calendar } = continueAfter(record, news)
  const series = { key: null, start: null, frequency: null, y: [...y] }
  const dataset = Uint8Array.from(encodeDataset({ format: 1, series: [series] }))
  return { data: { kind: 'one', dataset, observations: y.length }, calendar }
}

/** An observation that nobody could have foreseen is more likely wrong than the bound is. */
function mustLieWithin({ version, bounds }: Base['record'], { y, field }: OneNews): void {
  const outside = bounds && checkWithin(y, bounds)
  if (outside === undefined) return
  const detail = `${outside.detail} The bounds are those of version ${version}.`
  throw new Refused(422, outside.code, detail, {
    field: outside.field?.replace('/y', field) ?? field,
    remedy: 'Mend it, write null where it is missing, or fit the model again without this bound.',
  })
}

async function shardsAfter(
  { indexes, cutNews }: DataAfterParts,
  of: ModelName,
  record: Base['record'],
  { bytes, observations }: ManyNews,
): Promise<FitData> {
  const index = await readIndex(indexes, of, record)
  const shards = await cutNews(
    bytes,
    index.shards.map(({ first }) => first),
  )
  for (const { first, series } of shards) {
    const known = index.shards[shardOf(index, first)]!.series
    if (series > known + limits.shardSeriesMax) throw tooManyNew(first, series, known)
  }
  return { kind: 'many', series: record.series!, observations, shards }
}

function noKey({ model }: ModelName, field: string): Refused {
  const detail = `${model} has many series, and nobody said which of them these are of.`
  const remedy = 'Write them like {"series": [{"key": "store=3,product=17", "y": [15.2]}]}.'
  return new Refused(422, 'key', detail, { field, remedy })
}

function noKeys({ model }: ModelName, { series }: ManyNews): Refused {
  const detail = `${model} has one series, which has no key.`
  return series === 1
    ? new Refused(400, 'unknown-field', detail, { field: '/series/0/key' })
    : new Refused(400, 'series', detail, { field: '/series' })
}

/** An update cuts no shard in two. */
function tooManyNew(first: string, series: number, known: number): Refused {
  const from = JSON.stringify(first.slice(0, 100))
  const detail = `From ${from} on there are ${series} series where ${known} are known, which is too many new ones in one place.`
  return new Refused(422, 'too-many-new', detail, {
    field: '/series',
    remedy: 'Fit the model again with all of its data.',
  })
}
