import { encodeShardData } from '@almanac/engine'
import { limits } from '@almanac/shared'
import type { News } from '../jobs/news.ts'
import { readKeyed } from './many-series-body.ts'
import { type BodyFault, fault, isObject, readObject, readSeries } from './series-body.ts'

/** New observations of a model, checked as far as they can be without it. */
export type ObservationsBody = {
  readonly kind: 'observations'
  readonly news: News
  /** The version to go on from; null: the newest. */
  readonly base: number | null
}

const bodyFields = ['data', 'series', 'base']
const seriesFields = ['start', 'y']
/** A series that is new may say how often it is observed, and where. */
const keyedFields = ['key', 'start', 'frequency', 'timezone', 'y']

/** Reads the bytes of the body. Never throws; the first fault is told. Pure. */
export function readObservationsBody(bytes: Uint8Array): ObservationsBody | BodyFault {
  const body = readObject(bytes, bodyFields)
  if (body.kind === 'fault') return body
  const { base = null, series, data } = body.value
  if (base !== null && !(Number.isSafeInteger(base) && (base as number) >= 1))
    return fault('invalid', 'base must be the number of a version.', {
      field: '/base',
      remedy: 'Leave it out to go on from the newest one.',
    })
  const news = data === undefined && isKeyed(series) ? readMany(series) : readOne(body.value)
  if (news.kind === 'fault') return news
  return { kind: 'observations', news, base: base as number | null }
}

function isKeyed(series: unknown): series is readonly unknown[] {
  if (!Array.isArray(series)) return false
  const [one] = series
  return series.length > 1 || (isObject(one) && (one.key ?? null) !== null)
}

function readOne(body: Readonly<Record<string, unknown>>): News | BodyFault {
  const series = readSeries(body, seriesFields)
  if ('kind' in series) return series
  const { y, start, field } = series
  const keyField = field === '/data' ? field : '/series/0/key'
  return tooMany(y.length, field) ?? { kind: 'one', y, start, field, keyField }
}

function readMany(given: readonly unknown[]): News | BodyFault {
  const read = readKeyed(given, keyedFields, ({ y, field }) => tooMany(y.length, field))
  if (read.kind === 'fault') return read
  const { all, observations } = read
  const bytes = new Uint8Array(encodeShardData(all))
  return { kind: 'many', series: all.length, observations, bytes }
}

function tooMany(count: number, field: string): BodyFault | undefined {
  const { newObservationsMax: most } = limits
  if (count <= most) return undefined
  return fault('too-many', `There are ${count} new observations, more than ${most}.`, {
    field,
    remedy: 'Send them in several calls, or fit the model again with all of its data.',
  })
}
