import type { RawSeries } from '../series/clean.ts'
import type { Database } from './database.ts'

/** A series as the table has it. */
export type KeyedSeries = RawSeries & { readonly key: string }

/** All series in the order of their keys, one in memory at a time. */
export async function* seriesOf(db: Database): AsyncGenerator<KeyedSeries, void> {
  const keys = keysOf(db)
  const query =
    'SELECT CAST(id AS INTEGER), CAST(period AS INTEGER), CAST(value AS DOUBLE) ' +
    'FROM observations ORDER BY id, period'
  let id = 0
  let periods: number[] = []
  let values: number[] = []
  const taken = async (): Promise<KeyedSeries> => {
    const { value: key } = await keys.next()
    return { key: key!, periods: Float64Array.from(periods), values: Float64Array.from(values) }
  }
  for await (const chunk of db.chunks(query)) {
    const [ids, times, numbers] = [0, 1, 2].map((column) => chunk.getColumnVector(column))
    for (let row = 0; row < chunk.rowCount; row++) {
      const next = Number(ids!.getItem(row))
      if (next !== id && id !== 0) {
        yield await taken()
        periods = []
        values = []
      }
      id = next
      periods.push(Number(times!.getItem(row)))
      const value = numbers!.getItem(row)
      values.push(value === null ? Number.NaN : Number(value))
    }
  }
  if (id !== 0) yield await taken()
}

async function* keysOf(db: Database): AsyncGenerator<string, void> {
  for await (const chunk of db.chunks('SELECT series_key FROM series ORDER BY id')) {
    const column = chunk.getColumnVector(0)
    for (let row = 0; row < chunk.rowCount; row++) yield String(column.getItem(row))
  }
}
