import { type AnyModel, decodeModel, type Shard } from '@almanac/engine'
import { Refused, type SeriesEntry } from '@almanac/shared'
import type { ShardSlice } from './question.ts'
import type { Calendar } from './timestamps.ts'

/** One series of a shard, ready for forecasts. */
export type SeriesModel = { readonly model: AnyModel; readonly calendar: Calendar | undefined }

/** What a shard says of the series at a place. */
export function entryAt(shard: Shard, place: number): SeriesEntry {
  return {
    key: shard.keyAt(place),
    family: wordAt(shard, 'family', place),
    code: wordAt(shard, 'code', place),
    detail: wordAt(shard, 'detail', place),
    steps: countAt(shard, 'steps', place),
    observed: countAt(shard, 'observed', place),
    mase: numberAt(shard, 'mase', place),
    liveMae: numberAt(shard, 'live-mae', place),
    liveMase: numberAt(shard, 'live-mase', place),
  }
}

/**
 * Throws a 422 with the reason where a series has no model, and a 500 where its bytes are not one.
 */
export function modelAt(shard: Shard, place: number): SeriesModel {
  const payload = shard.payloadAt(place)
  if (payload.length === 0) {
    const { code, detail } = entryAt(shard, place)
    throw new Refused(422, code || 'no-model', detail || 'This series has no model.')
  }
  const decoded = decodeModel(payload)
  if (decoded.kind === 'refused') {
    const { code, detail } = decoded.reason
    throw new Refused(500, 'unloadable', `The model of this series: ${code}: ${detail}`)
  }
  const start = wordAt(shard, 'start', place)
  const frequency = wordAt(shard, 'frequency', place)
  const timezone = wordAt(shard, 'timezone', place) || 'UTC'
  const steps = countAt(shard, 'steps', place)
  const calendar = { start, frequency, timezone, steps }
  return { model: decoded.value, calendar: start === '' ? undefined : calendar }
}

/** The places that a slice asks for: from the first to before the last. */
export function placesOf(shard: Shard, { prefix, after }: Omit<ShardSlice, 'limit'>) {
  const range = shard.rangeOf(prefix)
  if (after === null) return range
  const { from } = shard.rangeOf(after)
  const next = from < shard.count && shard.keyAt(from) === after ? from + 1 : from
  return { from: Math.min(range.to, Math.max(range.from, next)), to: range.to }
}

function wordAt({ columns }: Shard, name: string, place: number): string {
  const value = columns.get(name)?.[place]
  return typeof value === 'string' ? value : ''
}

function numberAt({ columns }: Shard, name: string, place: number): number | null {
  const value = columns.get(name)?.[place]
  return typeof value === 'number' && !Number.isNaN(value) ? value : null
}

function countAt({ columns }: Shard, name: string, place: number): number {
  const value = columns.get(name)?.[place]
  return typeof value === 'number' ? value : 0
}
