import { type RejectLine, type TakeRecord, textOf } from './line-reader.ts'
import type { Rows } from './pieces.ts'

/** Reads a JSON object from each line, and of it the columns that are asked for, as text. */
export function ndjsonRecords(
  columns: readonly string[],
  rows: Rows,
  reject: RejectLine,
): TakeRecord {
  return (bytes, from, to, line) => {
    const values = fieldsOf(bytes.toString('utf8', from, to), columns)
    if (typeof values === 'string') reject(line, values, textOf(bytes, from, to))
    else rows.write(line, values)
    return to
  }
}

/** The values of a line, null where there is none, or why it has none. */
function fieldsOf(text: string, columns: readonly string[]): readonly (string | null)[] | string {
  const row = objectOf(text)
  if (row === undefined) return 'it is not a JSON object'
  const values = columns.map((name) => textOfValue(Object.hasOwn(row, name) ? row[name] : null))
  return values.includes(undefined)
    ? 'a whole number in it is too large to be exact; as a text it would be'
    : (values as (string | null)[])
}

export function objectOf(text: string): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as { [name: string]: unknown }) : undefined
  } catch {
    return undefined
  }
}

function textOfValue(value: unknown): string | null | undefined {
  if (value === null || value === undefined) return null
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return undefined
  // A NUL ends a text in some of the places that it goes through.
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.replaceAll('\0', '')
}
