import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { csvOf } from '../../src/generate/csv.ts'
import { parquetOf } from '../../src/generate/parquet.ts'
import { makeSalesWorld } from '../../src/generate/sales.ts'
import { parseRecipe } from '../../src/recipe/parse.ts'
import type { Source } from '../../src/recipe/schema.ts'
import { lookAtTable } from '../../src/run/run-table.ts'
import { makeFolder } from '../run/tables.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

async function ask(table: string | Buffer, source: Source | null) {
  const file = join(folder.path, `table-${count++}`)
  await writeFile(file, table)
  return await lookAtTable(file, source, AbortSignal.timeout(15_000))
}
async function look(table: string | Buffer, source: Source | null = null) {
  const found = await ask(table, source)
  if (found.kind !== 'looked') throw new Error(`it was ${JSON.stringify(found)}`)
  if (found.look.recipe) expect(parseRecipe(found.look.recipe).kind).toBe('done')
  return found.look
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

  test('with what is said of it in place of what would be guessed', async () => {
    const text = 'made by us\nTag|Menge, kg\n01.02.2024|1,5\n02.02.2024|2,5\n'
    const source = { format: 'csv', delimiter: '|', skip: 1 } as const
    const { recipe, columns } = await look(text, source)
    expect(columns.map(({ name }) => name)).toEqual(['Tag', 'Menge, kg'])
    expect(recipe?.source).toMatchObject({ ...source, decimal: ',' })
    const named = await look('2024-01-01,17\n2024-01-02,x\n', {
      format: 'csv',
      header: ['day', 'sold'],
    })
    expect(named.columns).toMatchObject([{ name: 'day' }, { name: 'sold', type: 'text' }])
    const latin = await look('Ort;Menge\nK\u00f6ln;2\n', { format: 'csv', encoding: 'latin-1' })
    expect(latin.rows[0]).toEqual(['K\u00c3\u00b6ln', '2'])
  })

  const sales = (days: number, write: (day: Date, i: number) => string, step = 1) =>
    Array.from({ length: days }, (_, i) => write(new Date(Date.UTC(2024, 0, 1 + i * step)), i))
  const two = (part: number) => String(part).padStart(2, '0')
  const germanDay = (day: Date) =>
    `${two(day.getUTCDate())}.${two(day.getUTCMonth() + 1)}.${day.getUTCFullYear()}`

  test.each([
    ['daily', 1],
    ['weekly', 7],
    ['quarterly', 91],
  ] as const)('and knows dates that are no ISO as %s', async (frequency, step) => {
    const rows = sales(20, (day, i) => `${germanDay(day)};${i}`, step)
    const { recipe, notes } = await look(`Datum;Menge\n${rows.join('\n')}\n`)
    expect(recipe?.frequency).toBe(frequency)
    expect(notes.join()).not.toContain('how often')
  })

  test('and takes midnights for days', async () => {
    const rows = sales(20, (day, i) => `${day.toISOString()},${i}`)
    const { recipe } = await look(`ts,qty\n${rows.join('\n')}\n`)
    expect(recipe?.frequency).toBe('daily')
    expect((await look('ts,qty\n2024-01-01T00:00:00Z,1\n')).recipe?.frequency).toBe('daily')
  })

  test('and says that midnights elsewhere are of another day in UTC', async () => {
    const rows = (offset: string) =>
      sales(20, (day, i) => `${day.toISOString().slice(0, 10)}T00:00:00${offset},${i}`).join('\n')
    expect((await look(`ts,qty\n${rows('+02:00')}\n`)).notes.join()).toContain('time.zone')
    expect((await look(`ts,qty\n${rows('+00:00')}\n`)).notes.join()).not.toContain('time.zone')
  })

  test.each([
    ['31-Jan-2024', '%d-%b-%Y'],
    ['January 31, 2024', '%B %d, %Y'],
    ['01/31/2024 12:30 AM', '%m/%d/%Y %I:%M %p'],
    ['2024', '%Y'],
    ['1706659200', 'epoch-seconds'],
    ['1706659200000', 'epoch-milliseconds'],
  ])('and knows %s as a date', async (text, format) => {
    const { recipe } = await look(`date;qty\n${text};1\n`)
    expect(recipe?.time).toEqual({ column: 'date', format })
  })

  test('and takes no such numbers for dates under other names, nor a year beside its month', async () => {
    const { recipe, columns } = await look('year;date;qty\n2024;2024-05-01;1\n')
    expect(recipe?.time.column).toBe('date')
    expect(columns[0]).toMatchObject({ type: 'number', timeFormats: [] })
    expect((await look('code;qty\n1706659200;1\n')).recipe).toBeNull()
    expect((await look('year;month;qty\n2024;1;1\n')).recipe).toBeNull()
  })

  test.each([
    ['"1,000,000.50"', ',', { thousands: ',' }],
    ['1.000,50', ';', { decimal: ',', thousands: '.' }],
    ["1'000.50", ';', { thousands: "'" }],
    ['1 000,50', ';', { decimal: ',', thousands: ' ' }],
  ])('and knows what separates thousands in %s', async (text, by, source) => {
    const { recipe, notes } = await look(`day${by}sales\n2024-01-01${by}${text}\n`)
    expect(recipe?.source).toMatchObject(source)
    expect(notes.join()).not.toContain('comma')
  })

  test('and says so where a comma may be of a fraction or of thousands', async () => {
    const { notes } = await look('day;sales\n2024-01-01;1,250\n2024-01-02;999\n')
    expect(notes.join()).toContain('as in 1,250, is taken for a decimal one')
  })

  test('of a file that Excel opens by its first line, and of a report with a title', async () => {
    const rows = sales(20, (day, i) => `${germanDay(day)};${i},5`)
    const excel = await look(`\ufeffsep=;\r\nDatum;Menge\r\n${rows.join('\r\n')}\r\n`)
    expect(excel.recipe).toMatchObject({
      source: { delimiter: ';', skip: 1, decimal: ',' },
      target: 'Menge',
    })
    const titled = await look(`Our sales\nmade today\n\nDatum;Menge\n${rows.join('\n')}\n`)
    expect(titled.recipe).toMatchObject({ source: { delimiter: ';', skip: 2 }, target: 'Menge' })
  })

  test('for all that a line of totals or a broken one is in it, and says which', async () => {
    const rows = sales(40, (day, i) => `${day.toISOString().slice(0, 10)},${i}`)
    const broken = [...rows, '2024-03-01,oops', 'Total,780']
    const { recipe, notes } = await look(`date,qty\n${broken.join('\n')}\n`)
    expect(recipe).toMatchObject({ time: { column: 'date' }, target: 'qty', frequency: 'daily' })
    expect(notes.join(' ')).toMatch(/values of date .*"Total".* values of qty .*"oops"/)
    const worse = [...broken, 'a,x', 'b,y', 'c,z']
    expect((await look(`date,qty\n${worse.join('\n')}\n`)).recipe).toBeNull()
  })

  test('with keys that a line of totals does not have', async () => {
    const rows = sales(20, (day, i) => {
      const date = day.toISOString().slice(0, 10)
      return `${date},north,${i}\n${date},south,${i}`
    })
    const { recipe, notes } = await look(`date,shop,qty\n${rows.join('\n')}\n2024-03-01,,380\n`)
    expect(recipe?.keys).toEqual(['shop'])
    expect(notes).toEqual(['Of the first rows 1 have no shop; such rows are rejected.'])
    const half = await look(`date,shop,qty\n${rows.join('\n').replaceAll('north', '')}\n`)
    expect(half.recipe?.keys).toEqual([])
  })

  test('of a file that unpacks to a thousand times its size, by its beginning', async () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from('a,b\n1,'), Buffer.alloc(300_000_000, 50)]))
    const found = await ask(bomb, null)
    expect(found).toMatchObject({ kind: 'refused', faults: [{ field: '' }] })
  })

  test.each([
    ['is no Parquet, for all that it says', `PAR1${'x'.repeat(100)}PAR1`, 'no whole Parquet file.'],
    ['is an array', '[{"date": "2024-01-01", "qty": 1}]', 'one array of JSON'],
    ['is an archive', 'PK\u0003\u0004\u0000\u0000 sheet', 'a ZIP archive'],
    ['is no text', '\u0089PNG\r\n\u001a\n\u0000\u0000', 'bytes that no text has'],
    ['is empty', '', 'is empty'],
    ['has a header and nothing else', 'date,sales\n', 'No row could be read'],
    ['is cut in its packing', gzipSync('date,sales\n1,2\n').fill(0, 10), 'cannot be unpacked'],
  ] as const)('and says so when it %s', async (_, table, why) => {
    const found = await ask(typeof table === 'string' ? table : Buffer.from(table), null)
    expect(found).toMatchObject({ kind: 'refused' })
    expect(found.kind === 'refused' ? found.faults[0]?.detail : '').toContain(why)
  })

  test('and says so when it is not what is said of it', async () => {
    for (const source of [{ format: 'parquet' }, { format: 'ndjson' }] as const)
      expect(await ask('a,b\n1,2\n', source)).toMatchObject({ kind: 'refused' })
  })
})
