import type { CsvRow } from '../lines/csv-rows.ts'
import { cellForPeople } from '../run/csv-cells.ts'
import { numberOfText, type Unusable } from './assemble.ts'

/** The header of rows that were predicted: two columns more, under names that no other has. */
export function answeredHeader(header: readonly string[]): string {
  return lineOf([...header, freeName(header, 'prediction'), freeName(header, 'error')])
}

/** A row of a CSV of so many columns, with its prediction or the reason for none. */
export function answeredRow(
  row: CsvRow,
  width: number,
  found: number | Unusable | undefined,
): string {
  if ('fault' in row)
    return lineOf([...Array(width + 1).fill(''), `line ${row.line}: ${row.fault}`])
  return typeof found === 'number'
    ? lineOf([...row.values, String(found), ''])
    : lineOf([...row.values, '', `${found?.column}: ${found?.reason}`])
}

function freeName(header: readonly string[], name: string): string {
  return header.includes(name) ? freeName(header, `${name}_`) : name
}

const lineOf = (cells: readonly string[]) => `${cells.map(cellOf).join(',')}\n`

/** A number is none the less for its sign; anything else might be a formula. */
const cellOf = (text: string) => (numberOfText(text) === undefined ? cellForPeople(text) : text)

type HeaderFault = {
  readonly code: 'no-header' | 'missing-columns'
  readonly detail: string
  readonly remedy: string
}

/** A first line that is no header. */
export const noHeader = (fault: string): HeaderFault => ({
  code: 'no-header',
  detail: `The first line is no header: ${fault}.`,
  remedy: 'Send CSV in UTF-8 with commas, and the names of its columns in the first line.',
})

/** A header without some of the columns that a model predicts from; undefined where it has all. */
export function lackOf(
  header: readonly string[],
  needed: readonly string[],
  has: (name: string) => boolean = (name) => header.includes(name),
): HeaderFault | undefined {
  const missing = needed.filter((name) => !has(name))
  if (missing.length === 0) return undefined
  const shown = header.join(', ').slice(0, 500)
  return {
    code: 'missing-columns',
    detail: `The header lacks ${missing.join(', ')}; it has ${shown}.`,
    remedy: `The model predicts from ${needed.join(', ')}; others may be there, too.`,
  }
}

/** The columns that a spec predicts from, each once. */
export function columnsOf({
  features,
}: {
  readonly features: readonly { readonly column: string }[]
}): readonly string[] {
  return [...new Set(features.map(({ column }) => column))]
}
