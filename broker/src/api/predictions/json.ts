import { Refused } from '@almanac/shared'
import { type Cells, predictRows } from '../../routing/predictions.ts'
import type { ApiParts } from '../parts.ts'
import { isObject } from '../series-body.ts'
import { countRows } from './count-rows.ts'
import type { PredictionCourse } from './question.ts'

/** A body of JSON, whatever it asks. Throws a 400 or 413. */
export function readJson(bytes: Buffer, bytesMax: number): unknown {
  if (bytes.byteLength > bytesMax)
    throw new Refused(413, 'too-large', `Rows in JSON have at most ${bytesMax} bytes.`, {
      remedy: 'Send them as text/csv, which may be larger, or in several calls.',
    })
  return parsed(bytes)
}

/** The rows of such a body, as objects. Throws a 400 that says what is wrong with it. */
export function readRows(body: unknown): readonly Record<string, unknown>[] {
  if (!isObject(body) || !Array.isArray(body.rows))
    throw new Refused(400, 'rows', 'The body must be {"rows": [{…}]}.', {
      field: '/rows',
      remedy: 'Or name a stored file and the one to be: {"file": "rows.csv", "into": "out.csv"}.',
    })
  const stranger = Object.keys(body).find((name) => name !== 'rows')
  if (stranger !== undefined)
    throw new Refused(400, 'unknown-field', 'There is only a field rows here.', {
      field: `/${stranger.slice(0, 100)}`,
    })
  for (const [i, row] of body.rows.entries())
    if (!isObject(row))
      throw new Refused(400, 'rows', 'A row must be an object with a value for each column.', {
        field: `/rows/${i}`,
      })
  return body.rows
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    const { message } = error as Error
    throw new Refused(400, 'not-json', `The body is not JSON: ${message.slice(0, 200)}.`)
  }
}

/** What becomes of each row. Throws as `predictRows` does. */
export async function answeredObjects(
  { askShard, bounds, metrics }: Pick<ApiParts, 'askShard' | 'bounds' | 'metrics'>,
  { ask, requestId, signal }: PredictionCourse,
  rows: readonly Record<string, unknown>[],
) {
  const cells = rows.map((row) => ask.columns.map((name) => cellOf(row, name)))
  const course = { requestId, signal, patienceMs: bounds.nodeWaitMs }
  const found = await predictRows(askShard, ask, cells, course)
  countRows(metrics, found)
  return found.map((prediction) =>
    typeof prediction === 'number'
      ? { prediction, error: null }
      : { prediction: null, error: prediction },
  )
}

/** Anything but a text or a number is no value that a column could have had. */
function cellOf(row: Record<string, unknown>, name: string): Cells[number] {
  const value = Object.hasOwn(row, name) ? row[name] : null
  if (typeof value === 'string' && value !== '') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}
