import { encodeShard, type Shard } from '../codec/shard.ts'
import type { Series } from '../family.ts'
import { type Description, describedSeries } from '../series/described.ts'

/** A series of a shard of data, in the words of JSON. */
export type KeyedDescription = Description & { readonly key: string }

/**
 * Data as a shard: the columns `start`, `frequency` and, where one is said, `timezone`, empty where
 * nobody said; the payload is the observations as little-endian doubles, NaN where one is missing.
 * Keys ascend.
 */
export function encodeShardData(series: readonly KeyedDescription[]): Uint8Array {
  const zones = series.map(({ timezone }) => timezone ?? '')
  return encodeShard({
    keys: series.map(({ key }) => key),
    columns: {
      start: series.map(({ start }) => start ?? ''),
      frequency: series.map(({ frequency }) => frequency ?? ''),
      ...(zones.some((zone) => zone !== '') ? { timezone: zones } : {}),
    },
    payloads: series.map(({ y }) => bytesOf(y)),
  })
}

/** Why a shard holds no data that can be fitted; undefined when it does. */
export function faultOfData({ columns, count, payloadAt }: Shard): string | undefined {
  for (const name of ['start', 'frequency'])
    if (!isWords(columns.get(name))) return `there is no column ${name}`
  for (let place = 0; place < count; place++)
    if (payloadAt(place).length % doubleBytes !== 0) return `series ${place} is cut short`
  return undefined
}

/** The series at a place of a shard of data without fault. */
export function seriesAt(shard: Shard, place: number): Series {
  const word = (name: string) => {
    const column = shard.columns.get(name)
    return (isWords(column) && column[place]) || null
  }
  const y = valuesOf(shard.payloadAt(place))
  const described = describedSeries({
    ...{ y: [], start: word('start'), frequency: word('frequency'), timezone: word('timezone') },
  })
  return { ...described, y, key: shard.keyAt(place) }
}

const doubleBytes = 8

function isWords(column: unknown): column is readonly string[] {
  return Array.isArray(column)
}

function bytesOf(y: readonly (number | null)[]): Uint8Array {
  const bytes = new Uint8Array(y.length * doubleBytes)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of y.entries()) view.setFloat64(i * doubleBytes, value ?? Number.NaN, true)
  return bytes
}

function valuesOf(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float64Array.from({ length: bytes.length / doubleBytes }, (_, i) =>
    view.getFloat64(i * doubleBytes, true),
  )
}
