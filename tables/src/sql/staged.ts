import { type Dialect, duckdb, spark } from './dialect.ts'
import { fieldName } from './plan.ts'

/** The rows of one or more pieces of text, as `staged` is to have them. */
export function duckdbPiece(file: string, delimiter: string, fields: number): string {
  const columns = columnsOf(fields, duckdb).map(([name, type]) => `'${name}': '${type}'`)
  return (
    `SELECT * FROM READ_CSV(${duckdb.literal(file)}, AUTO_DETECT = FALSE, HEADER = FALSE, ` +
    `DELIM = ${duckdb.literal(delimiter)}, QUOTE = '"', ESCAPE = '"', NULLSTR = '', NEW_LINE = '\\n', ` +
    `COLUMNS = {${columns.join(', ')}})`
  )
}

export function sparkPieces(folder: string, delimiter: string, fields: number): string {
  const columns = columnsOf(fields, spark).map(([name, type]) => `${name} ${type}`)
  return (
    `CREATE OR REPLACE TEMPORARY VIEW staged (${columns.join(', ')}) USING csv OPTIONS ` +
    `(path ${spark.literal(folder)}, header 'false', sep ${spark.literal(delimiter)}, ` +
    `quote '"', escape '"', multiLine 'true', nullValue '', emptyValue '', mode 'FAILFAST')`
  )
}

function columnsOf(fields: number, { textType }: Dialect): readonly (readonly string[])[] {
  const names = Array.from({ length: fields }, (_, i) => fieldName(i))
  return [['line', 'BIGINT'], ...names.map((name) => [name, textType])]
}
