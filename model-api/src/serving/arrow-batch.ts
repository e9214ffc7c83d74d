import type { Data } from 'apache-arrow'
import type { Computed } from './forecasts.ts'
import type { Question } from './question.ts'

/** The library, which only who is asked for Arrow loads. */
export type Arrow = typeof import('apache-arrow')

/** The rows of some series, as one record batch. */
export type ArrowBatch = {
  /** Times are milliseconds of 1970. */
  readonly add: (series: string, computed: Computed, times: ArrayLike<number> | undefined) => void
  /** A series without a forecast: one row, that says why. */
  readonly addGap: (series: string, code: string) => void
  /** Bytes of text so far. */
  readonly textBytes: () => number
  /** The message with the schema. */
  readonly head: () => Uint8Array
  /** The message with the rows; empty where there are none. */
  readonly rows: () => Uint8Array
}

type Asked = Pick<Question, 'horizon' | 'levels' | 'timestamps'>

/**
 * Columns `series, step[, timestamp], forecast[, lower_80, upper_80…], error`. What has a forecast
 * has no error; what has an error has nothing but it and its key. Messages are those of an IPC
 * stream (Arrow columnar format 1.4, "IPC Streaming Format"), so that batches of different nodes
 * can follow one another behind one schema.
 */
export function makeArrowBatch(arrow: Arrow, asked: Asked, seriesMax: number): ArrowBatch {
  const { horizon, levels, timestamps } = asked
  const width = 2 * levels.length
  const rowsMax = seriesMax * horizon
  const keys = makeTexts(rowsMax)
  const errors = makeTexts(rowsMax)
  const steps = new Int32Array(rowsMax)
  const times = new BigInt64Array(timestamps ? rowsMax : 0)
  const timeWords = new Uint32Array(times.buffer)
  const numbers = Array.from({ length: 1 + width }, () => new Float64Array(rowsMax))
  const gaps: number[] = []
  const schema = schemaOf(arrow, asked)
  let rows = 0

  const addTimes = (instants: ArrayLike<number> = []) => {
    // As two halves: numbers that large are made objects otherwise, one for each.
    for (let i = 0; i < instants.length; i++) {
      const timeMs = instants[i]!
      timeWords[2 * (rows + i)] = timeMs
      timeWords[2 * (rows + i) + 1] = Math.floor(timeMs / 2 ** 32)
    }
  }
  const add: ArrowBatch['add'] = (series, { forecast: { point, quantiles } }, instants) => {
    keys.add(series, horizon)
    errors.add('', horizon)
    addTimes(instants)
    const [forecast] = numbers
    for (let i = 0; i < horizon; i++) {
      steps[rows + i] = i + 1
      forecast![rows + i] = point[i]!
    }
    for (const [i] of levels.entries()) {
      const [lower, upper] = [numbers[1 + 2 * i]!, numbers[2 + 2 * i]!]
      for (let step = 0; step < horizon; step++) {
        lower[rows + step] = quantiles[step * width + levels.length - 1 - i]!
        upper[rows + step] = quantiles[step * width + levels.length + i]!
      }
    }
    rows += horizon
  }
  const columns = (): Data[] => {
    const { makeData } = arrow
    const known = bitmap(rows, gaps, false)
    const some = { length: rows, nullCount: gaps.length, ...(known ? { nullBitmap: known } : {}) }
    const wrong = { length: rows, nullCount: rows - gaps.length }
    const time = new arrow.TimestampMillisecond('UTC')
    return [
      makeData({ type: new arrow.Utf8(), length: rows, ...keys.made(rows) }),
      makeData({ type: new arrow.Int32(), ...some, data: steps.subarray(0, rows) }),
      ...(timestamps ? [makeData({ type: time, ...some, data: times.subarray(0, rows) })] : []),
      ...numbers.map((column) =>
        makeData({ type: new arrow.Float64(), ...some, data: column.subarray(0, rows) }),
      ),
      makeData({
        ...{ type: new arrow.Utf8(), ...wrong, ...errors.made(rows) },
        nullBitmap: bitmap(rows, gaps, true) ?? new Uint8Array((rows + 7) >> 3),
      }),
    ]
  }
  const head = () => {
    const writer = new arrow.RecordBatchStreamWriter().reset(undefined, schema)
    writer.close()
    return writer.toUint8Array(true).subarray(0, -endBytes)
  }
  return {
    add,
    addGap: (series, code) => {
      keys.add(series, 1)
      errors.add(code, 1)
      gaps.push(rows)
      rows += 1
    },
    textBytes: () => keys.bytes() + errors.bytes(),
    head,
    rows: () => {
      if (rows === 0) return new Uint8Array(0)
      const type = new arrow.Struct(schema.fields)
      const data = arrow.makeData({ type, length: rows, nullCount: 0, children: columns() })
      const writer = new arrow.RecordBatchStreamWriter()
      writer.write(new arrow.RecordBatch(schema, data))
      writer.close()
      return writer.toUint8Array(true).subarray(head().length, -endBytes)
    },
  }
}

/** A stream ends with a message of no length. */
const endBytes = 8

function schemaOf(arrow: Arrow, { levels, timestamps }: Asked) {
  const { Field, Float64, Int32, Schema, TimestampMillisecond, Utf8 } = arrow
  return new Schema([
    new Field('series', new Utf8(), false),
    new Field('step', new Int32(), true),
    ...(timestamps ? [new Field('timestamp', new TimestampMillisecond('UTC'), true)] : []),
    new Field('forecast', new Float64(), true),
    ...levels.flatMap((level) => [
      new Field(`lower_${level}`, new Float64(), true),
      new Field(`upper_${level}`, new Float64(), true),
    ]),
    new Field('error', new Utf8(), true),
  ])
}

/** Of which rows there is a value; `inverse`: of those only. Undefined where that is all. */
function bitmap(rows: number, gaps: readonly number[], inverse: boolean): Uint8Array | undefined {
  if (gaps.length === 0) return undefined
  const bits = new Uint8Array((rows + 7) >> 3).fill(inverse ? 0 : 0xff)
  for (const row of gaps) bits[row >> 3]! ^= 1 << (row & 7)
  return bits
}

/** A column of texts, many of which repeat the one before. */
function makeTexts(rowsMax: number) {
  const valueOffsets = new Int32Array(rowsMax + 1)
  let data = Buffer.alloc(65_536)
  let used = 0
  let row = 0
  return {
    add: (text: string, times: number) => {
      const bytes = Buffer.byteLength(text)
      const needed = used + bytes * times
      if (needed > data.length) data = Buffer.concat([data], Math.max(needed, 2 * data.length))
      if (bytes > 0) data.write(text, used)
      for (let i = 0; i < times; i++) {
        if (i > 0) data.copyWithin(used, used - bytes, used)
        used += bytes
        row += 1
        valueOffsets[row] = used
      }
    },
    bytes: () => used,
    made: (rows: number) => ({
      valueOffsets: valueOffsets.subarray(0, rows + 1),
      data: data.subarray(0, used),
    }),
  }
}
