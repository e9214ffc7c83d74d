import { makeCsvWriter } from './csv-writer.ts'
import type { ReasonCount, RowOutcome } from './protocol.ts'

/** A row that was left out, or a value that was changed. What is not known is absent. */
type Reject = {
  readonly step: string
  readonly outcome: RowOutcome
  readonly reason: string
  readonly column?: string
  /** In the file; a value of a series may come from several. */
  readonly line?: number
  readonly key?: string
  readonly time?: string
  readonly before?: number | null
  readonly after?: number | null
  /** The text of the row. */
  readonly row?: string
}

export type Rejects = {
  readonly write: (reject: Reject) => void
  readonly counts: () => readonly ReasonCount[]
  readonly close: () => void
}

/** Writes them as CSV, each as it comes, and counts them by reason. */
export function makeRejects(file: string): Rejects {
  const writer = makeCsvWriter(file, header)
  const counts = new Map<string, { -readonly [field in keyof ReasonCount]: ReasonCount[field] }>()
  return {
    write: (reject) => {
      const { step, outcome, reason, column = '' } = reject
      const id = `${step}\n${outcome}\n${column}\n${reason}`
      const known = counts.get(id)
      if (known !== undefined) known.count += 1
      else counts.set(id, { step, column, reason, outcome, count: 1 })
      writer.row(header.map((name) => reject[name]))
    },
    counts: () => [...counts.values()],
    close: writer.close,
  }
}

const header = [
  'line',
  'step',
  'outcome',
  'reason',
  'column',
  'key',
  'time',
  'before',
  'after',
  'row',
] as const
