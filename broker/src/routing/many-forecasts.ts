import {
  headers as names,
  nextOf,
  type ShardIndex,
  shardForecastsPath,
  shardOf,
  shardsWith,
} from '@almanac/shared'
import type { AskShard, ShardAsk, ShardCourse } from './ask-shard.ts'
import { shardText } from './shard-indexes.ts'
import { type Errand, withLoad } from './try-nodes.ts'

/** Forecasts of many series of one version, checked. */
export type ManyAsk = {
  readonly tenant: string
  readonly model: string
  readonly horizon: number
  /** What is asked of each series, in canonical text. */
  readonly query: string
  /** What is asked of the first part only, which is then asked for even if it has no series. */
  readonly firstQuery: string
  readonly prefix: string
  /** Only what comes after this key. */
  readonly after: string | null
  /** At most so many series; null: all of them. */
  readonly limit: number | null
}

type Course = Pick<ShardCourse, 'requestId' | 'signal'> & {
  /** How long nodes are asked for the first part, and for each that follows. */
  readonly firstMs: number
  readonly laterMs: number
}

/**
 * All parts in the order of keys, shard after shard; while one is used the next one
 * is asked for. A version does not change, so whichever node answers goes on after the last key.
 * Throws `Refused` where no node goes on in time.
 */
export async function* forecastParts(
  askShard: AskShard,
  { version, index }: { readonly version: number; readonly index: ShardIndex },
  ask: ManyAsk,
  { requestId, signal, firstMs, laterMs }: Course,
): AsyncGenerator<Part> {
  const { from, to } = shardsWith(index, ask.prefix)
  const begin = ask.after === null ? from : Math.max(from, shardOf(index, ask.after))
  if (begin >= to && ask.firstQuery === '') return
  const shard = Math.min(begin, to - 1)
  const first: Place = { shard, after: ask.after, left: ask.limit }
  const fetch = (place: Place, patienceMs: number) => {
    const text = shardText(ask, index, place.shard)
    const part = {
      ...ask,
      version,
      shard: place.shard,
      query: queryOf(ask, place, place === first),
    }
    const asked = askShard(partErrand, part, { text, requestId, signal, patienceMs })
    // Who takes the parts is told when it is this one's turn.
    asked.catch(() => {})
    return asked
  }
  let place = first
  let ahead = fetch(place, firstMs)
  for (;;) {
    const part = await ahead
    const next = placeAfter(place, part, to)
    if (next) ahead = fetch(next, laterMs)
    yield part
    if (next === undefined) return
    place = next
  }
}

/** Where the next part begins, and how many series are still wanted. */
type Place = { readonly shard: number; readonly after: string | null; readonly left: number | null }

export type Part = {
  readonly body: Buffer
  /** Series in it. */
  readonly count: number
  /** The last of them; null at the end of the shard. */
  readonly after: string | null
}

function placeAfter({ shard, left }: Place, part: Part, to: number): Place | undefined {
  const rest = left === null ? null : left - part.count
  if (rest === 0) return undefined
  if (part.after !== null) return { shard, after: part.after, left: rest }
  return shard + 1 < to ? { shard: shard + 1, after: null, left: rest } : undefined
}

function queryOf(
  { query, firstQuery, prefix }: ManyAsk,
  { after, left }: Place,
  isFirst: boolean,
): string {
  return [
    query,
    isFirst ? firstQuery : '',
    prefix === '' ? '' : `prefix=${encodeURIComponent(prefix)}`,
    after === null ? '' : `after=${encodeURIComponent(after)}`,
    left === null ? '' : `limit=${left}`,
  ]
    .filter(Boolean)
    .join('&')
}

type PartAsk = ShardAsk & { readonly horizon: number; readonly query: string }

/** A part that does not say how to go on would leave something out, and nobody would notice. */
const partErrand: Errand<PartAsk, Part> = {
  path: (ask, _version, load) =>
    shardForecastsPath(ask, ask.horizon, load ? withLoad(ask.query) : ask.query),
  read: (_ask, _version, { headers, body }) => {
    const next = nextOf(headers[names.next])
    const count = Number(headers[names.count])
    const isWhole = Number.isInteger(count) && (count > 0 || next?.after === null)
    return next && isWhole ? { body, count, after: next.after } : undefined
  },
  isLong: true,
}
