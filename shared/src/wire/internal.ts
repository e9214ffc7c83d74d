import { type Static, Type } from 'typebox'
import { namePattern } from './keys.ts'

/**
 * What brokers and nodes say to each other over HTTP. Every request carries the headers below; a
 * node that is not the instance, or not of the cluster, that the broker means answers 421.
 *
 * - `GET  /internal/v1/forecast/{tenant}/{model}/{version}/{horizon}?level=80,95&timestamps=true`
 *   200: the public body, forwarded as it is. 409 `not-loaded`: a `NotLoaded` body. With
 *   `&load=true` the node loads a stored version on demand before it answers.
 * - `POST /internal/v1/fits` with a `FitOrder`: 202 accepted or already at work, 429 when full.
 */
export const protocolVersion = 1

export const headers = {
  cluster: 'x-almanac-cluster',
  instance: 'x-almanac-instance',
  requestId: 'x-request-id',
  modelVersion: 'x-model-version',
} as const

export const forecastPath = (
  tenant: string,
  model: string,
  version: number,
  horizon: number,
  query: string,
) => `/internal/v1/forecast/${tenant}/${model}/${version}/${horizon}${query ? `?${query}` : ''}`

export const fitsPath = '/internal/v1/fits'

export const FitOrder = Type.Object({
  job: Type.String({ minLength: 1, maxLength: 64 }),
  /** Whether it is a job of shards: the node takes one after the other, with all its threads. */
  shards: Type.Optional(Type.Boolean()),
})
export type FitOrder = Static<typeof FitOrder>

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
