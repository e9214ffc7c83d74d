import { execFileSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { compareKeys } from '@almanac/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { csvOf } from '../../src/generate/csv.ts'
import { parquetOf } from '../../src/generate/parquet.ts'
import { makeSalesWorld } from '../../src/generate/sales.ts'
import type { TableProgress } from '../../src/run/protocol.ts'
import { runTable, type TableConsumer } from '../../src/run/run-table.ts'
import { collector, makeFolder, prepared, type Table } from './tables.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

const world = makeSalesWorld({ stores: 5, products: 20, days: 365, firstDay: 19_358, seed: 5 })

/** The generator's own numbers by key: missing where it was sold out. */
function wantedSeries() {
  const wanted: Record<string, (number | null)[]> = {}
  for (const { rows, store, product, quantity, stockOut } of world.days())
    for (let i = 0; i < rows; i++) {
      const { id } = world.products[product[i]!]!
      const key = `store_id=${world.stores[store[i]!]!.id},product_id=${id}`
      wanted[key] ??= []
      wanted[key].push(stockOut[i] === 1 ? null : quantity[i]!)
    }
  return wanted
}

const sales = {
  target: 'quantity',
  keys: ['store_id', 'product_id'],
  stockOuts: { column: 'stock_out' },
}

async function run(recipe: object, table: Table, consumer: TableConsumer, signal?: AbortSignal) {
  const { own, ...rest } = await prepared(folder.path, recipe, table)
  const until = signal ?? AbortSignal.timeout(18_000)
  const scratch = await makeFolder()
  try {
    return await runTable(
      { ...rest, scratch: scratch.path, memoryMb: 300, threads: 2, shardSeries: 30, signal: until },
      consumer,
    ).finally(async () => expect(await readdir(scratch.path)).toEqual([]))
  } finally {
    await scratch.drop()
  }
}

describe('made-up sales, read again', () => {
  test.each([
    ['csv', () => csvOf(world)],
    ['parquet', () => parquetOf(world)],
  ] as const)('from %s are the numbers that were made up', async (format, pieces) => {
    const { take, series, shards } = collector()
    const progress: TableProgress[] = []
    const table = Buffer.concat([...pieces()])
    const result = await run({ ...sales, source: { format } }, table, {
      shard: async ({ firstKey, bytes }) => take(firstKey, bytes),
      progress: (told) => progress.push(told),
    })
    const wanted = wantedSeries()
    // One by one: all of them at once would be a very long message.
    const unlike = Object.keys(wanted).filter((key) => `${series[key]}` !== `${wanted[key]}`)
    expect(unlike).toEqual([])
    expect(Object.keys(series)).toEqual(Object.keys(wanted).toSorted(compareKeys))
    expect(shards.map((shard) => shard.series)).toEqual([30, 30, 30, 10])
    const values = Object.values(wanted).flat()
    expect(result).toMatchObject({
      kind: 'done',
      summary: {
        rows: values.length,
        observations: values.length,
        missing: values.filter((value) => value === null).length,
        series: 100,
        shards: 4,
        rejected: 0,
        first: '2023-01-01',
        last: '2023-12-31',
      },
    })
    expect([...new Set(progress.map(({ phase }) => phase))].at(-1)).toBe('series')
  })
})

describe('the process of a table', () => {
  const table = 'date,store,sold\n2024-01-01,a,1\n2024-01-01,b,2\n'

  test('that is killed leaves this one alive, with an error that says so', async () => {
    const result = await run({}, table, {
      shard: async () => {
        const children = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'table-process'])
        process.kill(Number(String(children).trim()), 'SIGSEGV')
        await new Promise(() => {})
      },
    })
    expect(result).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('was ended by SIGSEGV'),
    })
  })

  test('ends with the signal, at once', async () => {
    const controller = new AbortController()
    const shard = async () => {
      controller.abort(new Error('no longer wanted'))
      await new Promise(() => {})
    }
    const ended = run({}, table, { shard }, controller.signal)
    await expect(ended).rejects.toThrow('no longer wanted')
  })

  test('ends with a consumer that cannot go on', async () => {
    const shard = () => Promise.reject(new Error('the store is full'))
    await expect(run({}, table, { shard })).rejects.toThrow('the store is full')
  })

  test('answers with what is wrong with the recipe for this file', async () => {
    const result = await run({ target: 'Sold ' }, table, { shard: async () => {} })
    expect(result).toEqual({
      kind: 'refused',
      faults: [
        {
          field: '/target',
          detail: 'There is no column "Sold ".',
          remedy: 'Did you mean "sold"?',
        },
      ],
    })
  })

  test('answers when the file is not there', async () => {
    const file = join(folder.path, 'nowhere.csv')
    const result = await run({}, { file }, { shard: async () => {} })
    expect(result).toMatchObject({ kind: 'failed', detail: expect.stringContaining('ENOENT') })
  })
})
