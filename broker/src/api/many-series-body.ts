import { compareKeys, encodeShardData, type KeyedDescription } from '@almanac/engine'
import { limits, seriesKeyCharactersMax } from '@almanac/shared'
import type { DataShard, ManySeries } from '../jobs/store-data.ts'
import { type BodyFault, fault, isObject, readDescribed, type SeriesBody } from './series-body.ts'

/**
 * The series of a body that has several, told apart by their keys, cut into shards. What cannot be
 * fitted is no fault here: it is told of its series, in the version.
 */
export function readManySeries(
  given: readonly unknown[],
  fields: readonly string[],
): ManySeries | BodyFault {
  const read = readKeyed(given, fields, () => undefined)
  if (read.kind === 'fault') return read
  const { all, observations } = read
  return { kind: 'many', series: all.length, observations, shards: cut(all) }
}

type Keyed = {
  readonly kind: 'keyed'
  /** In the order of their keys. */
  readonly all: readonly KeyedDescription[]
  readonly observations: number
}

/** Several series, each with a key of its own; `wrong` says what else is wrong with one. */
export function readKeyed(
  given: readonly unknown[],
  fields: readonly string[],
  wrong: (series: SeriesBody) => BodyFault | undefined,
): Keyed | BodyFault {
  const all: KeyedDescription[] = []
  const places = new Map<string, number>()
  let observations = 0
  for (const [place, one] of given.entries()) {
    const field = `/series/${place}`
    if (!isObject(one)) return fault('series', 'A series must be an object.', { field })
    const series = readDescribed(one, fields, place, seriesKeyCharactersMax)
    if ('kind' in series) return series
    const { key, start, frequency, timezone, y } = series
    const found = wrongKey(key, place, places) ?? wrong(series)
    if (found) return found
    observations += y.length
    if (observations > limits.observationsMax)
      return fault('too-many', `There are more than ${limits.observationsMax} observations.`, {
        field: `${field}/y`,
        remedy: 'Send fewer at once.',
      })
    all.push({ key: key as string, start, frequency, timezone, y: [...y] })
  }
  all.sort((a, b) => compareKeys(a.key, b.key))
  return { kind: 'keyed', all, observations }
}

function wrongKey(
  key: string | null,
  place: number,
  places: Map<string, number>,
): BodyFault | undefined {
  const field = `/series/${place}/key`
  if (key === null || key === '' || !key.isWellFormed())
    return fault('key', `Series ${place} has no key to tell it from the others.`, {
      field,
      remedy: 'Give each series a key of its own, like store=3,product=17.',
    })
  const before = places.get(key)
  places.set(key, place)
  if (before === undefined) return undefined
  const detail = `Series ${before} and ${place} have the same key, ${JSON.stringify(key.slice(0, 100))}.`
  return fault('key', detail, { field, remedy: 'Join them to one, or give them different keys.' })
}

function cut(all: readonly KeyedDescription[]): DataShard[] {
  const shards: DataShard[] = []
  for (let from = 0; from < all.length; ) {
    let to = from
    let observations = 0
    while (to < all.length && to - from < limits.shardSeriesMax) {
      observations += all[to]!.y.length
      if (to > from && observations > limits.shardObservationsMax) break
      to++
    }
    const own = all.slice(from, to)
    const bytes = new Uint8Array(encodeShardData(own))
    shards.push({ first: own[0]!.key, series: own.length, bytes })
    from = to
  }
  return shards
}
