import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { assert, done, refused, unreachable } from '../outcome.ts'
import { crc32c } from './checksum.ts'

/**
 * The model container, format 1. Everything is little-endian:
 *
 *     magic 8 bytes | u32 container format | u32 length of all | u32 family format | u32 arrays
 *     u8 length, family name
 *     per array: u8 length, name | u8 type | u32 elements
 *     per array: zeros up to a multiple of 8, then the elements
 *     u32 CRC-32C of all before it
 *
 * There is exactly one encoding of a model: NaN has one bit pattern, -0 is written as 0, padding is
 * zero; a decoder refuses any other.
 */
export type Column = Float64Array | Int32Array | Uint8Array | string

export type Container = {
  readonly family: string
  readonly familyFormat: number
  readonly columns: ReadonlyMap<string, Column>
}

/** The container formats that `decodeContainer` reads; the last is the one that is written. */
export const containerFormats: readonly number[] = [1]

/** The bytes of a container. Names are lower-case words of at most 32 characters (a bug else). */
export function encodeContainer(container: Container): Uint8Array {
  const entries = [...container.columns].map(([name, column]) => makeEntry(name, column))
  assert(entries.length <= limits.arraysMax, 'a container has few arrays')
  assertName(container.family)
  let length = fixedBytes + 1 + container.family.length
  for (const entry of entries) length += 6 + entry.name.length
  for (const entry of entries) length = aligned(length) + entry.elements * elementBytes[entry.type]
  length += checksumBytes
  assert(length <= limits.containerBytesMax, 'a container has a bounded size')

  const writer = makeWriter(length)
  for (const byte of magic) writer.u8(byte)
  writer.u32(containerFormats.at(-1) ?? 0)
  writer.u32(length)
  writer.u32(container.familyFormat)
  writer.u32(entries.length)
  writer.name(container.family)
  for (const entry of entries) {
    writer.name(entry.name)
    writer.u8(typeCodes[entry.type])
    writer.u32(entry.elements)
  }
  for (const entry of entries) {
    writer.align()
    writer.values(entry.values)
  }
  writer.u32(crc32c(writer.bytes.subarray(0, length - checksumBytes)))
  return writer.bytes
}

/**
 * The container in some bytes, or why there is none; never throws. Memory is bounded by the length
 * of the bytes: every length is checked against it before anything is allocated.
 */
export function decodeContainer(bytes: Uint8Array): Outcome<Container> {
  const envelope = checkEnvelope(bytes)
  if (envelope !== undefined) return badFormat(envelope)
  const reader = makeReader(bytes)
  const familyFormat = reader.u32(16)
  const arrays = reader.u32(20)
  if (arrays > limits.arraysMax) return badFormat(`it claims ${arrays} arrays`)
  const end = bytes.length - checksumBytes
  let offset: number = fixedBytes
  const family = reader.name(offset, end)
  if (family === undefined) return badFormat('its family has no valid name')
  offset += 1 + family.length

  const directory: { name: string; type: ColumnType; elements: number }[] = []
  for (let i = 0; i < arrays; i++) {
    const name = reader.name(offset, end)
    if (name === undefined) return badFormat(`array ${i} has no valid name`)
    offset += 1 + name.length
    if (offset + 5 > end) return badFormat('its directory is cut short')
    const type = columnTypes[bytes[offset]! - 1]
    if (type === undefined) return badFormat(`array ${name} has an unknown type`)
    if (directory.some((entry) => entry.name === name)) return badFormat(`${name} comes twice`)
    directory.push({ name, type, elements: reader.u32(offset + 1) })
    offset += 5
  }

  let total = offset
  for (const { type, elements } of directory) total = aligned(total) + elements * elementBytes[type]
  if (total !== end) return badFormat(`its arrays need ${total} bytes, it has ${end}`)
  const columns = new Map<string, Column>()
  for (const { name, type, elements } of directory) {
    const start = aligned(offset)
    if (!reader.isZero(offset, start)) return badFormat(`the padding before ${name} is not zero`)
    const column = reader.values(type, start, elements)
    if (column === undefined) return badFormat(`array ${name} is not in its canonical form`)
    columns.set(name, column)
    offset = start + elements * elementBytes[type]
  }
  return done({ family, familyFormat, columns })
}

/** The family that some bytes claim, without a look at the rest; undefined when they claim none. */
export function claimedFamily(bytes: Uint8Array): string | undefined {
  if (bytes.length < fixedBytes + checksumBytes) return undefined
  return makeReader(bytes).name(fixedBytes, bytes.length - checksumBytes)
}

/** The refusal of bytes that are no model. */
export function badFormat(fault: string): Outcome<never> {
  return refused({
    code: 'bad-format',
    detail: `These bytes are not a model that can be read: ${fault}.`,
    remedy: 'Load another copy of the model, or fit it again.',
  })
}

type ColumnType = 'f64' | 'i32' | 'u8' | 'utf8'

