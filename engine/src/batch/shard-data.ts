import { encodeShard, type Shard } from '../codec/shard.ts'
import type { Series } from '../family.ts'
import { type Description, describedSeries } from '../series/described.ts'

/** A series of a shard of data, in the words of JSON. */
export type KeyedDescription = Description & { readonly key: string }

/** The same, of observations in any kind of array. */
type ShardRow = Omit<KeyedDescription, 'y'> & { readonly y: ArrayLike<number | null> }

/**
 * Data as a shard: the columns `start`, `frequency` and, where one is said, `timezone`, empty where
 * nobody said; the payload is the observations as little-endian doubles, NaN where one is missing.
 * Keys ascend.
 */
export function encodeShardData(series: readonly ShardRow[]): Uint8Array {
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

// By place: a million series are many values, and iterators take longer than what they are for.
function bytesOf(y: ArrayLike<number | null>): Uint8Array {
  const bytes = new Uint8Array(y.length * doubleBytes)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < y.length; i++) view.setFloat64(i * doubleBytes, y[i] ?? Number.NaN, true)
  return bytes
}

function valuesOf(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float64Array(bytes.length / doubleBytes)
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat64(i * doubleBytes, true)
  return values
}
