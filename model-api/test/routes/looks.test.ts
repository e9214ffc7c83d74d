import { gzipSync } from 'node:zlib'
import { Missing } from '@almanac/shared'
import { csvOf, makeSalesWorld, parquetOf } from '@almanac/tables'
import { expect, test } from 'vitest'
import type { FileReader } from '../../src/base/context.ts'
import { internalHeaders, openMachine, openNode, untilReady } from '../support/machine.ts'

const world = makeSalesWorld({ stores: 3, products: 40, days: 400, firstDay: 19_358, seed: 2 })
const german = [
  'Datum;Filiale;Menge',
  ...[
    '31.01.2024;K\u00f6ln;1,5',
    '01.02.2024;K\u00f6ln;',
    '02.02.2024;K\u00f6ln;2',
    '03.02.2024;Ulm;',
  ],
  '',
].join('\r\n')
const lines = '{"ts": "2024-01-01T00:00:00Z", "qty": 1}\n{"qty": 2, "ts": "2024-01-01T01:00Z"}\n'
const contents: Readonly<Record<string, Buffer>> = {
  'sales.csv': Buffer.concat([...csvOf(world)]),
  'sales.parquet': Buffer.concat([...parquetOf(world)]),
  'german.csv.gz': gzipSync(Buffer.from(german, 'latin1')),
  'lines.ndjson': Buffer.from(lines),
  'sheet.xlsx': Buffer.from('PK\u0003\u0004\u0000\u0000'),
}

/** How far each file was read. */
function countingFiles() {
  const read = new Map<string, number>()
  async function* pieces(name: string, content: Buffer) {
    for (let at = 0; at < content.length; at += 65_536) {
      const piece = content.subarray(at, at + 65_536)
      read.set(name, at + piece.length)
      yield piece
    }
  }
  const files: FileReader = {
    read: async (name) => {
      const content = contents[name]
      if (content === undefined) throw new Missing(name)
      const about = { name, modifiedAt: '2026-01-01T00:00:00.000Z', etag: 'e' }
      return { info: { ...about, sizeBytes: content.length }, content: pieces(name, content) }
    },
  }
  return { files, read }
}

type Said = {
  readonly sizeBytes: number
  readonly rowsRead: number
  readonly rows: readonly unknown[]
  readonly columns: readonly unknown[]
  readonly detail: string
}

async function openWith(files: FileReader | undefined) {
  const machine = await openMachine()
  const node = await openNode(machine, { files })
  await untilReady(node)
  return async (body: unknown) => {
    const headers = await internalHeaders(machine, node)
    const answer = await fetch(`${node.url}/internal/v1/looks`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: (await answer.json()) as Said }
  }
}

test('a node says what a file is made of', async () => {
  const { files, read } = countingFiles()
  const look = await openWith(files)

  const sales = { keys: ['product_id', 'store_id'], target: 'quantity', frequency: 'daily' }
  const csv = await look({ file: 'sales.csv' })
  expect(csv.body).toMatchObject({
    format: 'csv',
    delimiter: ',',
    encoding: 'utf-8',
    recipe: sales,
  })
  expect(csv.body.sizeBytes).toBeGreaterThan(2_500_000)
  expect(read.get('sales.csv')).toBe(2_097_152)
  expect(csv.body.rowsRead).toBe(1_000)
  expect(csv.body.rows).toHaveLength(5)

  const parquet = await look({ file: 'sales.parquet' })
  expect(parquet.body).toMatchObject({ format: 'parquet', encoding: null, recipe: sales })

  const { body } = await look({ file: 'german.csv.gz' })
  expect(body).toMatchObject({
    ...{ compression: 'gzip', encoding: 'latin-1', delimiter: ';' },
    recipe: { source: { decimal: ',' }, time: { column: 'Datum', format: '%d.%m.%Y' } },
  })
  expect(body.columns[2]).toMatchObject({
    missingShare: 0.5,
    examples: ['1,5', '2'],
    type: 'number',
  })

  const ndjson = await look({ file: 'lines.ndjson' })
  expect(ndjson.body).toMatchObject({ format: 'ndjson', recipe: { frequency: 'hourly' } })
  const source = { format: 'csv', delimiter: '|', header: ['all'] }
  const said = await look({ file: 'lines.ndjson', source })
  expect(said.body).toMatchObject({ format: 'csv', delimiter: '|', recipe: null })
})

test('a node says why it cannot', async () => {
  const look = await openWith(countingFiles().files)
  const sheet = await look({ file: 'sheet.xlsx' })
  expect(sheet).toMatchObject({ status: 422, body: { type: 'urn:almanac:problem:not-a-table' } })
  expect(sheet.body.detail).toContain('a ZIP archive')
  expect(await look({ file: 'none.csv' })).toMatchObject({ status: 404 })
  const wrong = await look({ file: 'sales.csv', source: { format: 'xml' } })
  expect(wrong).toMatchObject({ status: 422, body: { field: '/source/format' } })
})

test('of several at once some are refused, and the others are done', async () => {
  const look = await openWith(countingFiles().files)
  const all = await Promise.all(Array.from({ length: 7 }, () => look({ file: 'lines.ndjson' })))
  const statuses = all.map(({ status }) => status).toSorted((a, b) => a - b)
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429, 429])
})

test('a node without files says so', async () => {
  const look = await openWith(undefined)
  expect(await look({ file: 'sales.csv' })).toMatchObject({ status: 409 })
})