const columnTypes: readonly ColumnType[] = ['f64', 'i32', 'u8', 'utf8']
const typeCodes: Record<ColumnType, number> = { f64: 1, i32: 2, u8: 3, utf8: 4 }
const elementBytes: Record<ColumnType, number> = { f64: 8, i32: 4, u8: 1, utf8: 1 }

/** A byte above 127 and both line ends first, as in PNG: a transfer as text is noticed at once. */
const magic = [0x89, 0x41, 0x4c, 0x4d, 0x0d, 0x0a, 0x1a, 0x0a]
const fixedBytes = 24
const checksumBytes = 4
const alignment = 8
const namePattern = /^[a-z][a-z0-9-]*$/
const canonicalNan = { high: 0x7ff80000, low: 0 }

function aligned(offset: number): number {
  return Math.ceil(offset / alignment) * alignment
}

function assertName(name: string): void {
  assert(name.length <= limits.nameBytesMax && namePattern.test(name), 'a name is a short word')
}

function checkEnvelope(bytes: Uint8Array): string | undefined {
  const { length } = bytes
  if (length < fixedBytes + checksumBytes) return `they are only ${length} bytes`
  if (length > limits.containerBytesMax) return `they are ${length} bytes, which is too many`
  if (magic.some((byte, i) => bytes[i] !== byte)) return 'they do not begin as a model does'
  const reader = makeReader(bytes)
  const format = reader.u32(8)
  if (!containerFormats.includes(format)) {
    return `container format ${format} is not among those known (${containerFormats.join(', ')})`
  }
  if (reader.u32(12) !== length) return `${reader.u32(12)} bytes were written, ${length} are here`
  const payload = bytes.subarray(0, length - checksumBytes)
  if (reader.u32(length - checksumBytes) !== crc32c(payload)) return 'the checksum differs'
  return undefined
}

function makeEntry(name: string, column: Column) {
  assertName(name)
  if (typeof column === 'string') {
    const values = new TextEncoder().encode(column)
    return { name, type: 'utf8' as const, elements: values.length, values }
  }
  const type = column instanceof Float64Array ? 'f64' : column instanceof Int32Array ? 'i32' : 'u8'
  return { name, type: type as ColumnType, elements: column.length, values: column }
}

function makeWriter(length: number) {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let offset = 0
  const writer = {
    bytes,
    u8(value: number) {
      view.setUint8(offset, value)
      offset += 1
    },
    u32(value: number) {
      view.setUint32(offset, value, true)
      offset += 4
    },
    name(name: string) {
      writer.u8(name.length)
      for (let i = 0; i < name.length; i++) writer.u8(name.charCodeAt(i))
    },
    align() {
      offset = aligned(offset)
    },
    values(values: Float64Array | Int32Array | Uint8Array) {
      if (values instanceof Float64Array) {
        for (const value of values) writer.f64(value)
      } else if (values instanceof Int32Array) {
        for (const value of values) writer.u32(value >>> 0)
      } else {
        bytes.set(values, offset)
        offset += values.length
      }
    },
    f64(value: number) {
      if (Number.isNaN(value)) {
        view.setUint32(offset, canonicalNan.low, true)
        view.setUint32(offset + 4, canonicalNan.high, true)
      } else {
        view.setFloat64(offset, value === 0 ? 0 : value, true)
      }
      offset += 8
    },
  }
  return writer
}

function makeReader(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    u32: (offset: number) => view.getUint32(offset, true),
    name(offset: number, end: number): string | undefined {
      if (offset >= end) return undefined
      const length = view.getUint8(offset)
      if (length > limits.nameBytesMax || offset + 1 + length > end) return undefined
      const name = String.fromCharCode(...bytes.subarray(offset + 1, offset + 1 + length))
      return namePattern.test(name) ? name : undefined
    },
    isZero: (start: number, end: number) => bytes.subarray(start, end).every((byte) => byte === 0),
    values(type: ColumnType, start: number, elements: number): Column | undefined {
      switch (type) {
        case 'f64':
          return readDoubles(view, start, elements)
        case 'i32':
          return Int32Array.from({ length: elements }, (_, i) => view.getInt32(start + 4 * i, true))
        case 'u8':
          return bytes.slice(start, start + elements)
        case 'utf8':
          return readText(bytes.subarray(start, start + elements))
        default:
          return unreachable(type)
      }
    },
  }
}

function readDoubles(view: DataView, start: number, elements: number): Float64Array | undefined {
  const values = new Float64Array(elements)
  for (let i = 0; i < elements; i++) {
    const value = view.getFloat64(start + 8 * i, true)
    if (Number.isNaN(value)) {
      const low = view.getUint32(start + 8 * i, true)
      const high = view.getUint32(start + 8 * i + 4, true)
      if (low !== canonicalNan.low || high !== canonicalNan.high) return undefined
    }
    if (Object.is(value, -0)) return undefined
    values[i] = value
  }
  return values
}

function readText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
