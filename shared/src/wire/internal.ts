import { type Static, Type } from 'typebox'
import { type ModelName, namePattern } from './keys.ts'

/**
 * What brokers and nodes say to each other over HTTP. Every request carries the headers below; a
 * node that is not the instance, or not of the cluster, that the broker means answers 421.
 *
 * - `GET  /internal/v1/forecast/{tenant}/{model}/{version}/{horizon}?level=80,95&timestamps=true`
 *   200: the public body, forwarded as it is. 409 `not-loaded`: a `NotLoaded` body. With
 *   `&load=true` the node loads a stored version on demand before it answers. A version of many
 *   series answers for `&series={key}`, one of them.
 * - `GET  /internal/v1/forecasts/{tenant}/{model}/{version}/{shard}/{horizon}?prefix=&after=`
 *   Forecasts of one shard's series in the order of keys, in the words of the public answer, as
 *   many as one answer holds; its headers say how many, and whether there are more: see `nextOf`.
 *   With `format=csv` rows without their first one; with `format=arrow` record batches of an IPC
 *   stream without its schema, which `head=true` puts before them.
 * - `GET  /internal/v1/series/{tenant}/{model}/{version}/{shard}?after=&limit=&code=`
 *   What is known of one shard's series: a `SeriesPage`.
 * - `POST /internal/v1/looks` with a `LookOrder`: the public body of what a file's beginning says,
 *   or a problem: 404 `no-such-file`, 422 `not-a-table`, 429 when too many are under way.
 * - `POST /internal/v1/predictions/{tenant}/{model}/{version}` with a `PredictOrder`: a `PredictReply`,
 *   or a 409 and `load=true` as of a forecast.
 * - `POST /internal/v1/fits` with a `FitOrder`: 202 accepted or already at work, 429 when full.
 */
export const protocolVersion = 1

export const headers = {
  cluster: 'x-almanac-cluster',
  instance: 'x-almanac-instance',
  requestId: 'x-request-id',
  modelVersion: 'x-model-version',
  /** How many series an answer has. */
  count: 'x-almanac-count',
  /** Where to go on after an answer of many series. */
  next: 'x-almanac-next',
} as const

export const forecastPath = (
  tenant: string,
  model: string,
  version: number,
  horizon: number,
  query: string,
) => `/internal/v1/forecast/${tenant}/${model}/${version}/${horizon}${query ? `?${query}` : ''}`

/** Where a shard is: the place in the version's index. */
export type ShardPlace = ModelName & { readonly version: number; readonly shard: number }

export const shardForecastsPath = (of: ShardPlace, horizon: number, query: string) =>
  `/internal/v1/forecasts/${placePath(of)}/${horizon}?${query}`

export const shardSeriesPath = (of: ShardPlace, query: string) =>
  `/internal/v1/series/${placePath(of)}?${query}`

const placePath = ({ tenant, model, version, shard }: ShardPlace) =>
  `${tenant}/${model}/${version}/${shard}`

/** The value of the header `next`: the key to go on after, or null at the shard's end. */
export const nextText = (after: string | null) =>
  after === null ? 'end' : `after=${encodeURIComponent(after)}`

/** Undefined where it is neither: then nobody knows what the answer lacks. */
export function nextOf(text: unknown): { readonly after: string | null } | undefined {
  if (text === 'end') return { after: null }
  if (typeof text !== 'string' || !text.startsWith('after=')) return undefined
  try {
    return { after: decodeURIComponent(text.slice('after='.length)) }
  } catch {
    return undefined
  }
}

/** What a shard says of one of its series: see the engine's `fitShard`. */
export const SeriesEntry = Type.Object({
  key: Type.String(),
  family: Type.String({ description: 'Of its model; empty where it has none.' }),
  code: Type.String({ description: 'ok, or why it has not the model that was asked for.' }),
  detail: Type.String(),
  steps: Type.Integer({ description: 'From its first observation to its last one.' }),
  observed: Type.Integer({ description: 'Steps with an observation.' }),
  /** Absent in the answers of older nodes. */
  mase: Type.Optional(
    Type.Union([Type.Number(), Type.Null()], {
      description: 'Mean absolute scaled error of its one-step fits, when it was fitted.',
    }),
  ),
  /** The same, and of `liveMase`. */
  liveMae: Type.Optional(
    Type.Union([Type.Number(), Type.Null()], {
      description: 'Mean absolute error of what was foreseen of its newest observations.',
    }),
  ),
  liveMase: Type.Optional(
    Type.Union([Type.Number(), Type.Null()], {
      description: 'The same by the scale of the series; null where its data never changed.',
    }),
  ),
})
export type SeriesEntry = Static<typeof SeriesEntry>

/** Some series of a shard; `next` is null where the shard has no more of them. */
export const SeriesPage = Type.Object({
  series: Type.Array(SeriesEntry),
  next: Type.Union([Type.String(), Type.Null()]),
})
export type SeriesPage = Static<typeof SeriesPage>

export const fitsPath = '/internal/v1/fits'

export const FitOrder = Type.Object({
  job: Type.String({ minLength: 1, maxLength: 64 }),
  /** Whether it is a job of shards: the node takes one after the other, with all its threads. */
  shards: Type.Optional(Type.Boolean()),
})
export type FitOrder = Static<typeof FitOrder>

export const looksPath = '/internal/v1/looks'

export const LookOrder = Type.Object({
  file: Type.String({ minLength: 1, maxLength: 300 }),
  /** How it is written, as a recipe says it; absent: to be guessed. */
  source: Type.Optional(Type.Unknown()),
})
export type LookOrder = Static<typeof LookOrder>

/** Why a node does not have a version, with its own view of the model for a broker behind it. */
export const NotLoaded = Type.Object({
  type: Type.Literal('not-loaded'),
  tenant: Type.String({ pattern: namePattern }),
  model: Type.String({ pattern: namePattern }),
  version: Type.Integer(),
  /** The text of `/models/{tenant}/{model}` as this node last saw it; null: it saw none. */
  record: Type.Union([Type.String(), Type.Null()]),
  modRevision: Type.Integer(),
})
export type NotLoaded = Static<typeof NotLoaded>
