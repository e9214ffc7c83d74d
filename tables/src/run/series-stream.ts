import type { RawSeries } from '../series/clean.ts'
import { featureName } from '../sql/plan.ts'
import type { Engine } from './engine.ts'

/** A series as the table has it. */
export type KeyedSeries = RawSeries & {
  readonly key: string
  /** Of each of its periods with a row. */
  readonly features: readonly (readonly FeatureValue[])[]
}
type FeatureValue = number | string | null

/** All series in the order of their keys, one in memory at a time. */
export async function* seriesOf(db: Engine, features: number): AsyncGenerator<KeyedSeries, void> {
  const keys = keysOf(db)
  const names = Array.from({ length: features }, (_, i) => `, ${featureName(i)}`)
  const batches = db.sorted({
    select: `CAST(id AS INTEGER), CAST(period AS INTEGER), CAST(value AS DOUBLE)${names.join('')}`,
    from: 'observations',
    by: 'id',
    then: 'period',
    rowBytes: String(16 + 16 * features),
  })
  let id = 0
  let rows = emptyRows()
  const taken = async (): Promise<KeyedSeries> => {
    const { value: key } = await keys.next()
    const { periods, values } = rows
    const made = { periods: Float64Array.from(periods), values: Float64Array.from(values) }
    return { key: key!, ...made, features: rows.features }
  }
  for await (const { rowCount, columns } of batches) {
    const [ids, times, numbers, ...more] = columns
    for (let row = 0; row < rowCount; row++) {
      const next = Number(ids!(row))
      if (next !== id && id !== 0) {
        yield await taken()
        rows = emptyRows()
      }
      id = next
      rows.periods.push(Number(times!(row)))
      const value = numbers!(row)
      rows.values.push(value === null ? Number.NaN : Number(value))
      if (features > 0) rows.features.push(more.map((of) => of(row) as FeatureValue))
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

async function* keysOf(db: Engine): AsyncGenerator<string, void> {
  const batches = db.sorted({
    select: 'series_key',
    from: 'series',
    by: 'id',
    rowBytes: '8 + LENGTH(series_key)',
  })
  for await (const { rowCount, columns } of batches)
    for (let row = 0; row < rowCount; row++) yield String(columns[0]!(row))
}
