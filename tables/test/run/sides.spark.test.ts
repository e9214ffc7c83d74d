import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { csvOf } from '../../src/generate/csv.ts'
import { parquetOf } from '../../src/generate/parquet.ts'
import { damaged, world } from './damaged-sales.ts'
import { oddCase } from './odd-cases.ts'
import { type Side, side } from './sides.ts'
import { makeFolder, type Table } from './tables.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

const sales = {
  target: 'quantity',
  keys: ['store_id', 'product_id'],
  stockOuts: { column: 'stock_out' },
}
const cleaning = {
  levelShifts: { do: 'repair' },
  outliers: { do: 'repair' },
  gaps: { fill: 'interpolate', of: 'missing' },
}
const features = [
  { column: 'product_price', type: 'number', aggregate: 'max' },
  { column: 'product_name', type: 'category' },
  { column: 'month', type: 'category' },
]
const steps = [
  { do: 'derive', part: 'month', as: 'month' },
  { do: 'derive', part: 'week', as: 'week' },
  { do: 'filter', column: 'week', is: '<', value: 50 },
  { do: 'filter', column: 'store_id', is: 'not in', values: ['3', "it's", 'a\\b', '"'] },
]

const hours = Array.from({ length: 400 }, (_, i) => new Date(Date.UTC(2024, 9, 20, i)))
const local = (time: Date) => {
  const [date = '', clock = ''] = time
    .toLocaleString('sv-SE', { timeZone: 'Europe/Berlin' })
    .split(' ')
  const [year, month, day] = date.split('-')
  return `${day}.${month}.${year} ${clock.slice(0, 5)}`
}
const amount = (i: number) => (i % 7 ? `1.${100 + i},${i % 9}` : 'k. A.')
const germanRows = hours.map((time, i) => {
  return `${local(time)};Süd ${i % 3};${amount(i)};${i % 50 ? '' : 'JA '}`
})
const german = Buffer.from(`am;Straße;Menge;leer\n${germanRows.join('\n')}\n`, 'latin1')
const germanRecipe = {
  source: {
    ...{ format: 'csv', delimiter: ';', encoding: 'latin-1' },
    ...{ decimal: ',', thousands: '.', missing: ['k. A.'] },
  },
  time: { column: 'am', format: '%d.%m.%Y %H:%M', zone: 'Europe/Berlin' },
  target: 'Menge',
  keys: ['Straße'],
  frequency: 'hourly',
  stockOuts: { column: 'leer', values: ['ja'] },
}

const objects = hours
  .map((time, i) => {
    const at = i % 5 ? time.toISOString() : time.toISOString().replace('Z', '-03:30')
    if (i % 61 === 5) return '{"at": "2024-10-20T00:00:00Z", "sold": 1'
    return JSON.stringify({
      at,
      shop: { 0: null, 1: '', 2: 'é\u2028💡' }[i % 9] ?? i % 4,
      sold: i / 4,
    })
  })
  .join('\n')

const cases: readonly (readonly [string, object, () => Table])[] = [
  ['sales as they were made up', sales, () => Buffer.concat([...csvOf(world)])],
  ['damaged sales, cleaned', { ...sales, ...cleaning, duplicates: 'last' }, damaged],
  [
    'damaged sales by weeks, with features, from gzip',
    { ...sales, features, steps, frequency: 'weekly', duplicates: 'sum', aggregate: 'max' },
    () => gzipSync(damaged()),
  ],
  [
    'sales of Parquet by months',
    { ...sales, source: { format: 'parquet' }, features, steps, frequency: 'monthly' },
    () => Buffer.concat([...parquetOf(world)]),
  ],
  ['hours of a German file, in its zone and its bytes', germanRecipe, () => german],
  [
    'hours of the same, of which clocks show one twice, each for itself',
    { ...germanRecipe, duplicates: 'refuse', gaps: { fill: 'zero', until: 'table' } },
    () => german,
  ],
  [
    'objects, with times of many offsets',
    {
      ...{ source: { format: 'ndjson' }, time: { column: 'at', zone: 'America/New_York' } },
      ...{ target: 'sold', keys: ['shop'], duplicates: 'mean', stockOuts: { zeros: 2 } },
    },
    () => objects,
  ],
  [
    'texts of two bytes a character',
    {
      source: { format: 'csv', encoding: 'utf-16', missing: ['n/a'] },
      time: { column: 'date', format: '%d/%b/%y %I:%M %p' },
      keys: ['store', 'note'],
    },
    () =>
      Buffer.from(
        '\ufeffdate,store,note,sold\n' +
          '1/Feb/24 12:05 AM,Ж,"a=b,c%",1\n2/feb/24 1:05 pm,Ж,"a=b,c%",2\n' +
          '2/Mär/24 1:05 PM,Ж,x,2\n3/Mar/24 13:05 PM,Ж,x,3\n4/Mar/24 11:59 PM,,x,3\n' +
          '5/Mar/24 11:59 PM,n/a,x,3\n6/Mar/24 11:59 PM,z,"x\u00a0",1e3\n',
        'utf16le',
      ),
  ],
  [
    'a table of which no row can be used',
    { target: 'store', keys: [] },
    () => 'date,store,sold\nx,a,1\n',
  ],
  ['a table without rows', {}, () => 'date,store,sold\n'],
  ['a table without one of its columns', { keys: ['shop'] }, () => 'date,store,sold\n'],
]

const onBoth = async (recipe: object, table: Table) => {
  const duckdb = await side(folder.path, recipe, table, undefined)
  const spark = await side(folder.path, recipe, table, inject('spark'))
  return { duckdb, spark }
}

/** What takes no time. */
const outcome = ({ ms: _, ...rest }: Side) => rest

describe('Spark makes of a table what DuckDB makes of it, to the byte', () => {
  test.each(cases)('%s', async (_name, recipe, table) => {
    const { duckdb, spark } = await onBoth(recipe, table())
    expect(spark.result).toEqual(duckdb.result)
    expect(spark.rejects).toBe(duckdb.rejects)
    expect(spark.clean).toBe(duckdb.clean)
    expect(outcome(spark)).toEqual(outcome(duckdb))
  })

  test('odd recipes and rows', async () => {
    const property = fc.asyncProperty(oddCase, async ({ recipe, table }) => {
      const { duckdb, spark } = await onBoth(recipe, table)
      expect(outcome(spark)).toEqual(outcome(duckdb))
    })
    await fc.assert(property, { seed: 6, numRuns: 10, endOnFailure: true })
  }, 900_000)
})

test('sums and means of numbers that are not whole are equal but for their last digits', async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => {
    const date = new Date(Date.UTC(2024, 0, 1 + (i % 60))).toISOString().slice(0, 10)
    return `${date},${i % 7},${(i * 0.37 + 0.01) % 19}`
  })
  const table = `date,store,sold\n${rows.join('\n')}\n`
  for (const aggregate of ['sum', 'mean']) {
    const { duckdb, spark } = await onBoth({ aggregate }, table)
    expect(spark.result).toEqual(duckdb.result)
    const [ours, theirs] = [numbersOf(duckdb), numbersOf(spark)]
    expect(theirs).toHaveLength(420)
    const worst = Math.max(...ours.map((value, i) => Math.abs(theirs[i]! / value - 1)))
    expect(worst).toBeLessThan(1e-12)
  }
})

const numbersOf = ({ clean }: Side) =>
  clean
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => Number(line.split(',')[2]))
