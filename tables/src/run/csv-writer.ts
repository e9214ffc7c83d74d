import { closeSync, openSync, writeSync } from 'node:fs'

type Cell = string | number | null | undefined

export type CsvWriter = {
  readonly row: (cells: readonly Cell[]) => void
  readonly close: () => void
}

/** Writes CSV for people: what a spreadsheet would take for a formula is kept from being one. */
export function makeCsvWriter(file: string, header: readonly string[]): CsvWriter {
  const handle = openSync(file, 'w')
  let text = ''
  const flush = () => {
    writeSync(handle, text)
    text = ''
  }
  const row = (cells: readonly Cell[]) => {
    text += `${cells.map(cellOf).join(',')}\n`
    if (text.length > bufferCharacters) flush()
  }
  row(header)
  return {
    row,
    close: () => {
      flush()
      closeSync(handle)
    },
  }
}

const bufferCharacters = 65_536

function cellOf(value: Cell): string {
  if (value === undefined || value === null || Number.isNaN(value)) return ''
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
