import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { runRegression } from '../../src/index.ts'
import {
  decodeRegression,
  makePredict,
  parseRegression,
  type RegressionModel,
} from '../../src/regress/index.ts'
import { damaged } from '../run/damaged-sales.ts'
import { runOn } from '../run/sides.ts'
import { makeFolder, prepared, type Table } from '../run/tables.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

const recipe = {
  target: 'quantity',
  keys: ['store_id', 'product_id'],
  frequency: 'monthly',
  features: [
    { column: 'product_price', type: 'number', aggregate: 'max' },
    { column: 'product_name', type: 'category' },
  ],
}

async function fitted(given: object, table: Table, model: object, spark: string | undefined) {
  const { own, ...rest } = await prepared(folder.path, given, table)
  const spec = parseRegression({ family: 'regression', model }, rest.recipe)
  if (spec.kind === 'refused') throw new Error(JSON.stringify(spec.faults))
  const machine = { memoryMb: 768, threads: 2, scratch: own }
  const onSpark = spark === undefined ? {} : { spark: runOn(spark, own) }
  const signal = AbortSignal.timeout(150_000)
  const run = { ...rest, ...machine, ...onSpark, spec: spec.value, signal }
  const result = await runRegression(run, {})
  if (result.kind !== 'done') return { result, model: undefined }
  const decoded = decodeRegression(result.model)
  if ('fault' in decoded) throw new Error(decoded.fault)
  return { result, model: decoded }
}

async function onBoth(given: object, table: Table, model: object) {
  const duckdb = await fitted(given, table, model, undefined)
  const spark = await fitted(given, table, model, inject('spark'))
  return { duckdb, spark }
}

const linear = { kind: 'linear' }
const forest = { kind: 'forest', trees: 20, depthMax: 8, seed: 3 }

describe('a regression whose rows Spark made is the one whose rows DuckDB made', () => {
  test.each([
    ['a line', linear],
    ['a forest', forest],
  ])('%s, to the byte, where sums are exact', async (_name, model) => {
    const { duckdb, spark } = await onBoth(recipe, damaged(), model)
    if (duckdb.result.kind !== 'done') throw new Error(JSON.stringify(duckdb.result))
    const { summary, fitted: of } = duckdb.result
    expect(summary.rejected).toBeGreaterThan(10)
    expect(of).toMatchObject({ rows: summary.observations, unusable: 0 })
    expect(spark.result).toEqual(duckdb.result)
  })

  test('a line predicts the same but for the last digits where sums are not exact', async () => {
    const rows = Array.from({ length: 6_000 }, (_, i) => {
      const date = new Date(Date.UTC(2023, 0, 1 + (i % 700))).toISOString().slice(0, 10)
      return `${date},${i % 7},${(i * 0.37 + 0.01) % 19},${(i * 0.13) % 3}`
    })
    const table = `date,store,price,sold\n${rows.join('\n')}\n`
    const features = [{ column: 'price', type: 'number', aggregate: 'mean' }]
    const given = { frequency: 'monthly', features }
    const { duckdb, spark } = await onBoth(given, table, linear)
    const [ours, theirs] = [answers(duckdb.model), answers(spark.model)]
    expect(ours).toHaveLength(84)
    expect(new Set(ours).size).toBeGreaterThan(80)
    const worst = Math.max(...ours.map((value, i) => Math.abs(theirs[i]! / value - 1)))
    expect(worst).toBeLessThan(1e-9)
  })

  test('a table of which no row has all features is refused by both with the same words', async () => {
    const table = 'date,store,price,sold\n2023-01-01,a,,5\n2023-02-01,b,dear,7\n'
    const given = { features: [{ column: 'price', type: 'number' }] }
    const { duckdb, spark } = await onBoth(given, table, forest)
    expect(duckdb.result).toMatchObject({ kind: 'refused' })
    expect(spark.result).toEqual(duckdb.result)
  })
})

/** What a model says of each store in each month of a year. */
function answers(model: RegressionModel | undefined): readonly number[] {
  if (model === undefined) throw new Error('nothing was fitted')
  const predict = makePredict(model)
  return [0, 1, 2, 3, 4, 5, 6].flatMap((store) =>
    Array.from({ length: 12 }, (_, month) => {
      const date = `2024-${String(month + 1).padStart(2, '0')}-01`
      const row = { store: `${store}`, date, price: `${store + month / 4}` }
      const said = predict(new Map(Object.entries(row)))
      if (typeof said !== 'number') throw new Error(JSON.stringify(said))
      return said
    }),
  )
}
