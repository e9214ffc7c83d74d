import type { Bounds } from '@almanac/engine'
import { type CsvRow, makeCsvReader } from '../lines/csv-rows.ts'
import { answeredHeader, answeredRow, columnsOf, lackOf, noHeader } from './answered-rows.ts'
import type { Unusable } from './assemble.ts'
import { makePredict, type RegressionModel } from './predict.ts'

/** Why rows have no prediction, and how many have none for it. */
type ReasonForNone = {
  /** Empty where the line is no row. */
  readonly column: string
  /** Without the value that was there. */
  readonly reason: string
  readonly rows: number
}

export type AnsweredCsv = {
  readonly rows: number
  readonly predicted: number
  /** The most frequent first; those beyond `reasonsMax` are one. */
  readonly unpredicted: readonly ReasonForNone[]
}

/** What came of a piece: text, or why no row of all can be predicted. */
export type AnsweredPiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'fault'; readonly code: string; readonly detail: string }

export type CsvAnswers = {
  readonly push: (bytes: Buffer) => AnsweredPiece
  readonly end: () => AnsweredPiece
  /** Of the rows so far. */
  readonly counts: () => AnsweredCsv
}

/**
 * Answers a CSV that comes in pieces: each of its rows in their order, with a prediction or the
 * reason for none. Holds a piece and a record. After a fault nothing more is to be pushed.
 */
export function answerCsv(model: RegressionModel, bounds?: Bounds): CsvAnswers {
  const reader = makeCsvReader()
  const predict = makePredict(model, bounds)
  const columns = columnsOf(model.spec)
  const counter = makeCounter()
  let header: readonly string[] | undefined

  const answer = (row: CsvRow): string => {
    const found = 'fault' in row ? undefined : predict(cellsOf(row.values))
    counter.count(row, found)
    return answeredRow(row, header!.length, found)
  }
  let places: readonly (readonly [string, number])[] = []
  const cellsOf = (values: readonly string[]) =>
    new Map(places.map(([name, place]) => [name, values[place] || null]))
  const take = (): AnsweredPiece => {
    const known = reader.header()
    if (known === undefined) return { kind: 'text', text: '' }
    if ('fault' in known) return { kind: 'fault', ...noHeader(known.fault) }
    let text = ''
    if (header === undefined) {
      header = known
      const lack = lackOf(header, columns)
      if (lack) return { kind: 'fault', ...lack }
      places = columns.map((name) => [name, known.indexOf(name)])
      text = answeredHeader(header)
    }
    for (const row of reader.taken()) text += answer(row)
    return { kind: 'text', text }
  }
  return {
    push: (bytes) => {
      reader.push(bytes)
      return take()
    },
    end: () => {
      reader.end()
      return take()
    },
    counts: counter.counts,
  }
}

function makeCounter() {
  let rows = 0
  let predicted = 0
  const reasons = new Map<
    string,
    { -readonly [name in keyof ReasonForNone]: ReasonForNone[name] }
  >()
  const countReason = (column: string, reason: string): void => {
    const key = `${column}\n${reason}`
    const known = reasons.get(key)
    if (known) known.rows += 1
    else if (reasons.size < reasonsMax || reason === others)
      reasons.set(key, { column, reason, rows: 1 })
    else countReason('', others)
  }
  return {
    count: (row: CsvRow, found: number | Unusable | undefined): void => {
      rows += 1
      if ('fault' in row) countReason('', row.fault)
      else if (typeof found === 'number') predicted += 1
      else if (found) countReason(found.column, withoutValue(found.reason))
    },
    counts: (): AnsweredCsv => {
      const unpredicted = [...reasons.values()].sort((a, b) => b.rows - a.rows)
      return { rows, predicted, unpredicted: unpredicted.map((one) => ({ ...one })) }
    },
  }
}

/** There are as many as columns and kinds of damage; those of fields that lack are more. */
const reasonsMax = 50
const others = 'another reason'

/** `"77" was not there` as `was not there`: the value is JSON. */
const withoutValue = (reason: string) => reason.replace(/^"(?:[^"\\]|\\.)*" /, '')
