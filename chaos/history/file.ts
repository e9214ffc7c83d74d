import { writeFile } from 'node:fs/promises'
import type { Evidence } from '../invariants/check.ts'

/** All that was judged by, a line each: `grep` finds what a model or a moment has to tell. */
export async function writeHistory(
  file: string,
  { entries = [], weather, records }: Partial<Evidence>,
): Promise<void> {
  const known = records && {
    ...records,
    versions: [...records.versions],
    logs: [...records.logs],
  }
  const lines = [...entries, { weather }, { records: known }]
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}
