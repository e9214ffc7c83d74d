import { bounds } from '../config/bounds.ts'
import type { Computed } from './forecasts.ts'
import { numbersText } from './numbers-text.ts'
import type { Question } from './question.ts'

/** One after the other, without a string of them all. */
export function bytesOf(parts: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(
    parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0),
  )
  let at = 0
  for (const part of parts) at += bytes.write(part, at)
  return bytes
}

/** The body in slices of bounded work; of many series one line, that begins with its key. */
export function* answerText(
  { forecast, pointText }: Computed,
  { horizon, levels }: Pick<Question, 'horizon' | 'levels'>,
  times: readonly string[] | undefined,
  series?: string,
): Generator<string> {
  const { point, quantiles, notes } = forecast
  yield series === undefined ? '{"data":[' : `{"series":${JSON.stringify(series)},"data":[`
  if (pointText === undefined) yield* numbers(point, horizon, 1, 0)
  else yield pointText
  yield ']'
  const width = 2 * levels.length
  for (const [i, level] of levels.entries()) {
    yield `${i === 0 ? ',"intervals":[' : ','}{"level":${level},"lower":[`
    yield* numbers(quantiles, horizon, width, levels.length - 1 - i)
    yield '],"upper":['
    yield* numbers(quantiles, horizon, width, levels.length + i)
    yield ']}'
  }
  if (levels.length > 0) yield ']'
  if (levels.length > 0 && notes.length > 0) yield `,"notes":${JSON.stringify(notes)}`
  if (times) yield `,"timestamps":${JSON.stringify(times)}`
  yield '}'
}

function* numbers(
  values: Float64Array,
  rows: number,
  width: number,
  column: number,
): Generator<string> {
  for (let from = 0; from < rows; from += bounds.answerCellsAtOnce) {
    const to = Math.min(rows, from + bounds.answerCellsAtOnce)
    if (from > 0) yield ','
    yield numbersText(values, { from, to }, width, column)
  }
}
