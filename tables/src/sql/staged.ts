import { duckdb } from './dialect.ts'
import { fieldName } from './plan.ts'

/** The rows of one or more pieces of text, as `staged` is to have them. */
export function duckdbPiece(file: string, delimiter: string, fields: number): string {
  const columns = columnsOf(fields).map(([name, type]) => `'${name}': '${type}'`)
  return (
    `SELECT * FROM READ_CSV(${duckdb.literal(file)}, AUTO_DETECT = FALSE, HEADER = FALSE, ` +
    `DELIM = ${duckdb.literal(delimiter)}, QUOTE = '"', ESCAPE = '"', NULLSTR = '', NEW_LINE = '\\n', ` +
    `COLUMNS = {${columns.join(', ')}})`
  )
}

function columnsOf(fields: number): readonly (readonly string[])[] {
  const names = Array.from({ length: fields }, (_, i) => fieldName(i))
  return [['line', 'BIGINT'], ...names.map((name) => [name, duckdb.textType])]
}
