import type { RawSeries } from '../series/clean.ts'
import { featureName } from '../sql/plan.ts'
import type { Database } from './database.ts'

/** A series as the table has it. */
export type KeyedSeries = RawSeries & {
  readonly key: string
  /** Of each of its periods with a row. */
  readonly features: readonly (readonly FeatureValue[])[]
}
type FeatureValue = number | string | null

/** All series in the order of their keys, one in memory at a time. */
export async function* seriesOf(db: Database, features: number): AsyncGenerator<KeyedSeries, void> {
  const keys = keysOf(db)
  const names = Array.from({ length: features }, (_, i) => `, ${featureName(i)}`)
  const query =
    'SELECT CAST(id AS INTEGER), CAST(period AS INTEGER), CAST(value AS DOUBLE)' +
    `${names.join('')} FROM observations ORDER BY id, period`
  let id = 0
  let rows = emptyRows()
  const taken = async (): Promise<KeyedSeries> => {
    const { value: key } = await keys.next()
    const { periods, values } = rows
    const made = { periods: Float64Array.from(periods), values: Float64Array.from(values) }
    return { key: key!, ...made, features: rows.features }
  }
  for await (const chunk of db.chunks(query)) {
    const columns = Array.from({ length: 3 + features }, (_, i) => chunk.getColumnVector(i))
    const [ids, times, numbers, ...more] = columns
    for (let row = 0; row < chunk.rowCount; row++) {
      const next = Number(ids!.getItem(row))
      if (next !== id && id !== 0) {
        yield await taken()
        rows = emptyRows()
      }
      id = next
      rows.periods.push(Number(times!.getItem(row)))
      const value = numbers!.getItem(row)
      rows.values.push(value === null ? Number.NaN : Number(value))
      if (features > 0) rows.features.push(more.map((of) => of.getItem(row) as FeatureValue))
    }
  }
  if (id !== 0) yield await taken()
}

type Rows = {
  readonly periods: number[]
  readonly values: number[]
  readonly features: (readonly FeatureValue[])[]
}

const emptyRows = (): Rows => ({ periods: [], values: [], features: [] })

async function* keysOf(db: Database): AsyncGenerator<string, void> {
  for await (const chunk of db.chunks('SELECT series_key FROM series ORDER BY id')) {
    const column = chunk.getColumnVector(0)
    for (let row = 0; row < chunk.rowCount; row++) yield String(column.getItem(row))
  }
}
