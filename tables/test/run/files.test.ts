import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parquetOf } from '../../src/generate/parquet.ts'
import { makeSalesWorld } from '../../src/generate/sales.ts'
import { makeFolder, ran } from './tables.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

const csv = 'date,store,sold\n2024-01-01,"Köln, Süd",1\n2024-01-02,"Köln, Süd",2.5\n'
const koeln = { 'store=Köln%2C Süd': [1, 2.5] }

describe('a table', () => {
  test.each([
    ['UTF-8', {}, Buffer.from(csv)],
    ['UTF-8 with a mark', {}, Buffer.from(`\ufeff${csv}`)],
    ['UTF-8, gzip', {}, gzipSync(csv)],
    ['Latin-1', { encoding: 'latin-1' }, Buffer.from(csv, 'latin1')],
    ['UTF-16', { encoding: 'utf-16' }, Buffer.from(`\ufeff${csv}`, 'utf16le')],
    ['UTF-16 the other way', { encoding: 'utf-16' }, Buffer.from(csv, 'utf16le').swap16()],
    ['lines that end in CR LF', {}, Buffer.from(csv.replaceAll('\n', '\r\n'))],
  ])('is read as %s', async (_name, source, bytes) => {
    const { series } = await ran(folder.path, { source: { format: 'csv', ...source } }, bytes)
    expect(series).toEqual(koeln)
  })

  test('has its own delimiter, quote, decimal comma, missing values and times', async () => {
    const table =
      "made by nobody\n\nam;Markt;Menge\n01.02.2024 10:30;'a''b;c';1.234,5\n2.2.2024 0:00;'a''b;c';-\n"
    const recipe = {
      source: {
        format: 'csv',
        delimiter: ';',
        quote: "'",
        skip: 2,
        decimal: ',',
        thousands: '.',
        missing: ['-'],
      },
      time: { column: 'am', format: '%d.%m.%Y %H:%M' },
      target: 'Menge',
      keys: ['Markt'],
    }
    const { series, starts } = await ran(folder.path, recipe, table)
    expect(series).toEqual({ "Markt=a'b;c": [1234.5, null] })
    expect(starts).toEqual({ "Markt=a'b;c": '2024-02-01' })
  })

  test('without a header has the names of the recipe, and may be one series', async () => {
    const source = { format: 'csv', header: ['date', 'sold'], delimiter: '\t', quote: null }
    const table = '2024-01-01\t3\n2024-01-02\t4\n'
    const { series } = await ran(folder.path, { source, keys: [] }, table)
    expect(series).toEqual({ all: [3, 4] })
  })

  test('of Parquet may have a name that is a pattern, and is read by none but its own', async () => {
    const file = join(folder.path, "it's [1] *.parquet")
    const world = makeSalesWorld({ stores: 1, products: 2, days: 3, firstDay: 19_358, seed: 1 })
    await writeFile(file, Buffer.concat([...parquetOf(world)]))
    const recipe = { source: { format: 'parquet' }, target: 'quantity', keys: ['store_name'] }
    const { summary } = await ran(folder.path, recipe, { file })
    expect(summary).toMatchObject({ rows: 6, series: 1, observations: 3 })
  })

  test('of which the first line is one name with semicolons asks for its delimiter', async () => {
    const table = 'date;store;sold\n2024-01-01;a;1\n'
    await expect(ran(folder.path, {}, table)).rejects.toThrow(/check source\.delimiter/)
    const none = ran(folder.path, { target: 'absent' }, 'date,store\n2024-01-01,a\n')
    await expect(none).rejects.toThrow(/^(?!.*delimiter).*Name one of/s)
  })

  test('that is too wide is refused', async () => {
    const table = `${Array.from({ length: 1_001 }, (_, i) => `c${i}`).join(',')}\n`
    await expect(ran(folder.path, {}, table)).rejects.toThrow(/1001 columns; at most 1000/)
  })

  test('of objects is read by name, each line for itself', async () => {
    const table = [
      '{"sold": 1.5, "store": 7, "date": "2024-01-01", "more": [1]}',
      '{"date": "2024-01-02", "store": 7, "sold": "2"',
      '[1, 2]',
      '{"date": "2024-01-03", "store": 12345678901234567890, "sold": 1}',
      '{"date": "2024-01-04", "store": "7", "sold": null}',
    ].join('\n')
    const { series, rejects } = await ran(folder.path, { source: { format: 'ndjson' } }, table)
    expect(series).toEqual({ 'store=7': [1.5, null, null, null] })
    expect(rejects.map((row) => row.split(',').slice(0, 4).join())).toEqual([
      '2,read,rejected,it is not a JSON object',
      '3,read,rejected,it is not a JSON object',
      '4,read,rejected,a whole number in it is too large to be exact; as a text it would be',
    ])
  })

  test.each([
    ['epoch-seconds', 'UTC', '1704067200', '2024-01-01'],
    ['epoch-seconds', 'America/New_York', '1704067200', '2023-12-31'],
    ['epoch-seconds', 'UTC', '-1', '1969-12-31'],
    ['epoch-milliseconds', 'UTC', '1704153599999', '2024-01-01'],
    ['iso', 'UTC', '2024-01-01T23:30:00-02:30', '2024-01-02'],
    ['iso', 'Europe/Berlin', '2024-06-30T22:30:00Z', '2024-07-01'],
    ['iso', 'Europe/Berlin', '2024-06-30 23:30:00.25', '2024-06-30'],
    ['iso', 'UTC', '2024-06', '2024-06-01'],
    ['%d/%m/%y %I:%M %p %z', 'UTC', '31/12/23 11:30 PM -0100', '2024-01-01'],
    ['%b %d %Y', 'UTC', 'Feb 29 2024', '2024-02-29'],
  ])('with times by %s in %s has %s on %s', async (format, zone, text, date) => {
    const table = `date,store,sold\n${text},a,1\n`
    const recipe = { time: { column: 'date', format, zone } }
    const { starts, zones } = await ran(folder.path, recipe, table)
    expect(starts).toEqual({ 'store=a': date })
    expect(zones).toEqual(zone === 'UTC' ? {} : { 'store=a': zone })
  })

  test('of hours counts those that there were on the day on which the clock is set back', async () => {
    const hours = ['2024-10-27T00:30Z', '2024-10-27T01:30Z', '2024-10-27T02:30Z']
    const local = '2024-10-27 04:15'
    const rows = [...hours, local].map((text, i) => `${text},a,${i + 1}`)
    const recipe = {
      time: { column: 'date', zone: 'Europe/Berlin' },
      frequency: 'hourly',
      steps: [{ do: 'derive', part: 'hour', as: 'hour' }],
      keys: ['store'],
    }
    const table = `date,store,sold\n${rows.join('\n')}\n`
    const { series, starts } = await ran(folder.path, recipe, table)
    expect(series).toEqual({ 'store=a': [1, 2, 3, 4] })
    expect(starts).toEqual({ 'store=a': '2024-10-27T00:00:00Z' })
  })

  test.each([
    ['weekly', '2024-01-03', '2024-01-01'],
    ['weekly', '1969-12-28', '1969-12-22'],
    ['quarterly', '2024-06-30', '2024-04-01'],
    ['yearly', '2024-06-30', '2024-01-01'],
    ['monthly', '1969-12-31', '1969-12-01'],
  ])('%s has %s in the period from %s', async (frequency, date, start) => {
    const table = `date,store,sold\n${date},a,1\n`
    expect((await ran(folder.path, { frequency }, table)).starts).toEqual({ 'store=a': start })
  })
})

