import type { Outcome } from '../family.ts'
import { done } from '../outcome.ts'
import { badFormat, type Column, decodeContainer } from './container.ts'

/** The columns of a container of one family and format, by name: all of those, and no others. */
export function readColumns(
  bytes: Uint8Array,
  expected: {
    readonly family: string
    readonly format: number
    readonly columns: readonly string[]
  },
): Outcome<ReadonlyMap<string, Column>> {
  const container = decodeContainer(bytes)
  if (container.kind === 'refused') return container
  const { family, familyFormat, columns } = container.value
  if (family !== expected.family) return badFormat(`the family is ${family}`)
  if (familyFormat !== expected.format) {
    return badFormat(`format ${familyFormat} of ${family} is not known`)
  }
  const missing = expected.columns.find((name) => !columns.has(name))
  if (missing !== undefined) return badFormat(`${missing} is missing`)
  if (columns.size !== expected.columns.length) {
    return badFormat('there are arrays beyond those known')
  }
  return done(columns)
}

/** Doubles of an exact length, each of a bounded magnitude (so none is NaN); else undefined. */
export function doubles(
  column: Column | undefined,
  length: number,
  magnitudeMax: number,
): Float64Array | undefined {
  if (!(column instanceof Float64Array) || column.length !== length) return undefined
  return column.every((value) => Math.abs(value) <= magnitudeMax) ? column : undefined
}

/** Whole numbers of an exact length, each within [min, max]; else undefined. */
export function integers(
  column: Column | undefined,
  length: number,
  min: number,
  max: number,
): Int32Array | undefined {
  if (!(column instanceof Int32Array) || column.length !== length) return undefined
  return column.every((value) => value >= min && value <= max) ? column : undefined
}

/**
 * The spec in a column of JSON text, checked by its family's `parse`; undefined unless the text is
 * exactly what `specColumn` writes of it.
 */
export function readSpec<Spec>(
  column: Column | undefined,
  parse: (spec: Readonly<Record<string, unknown>>) => Outcome<Spec>,
): Spec | undefined {
  if (typeof column !== 'string') return undefined
  let value: unknown
  try {
    value = JSON.parse(column)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const parsed = parse(value as Record<string, unknown>)
  if (parsed.kind === 'refused') return undefined
  return specColumn(parsed.value) === column ? parsed.value : undefined
}

/** A parsed spec as JSON text: `parse` builds its fields in a fixed order. */
export function specColumn(spec: unknown): string {
  return JSON.stringify(spec)
}

/** What V8 needs for an array beside its elements, and for the objects of a model; measured. */
const memory = { arrayOverheadBytes: 200, objectBytes: 600 } as const

/** Bytes that a model with some arrays keeps in memory. */
export function bytesOf(arrays: readonly { readonly byteLength: number }[]): number {
  const { arrayOverheadBytes, objectBytes } = memory
  return arrays.reduce(
    (sum, { byteLength }) => sum + byteLength + arrayOverheadBytes,
    objectBytes as number,
  )
}
