import type { Shard } from '@almanac/engine'
import {
  limits,
  type ModelName,
  headers as names,
  nextText,
  Refused,
  type SeriesEntry,
  type SeriesPage,
  type ShardRef,
} from '@almanac/shared'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { bounds } from '../config/bounds.ts'
import type { LoadedVersion } from '../serving/load-version.ts'
import type { AskedShard, ManyAnswers } from '../serving/many-answers.ts'
import { readLoad, readShardQuestion, readSlice, type ShardSlice } from '../serving/question.ts'
import { entryAt, placesOf } from '../serving/shard-series.ts'
import type { Shards } from '../serving/shards.ts'
import {
  type AskedVersion,
  type FindParts,
  findVersion,
  json,
  notLoaded,
  readNumber,
  readPlace,
} from './find-version.ts'
import { noForecast } from './forecast.ts'

export type ShardParts = FindParts & { readonly shards: Shards; readonly manyAnswers: ManyAnswers }

type ShardParams = AskedVersion & { readonly shard: string }
type Query = Record<string, unknown>

/** `GET …/forecasts/…` and `GET …/series/…`: of many series of one shard, or a 409. */
export function addShardRoutes(server: FastifyInstance, parts: ShardParts): void {
  server.get<{ Params: ShardParams & { horizon: string }; Querystring: Query }>(
    '/forecasts/:tenant/:model/:version/:shard/:horizon',
    async ({ params, query }, reply) => {
      const question = readShardQuestion(params.horizon, query)
      const found = await findShard(parts, params, question.load, reply)
      if (found === undefined) return reply
      const { body, count, after } = await parts.manyAnswers.answer(found, question)
      reply.header(names.count, String(count)).header(names.next, nextText(after))
      return reply.type(types[question.format]).send(body)
    },
  )
  server.get<{ Params: ShardParams; Querystring: Query }>(
    '/series/:tenant/:model/:version/:shard',
    async ({ params, query }, reply) => {
      const slice = readSlice(query)
      const found = await findShard(parts, params, readLoad(query), reply)
      if (found === undefined) return reply
      const code = typeof query.code === 'string' ? query.code : null
      return listed(found.shard, slice, code)
    },
  )
}

const types = {
  json: 'application/x-ndjson',
  csv: 'text/csv',
  arrow: 'application/vnd.apache.arrow.stream',
} as const

/** The shard that is asked for; undefined when the answer, that it is not here, has been sent. */
async function findShard(
  parts: ShardParts,
  asked: ShardParams,
  load: boolean,
  reply: FastifyReply,
): Promise<AskedShard | undefined> {
  const place = readPlace(asked)
  const shard = readNumber('shard', asked.shard, 0)
  const loaded = await findVersion(parts, place, load)
  if (loaded === undefined) {
    const { status, body } = notLoaded(parts.view, place)
    reply.code(status).type(json['content-type']).send(body)
    return undefined
  }
  reply.header(names.modelVersion, String(place.version))
  const ref = refAt(loaded, place.of, shard)
  const read = await parts.shards.load(ref, bounds.shardPatienceOfManyMs)
  return { shard: read, bounds: loaded.bounds }
}

function refAt(loaded: LoadedVersion, { model }: ModelName, shard: number): ShardRef {
  const name = `Version ${loaded.version} of ${model}`
  if (loaded.kind === 'rows') throw noForecast(loaded.version)
  if (loaded.kind === 'one')
    throw new Refused(422, 'one-series', `${name} has one series, without a key.`)
  const ref = loaded.index.shards[shard]
  if (ref) return ref
  throw new Refused(404, 'no-such-shard', `${name} has no shard ${shard}.`, { field: 'shard' })
}

/** At most a page, and not more looks than a shard has series. */
function listed(shard: Shard, slice: ShardSlice, code: string | null): SeriesPage {
  const { from, to } = placesOf(shard, slice)
  const most = Math.min(slice.limit, limits.pageItemsMax)
  const series: SeriesEntry[] = []
  let place = from
  for (; place < to && series.length < most; place++) {
    const entry = entryAt(shard, place)
    if (code === null || entry.code === code) series.push(entry)
  }
  return { series, next: place < to ? shard.keyAt(place - 1) : null }
}