describe('a damaged file', () => {
  const rows = (count: number, change: (line: number, row: string) => string) => {
    const made = Array.from({ length: count }, (_, i) => {
      const date = new Date(Date.UTC(2000, 0, 1 + i)).toISOString().slice(0, 10)
      return change(i + 2, `${date},"a ""1""",${i}`)
    })
    return `date,store,sold\n${made.join('\n')}\n`
  }
  test.each([
    ['an open quote', '2000-02-09,"a,39', 'a quote is opened and not closed'],
    ['text after a quote', '2000-02-09,"a"b,39', 'there is text after a closing quote'],
    ['too few fields', '2000-02-09', 'it has 1 fields; not 3'],
    ['too many fields', '2000-02-09,a,39,,', 'it has 5 fields; not 3'],
    ['a NUL', '2000-02-09,a\0,39', 'there is a NUL byte in it'],
  ])(
    'with %s in one line loses this line, also where quotes may span lines',
    async (_, bad, why) => {
      const table = rows(3_000, (line, row) => (line === 41 ? bad : row))
      for (const multiline of [false, true]) {
        const source = { format: 'csv', multiline }
        const { rejects, series, summary } = await ran(folder.path, { source }, table)
        expect(rejects).toHaveLength(1)
        expect(rejects[0]!.replace(`"${why.replace(';', ',')}"`, why)).toContain(
          `41,read,rejected,${why},`,
        )
        expect(summary).toMatchObject({ rows: 3_000, rejected: 1, observations: 3_000 })
        const [values] = Object.values(series)
        expect(values).toEqual(Array.from({ length: 3_000 }, (_, i) => (i === 39 ? null : i)))
      }
    },
  )

  test('may have quoted line breaks, and lines are counted through them', async () => {
    const table =
      'date,store,sold\n2024-01-01,"a\r\nb",1\n2024-01-02,"a\r\nb",x\n\n2024-01-03,c,y\n'
    const source = { format: 'csv', multiline: true }
    const { series, rejects } = await ran(folder.path, { source }, table)
    expect(series).toEqual({ 'store=a\r\nb': [1] })
    expect(rejects.filter((row) => /^\d/.test(row)).map((row) => row.split(',')[0])).toEqual([
      '4',
      '7',
    ])
  })

  test('with bytes that are no UTF-8 in one line loses this line', async () => {
    const table = Buffer.concat([
      Buffer.from('date,store,sold\n2024-01-01,a,1\n2024-01-02,'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(',2\n2024-01-03,a,3\n'),
    ])
    const { series, rejects } = await ran(folder.path, {}, table)
    expect(series).toEqual({ 'store=a': [1, null, 3] })
    expect(rejects[0]).toContain('3,read,rejected,it is not UTF-8; another encoding may be meant,')
  })

  test('with a line without an end loses this line', async () => {
    const table = `date,store,sold\n2024-01-01,a,1\n${'x'.repeat(3_000_000)}\n2024-01-02,a,2\n`
    const { series, rejects } = await ran(folder.path, {}, table)
    expect(series).toEqual({ 'store=a': [1, 2] })
    expect(rejects).toHaveLength(1)
    expect(rejects[0]!.length).toBeLessThan(3_000)
  })

  test.each([
    ['gzip that ends too early', gzipSync(csv.repeat(100)).subarray(0, 60), /cannot be unpacked/],
    ['nothing', '', /There is no row in the file/],
    ['a header alone', 'date,store,sold\n', /There is no row in the file/],
    ['no row that can be used', 'date,store,sold\nx,a,1\n', /"date": it is not a time/],
    ['other columns', 'date,shop,sold\n2024-01-01,a,1\n', /no column "store".*"date", "shop"/],
    ['the same in other letters', 'date,Store,sold\n2024-01-01,a,1\n', /Did you mean "Store"/],
  ])('that is %s is refused as a whole', async (_, table, why) => {
    await expect(ran(folder.path, {}, table)).rejects.toThrow(why)
  })

  test('that says that it is Parquet and is not is refused', async () => {
    const file = join(folder.path, 'broken.parquet')
    await writeFile(file, `PAR1${'x'.repeat(100)}PAR1`)
    const source = { format: 'parquet' }
    await expect(ran(folder.path, { source }, { file })).rejects.toThrow(/parquet/i)
  })
})
