import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { csvOf } from '../../src/generate/csv.ts'
import { parquetOf } from '../../src/generate/parquet.ts'
import { makeSalesWorld } from '../../src/generate/sales.ts'
import { lookAtTable } from '../../src/infer/look.ts'
import { parseRecipe } from '../../src/recipe/parse.ts'
import { makeFolder } from '../run/tables.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

async function look(table: string | Buffer) {
  const file = join(folder.path, `table-${count++}`)
  await writeFile(file, table)
  const found = await lookAtTable(file, AbortSignal.timeout(15_000))
  if (found?.recipe) expect(parseRecipe(found.recipe).kind).toBe('done')
  return found!
}
let count = 0

const world = makeSalesWorld({ stores: 3, products: 12, days: 40, firstDay: 19_358, seed: 2 })
const wanted = {
  time: { column: 'date' },
  target: 'quantity',
  keys: ['product_id', 'store_id'],
  frequency: 'daily',
  stockOuts: { column: 'stock_out' },
}

describe('a look at a table proposes a recipe', () => {
  test.each([
    ['CSV', () => Buffer.concat([...csvOf(world)]), 'csv'],
    ['gzip', () => gzipSync(Buffer.concat([...csvOf(world)])), 'csv'],
    ['Parquet', () => Buffer.concat([...parquetOf(world)]), 'parquet'],
  ])('for made-up sales as %s', async (_, made, format) => {
    const { recipe, columns } = await look(made())
    expect(recipe).toMatchObject({ ...wanted, source: { format } })
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toContain('product_name text')
  })

  test('for German habits', async () => {
    const text =
      'Datum;Filiale;Menge\r\n31.01.2024;Köln;1,5\r\n01.02.2024;Köln;2\r\n02.02.2024;Köln;NA\r\n'
    const { recipe, columns } = await look(Buffer.from(text, 'latin1'))
    expect(recipe).toMatchObject({
      source: { format: 'csv', delimiter: ';', encoding: 'latin-1', decimal: ',' },
      time: { column: 'Datum', format: '%d.%m.%Y' },
      target: 'Menge',
      frequency: 'daily',
    })
    expect(columns[2]).toMatchObject({ samples: ['1,5', '2'], missing: 1 })
  })

  test('for months in UTF-16, of which a file of one series has one row each', async () => {
    const months = Array.from({ length: 24 }, (_, i) => {
      return `${2020 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, '0')}\t${i * 7}`
    })
    const { recipe } = await look(
      Buffer.from(`\ufeffmonth\tvalue\n${months.join('\n')}\n`, 'utf16le'),
    )
    expect(recipe).toMatchObject({
      source: { delimiter: '\t', encoding: 'utf-16' },
      target: 'value',
      keys: [],
      frequency: 'monthly',
    })
  })

  test('for objects, and for a file without a header', async () => {
    const objects = [
      '{"ts": "2024-01-01T00:00:00Z", "qty": 1}',
      '{"qty": 2, "ts": "2024-01-01T01:00Z"}',
    ]
    const ndjson = await look(objects.join('\n'))
    expect(ndjson.recipe).toMatchObject({
      source: { format: 'ndjson' },
      time: { column: 'ts' },
      target: 'qty',
      frequency: 'hourly',
    })
    const bare = await look('2024-01-01,17\n2024-01-08,18\n2024-01-15,19\n')
    expect(bare.recipe).toMatchObject({
      source: { header: ['column 1', 'column 2'] },
      target: 'column 2',
      frequency: 'weekly',
    })
  })

  test('and tells what it is not sure of', async () => {
    const { notes, recipe } = await look('date,sales\n01/02/2024,1\n02/03/2024,2\n')
    expect(recipe?.time.format).toBe('%d/%m/%Y')
    expect(notes[0]).toContain('fit both %d/%m/%Y and %m/%d/%Y')
  })

  test('and no recipe where there is no time', async () => {
    const { recipe, notes } = await look('a,b\nx,y\nz,w\n')
    expect(recipe).toBeNull()
    expect(notes).toContain('No column looks like a time.')
  })

  test('and says so when it is no Parquet, for all that it says', async () => {
    const file = join(folder.path, 'broken.parquet')
    await writeFile(file, `PAR1${'x'.repeat(100)}PAR1`)
    expect(await lookAtTable(file, AbortSignal.timeout(15_000))).toBeUndefined()
  })
})
