import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readOptions } from '../../src/generate/options.ts'

const main = join(import.meta.dirname, '../../src/generate/main.ts')
const small = ['--stores', '2', '--products', '30', '--years', '0.2', '--seed', '9']
const header =
  'product_id,product_name,product_price,store_id,store_name,quantity,date,promotion,stock_out'
let folder: string
let csv: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-generate-'))
  csv = (await generate()).stdout
})
afterAll(() => rm(folder, { recursive: true }))

async function generate(...args: readonly string[]) {
  return await promisify(execFile)(process.execPath, [main, ...small, ...args], {
    timeout: 20_000,
    maxBuffer: 50_000_000,
  })
}

describe('npm run generate', () => {
  test('writes CSV that says what it holds, a row a line', () => {
    const [head, first, ...rest] = csv.trimEnd().split('\n')
    expect(head).toBe(header)
    expect(first).toMatch(
      /^1,"[A-Z][a-z ]+, [a-z]+ 1",\d+\.\d\d,1,Store [A-Z][a-z]+ 1,\d+,2023-01-01,[01],[01]$/,
    )
    expect(rest.length).toBeGreaterThan(73 * 2 * 25)
    expect(rest.at(-1)).toContain(',2023-03-14,')
  })

  test('writes the same bytes to a file', async () => {
    await generate('--out', join(folder, 'sales.csv'))
    expect(await readFile(join(folder, 'sales.csv'), 'utf8')).toBe(csv)
  })

  test('compresses them when the name says so', async () => {
    await generate('--out', join(folder, 'sales.csv.gz'))
    expect(gunzipSync(await readFile(join(folder, 'sales.csv.gz'))).toString()).toBe(csv)
  })

  test('writes the same rows as Parquet', async () => {
    const file = join(folder, 'sales.parquet')
    await generate('--out', file)
    const bytes = await readFile(file)
    const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer })
    const lines = rows.map((row) => {
      const price = (row.product_price as number).toFixed(2)
      const date = (row.date as Date).toISOString().slice(0, 10)
      const [promotion, stockOut] = [Number(row.promotion), Number(row.stock_out)]
      return `${row.product_id},"${row.product_name}",${price},${row.store_id},${row.store_name},${row.quantity},${date},${promotion},${stockOut}`
    })
    expect([header, ...lines].join('\n')).toBe(csv.trimEnd())
  })

  test('ends quietly when its reader has seen enough', async () => {
    const child = execFile('/bin/sh', [
      '-c',
      `"${process.execPath}" "${main}" --years 30 | head -1`,
    ])
    let errors = ''
    child.stderr?.on('data', (data) => (errors += data))
    await new Promise((resolve) => child.once('close', resolve))
    expect(errors).toBe('')
  })

  test('says all that is wrong, and does nothing', async () => {
    const run = generate('--stores', '0', '--start', '2024-02-30', '--out', join(folder, 'x.xls'))
    const error = await run.catch((fault) => fault)
    expect(error.code).toBe(2)
    expect(error.stderr).toContain('--stores is "0"; it must be a whole number from 1 to 65,535.')
    expect(error.stderr).toContain('--start is "2024-02-30"; it must be a date like 2024-01-01.')
    expect(error.stderr).toContain('it must end in .csv, .csv.gz or .parquet.')
    expect(error.stdout).toBe('')
  })

  test('says so when the file cannot be written', async () => {
    const error = await generate('--out', join(folder, 'no', 'sales.csv')).catch((fault) => fault)
    expect(error.code).toBe(1)
    expect(error.stderr).toContain('The table could not be written: ENOENT')
  })
})

describe('its options', () => {
  test('have defaults', () => {
    const read = readOptions([])
    expect(read).toEqual({
      options: {
        stores: 10,
        products: 100,
        days: 1096,
        firstDay: 19_358,
        seed: 1,
        format: 'csv',
        out: null,
        gzip: false,
      },
    })
  })

  test.each([
    [['--shops', '3'], '--shops'],
    [['--years', '0'], '--years is "0"; it must be a number above 0 to 100.'],
    [['--years', '-1'], '--years'],
    [['--seed', '1.5'], '--seed is "1.5"; it must be a whole number from 0 to 4,294,967,295.'],
    [['--stores', '65535', '--products', '65535'], '--stores times --products is more than'],
  ])('%j are refused by name', (args, fault) => {
    const read = readOptions(args)
    expect('faults' in read && read.faults.join()).toContain(fault)
  })
})
