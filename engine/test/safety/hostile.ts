import { type Column, decodeContainer, encodeContainer } from '../../src/codec/container.ts'
import { sealed } from '../codec/seal.ts'
import type { Draw } from './draw.ts'

/**
 * Bytes as somebody would write them who knows the format and means harm: what is inside a model
 * changed somewhere, under a right length and a right checksum.
 */
export function hostileBytes(bytes: Uint8Array, draw: Draw): Uint8Array {
  const container = decodeContainer(bytes)
  if (container.kind === 'refused' || draw.below(8) === 0) return withDamage(bytes, draw)
  const { family, familyFormat, columns } = container.value
  const changed = new Map(columns)
  const changes = 1 + draw.below(3)
  for (let i = 0; i < changes; i++) changeColumn(changed, draw)
  return encodeContainer({
    family: draw.below(60) === 0 ? draw.pick(familyNames) : family,
    familyFormat: draw.below(60) === 0 ? draw.pick([0, 1, 2, 3, 0xffffffff]) : familyFormat,
    columns: changed,
  })
}

const familyNames = ['arima', 'automatic', 'baseline', 'ets', 'mstl', 'theta', 'tsb', 'unknown']

/** Numbers at which ranges, units and signs end. */
const doubles = [
  ...[0, 1, -1, 0.5, 2, -0.5, 0.999999, 1.000001, 1e-8, 3, 12, 1e3, -1e3],
  ...[1e-300, -1e-300, 5e-324, 1e-150, 1e-100, 1e100, 1e150, -1e150, 1e199, 1e200, -1e200, 1.1e200],
  ...[1.7e308, -1.7e308, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
]
const integers = [
  ...[0, 1, 2, 3, 4, 5, 7, 12, 13, 100, 365, 1_000, 10_000, 10_001, 110_000, 16_777_216],
  ...[2 ** 31 - 1, -1, -2, -(2 ** 31)],
]
const values = [
  ...integers,
  0.5,
  0.99,
  1e-9,
  1e9,
  1e300,
  null,
  true,
  false,
  '',
  'A',
  'auto',
  [],
  {},
]

function changeColumn(columns: Map<string, Column>, draw: Draw): void {
  const names = [...columns.keys()]
  const name = draw.pick(names)
  const column = columns.get(name)!
  switch (draw.below(16)) {
    case 0:
      columns.delete(name)
      return
    case 1:
      columns.set(name, columns.get(draw.pick(names))!)
      return
    case 2:
      columns.set(name, draw.pick<Column>(['', new Float64Array(3), new Int32Array(2)]))
      return
    case 3:
      columns.set(name, resized(column, draw))
      return
    default:
      columns.set(name, withChangedValue(column, draw))
  }
}

function withChangedValue(column: Column, draw: Draw): Column {
  if (typeof column === 'string') return withChangedText(column, draw)
  if (column.length === 0) return column
  const at = draw.below(column.length)
  const copy = column.slice()
  if (copy instanceof Float64Array) copy[at] = changedDouble(copy, at, draw)
  else if (copy instanceof Int32Array) {
    copy[at] = draw.below(2) === 0 ? copy[at]! + draw.pick([-1, 1]) : draw.pick(integers)
  } else if (decodeContainer(copy).kind === 'refused') copy[at] = draw.below(256)
  else return hostileBytes(copy, draw)
  return copy
}

/** Often a number that may stay within its range, so that what is behind the checks is reached. */
function changedDouble(column: Float64Array, at: number, draw: Draw): number {
  const value = column[at]!
  switch (draw.below(6)) {
    case 0:
      return -value
    case 1:
      return value * draw.pick([0.5, 2, 1e-9, 1e9, 1e-150, 1e150])
    case 2:
      return value + draw.pick([-1, 1, 0.1, -0.1])
    case 3:
      column.fill(draw.pick(doubles))
      return column[at]!
    default:
      return draw.pick(doubles)
  }
}

function resized(column: Column, draw: Draw): Column {
  const length = draw.pick([0, 1, 2, column.length - 1, column.length + 1, 2 * column.length])
  if (typeof column === 'string') return column.slice(0, length)
  const made =
    column instanceof Float64Array
      ? new Float64Array(Math.max(0, length))
      : column instanceof Int32Array
        ? new Int32Array(Math.max(0, length))
        : new Uint8Array(Math.max(0, length))
  for (let i = 0; i < Math.min(made.length, column.length); i++) made[i] = column[i]!
  return made
}

function withChangedText(text: string, draw: Draw): string {
  const fields = fieldsOf(text)
  const name = fields === undefined ? undefined : draw.pick([...Object.keys(fields), 'more'])
  if (fields === undefined || name === undefined || draw.below(5) === 0) {
    const at = draw.below(text.length + 1)
    return (
      text.slice(0, at) + draw.pick(['', '"', '}', '0', 'x', '\u0000', ',']) + text.slice(at + 1)
    )
  }
  fields[name] = draw.pick(values)
  return JSON.stringify(fields)
}

function fieldsOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Bytes changed wherever they are, the directory and its claims of lengths among them. */
function withDamage(bytes: Uint8Array, draw: Draw): Uint8Array {
  const copy = bytes.slice()
  if (copy.length === 0) return copy
  const view = new DataView(copy.buffer)
  const at = draw.below(copy.length)
  if (copy.length >= 28 && draw.below(3) === 0) {
    const offset = Math.min(at, copy.length - 4)
    view.setUint32(offset, draw.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff]), true)
  } else {
    copy[at]! ^= 1 << draw.below(8)
  }
  const cut = draw.below(6) === 0 ? copy.subarray(0, draw.below(copy.length)) : copy
  return cut.length < 28 || draw.below(8) === 0 ? cut : sealed(cut)
}
