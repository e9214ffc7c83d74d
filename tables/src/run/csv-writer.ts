import { closeSync, openSync, writeSync } from 'node:fs'
import { type Cell, cellForPeople, plainCell } from './csv-cells.ts'

export type CsvWriter = {
  readonly row: (cells: readonly Cell[]) => void
  readonly close: () => void
}

/**
 * Writes CSV. For people what a spreadsheet would take for a formula is kept from being one; a
 * machine is to read what there was.
 */
export function makeCsvWriter(
  file: string,
  header: readonly string[],
  reader: 'people' | 'machine' = 'people',
): CsvWriter {
  const cellOf = reader === 'people' ? cellForPeople : plainCell
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
