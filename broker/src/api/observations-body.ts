import { limits } from '@almanac/shared'
import { type BodyFault, fault, readObject, readSeries } from './series-body.ts'

/** New observations of a model, checked as far as they can be without it. */
export type ObservationsBody = {
  readonly kind: 'observations'
  readonly y: readonly (number | null)[]
  /** When the first of them was made, ISO 8601; null: right after those that the base knows. */
  readonly start: string | null
  /** The version to go on from; null: the newest. */
  readonly base: number | null
}

const bodyFields = ['data', 'series', 'base']
const seriesFields = ['start', 'y']

/** Reads the bytes of the body. Never throws; the first fault is told. Pure. */
export function readObservationsBody(bytes: Uint8Array): ObservationsBody | BodyFault {
  const body = readObject(bytes, bodyFields)
  if (body.kind === 'fault') return body
  const { base = null } = body.value
  if (base !== null && !(Number.isSafeInteger(base) && (base as number) >= 1))
    return fault('invalid', 'base must be the number of a version.', {
      field: '/base',
      remedy: 'Leave it out to go on from the newest one.',
    })
  const series = readSeries(body.value, seriesFields)
  if ('kind' in series) return series
  const { y, start, field } = series
  const { newObservationsMax: most } = limits
  if (y.length > most)
    return fault('too-many', `There are ${y.length} new observations, more than ${most}.`, {
      field,
      remedy: 'Send them in several calls, or fit the model again with all of its data.',
    })
  return { kind: 'observations', y, start, base: base as number | null }
}
