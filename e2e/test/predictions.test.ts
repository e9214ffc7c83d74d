import { headers as names } from '@almanac/shared'
import { expect, test } from 'vitest'
import { monthOf, openFiles, salesCsv } from '../support/files.ts'
import { openLoopback, until, untilLoaded } from '../support/loopback.ts'

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'quantity',
  keys: ['store_id', 'product_id'],
  frequency: 'monthly',
}
const fitBody = { table: { file: 'sales.csv', recipe }, spec: { family: 'regression' } }
const both = ['fit', 'serve'] as const

async function opened(nodes: number) {
  const machine = await openLoopback()
  const files = await openFiles()
  for (let i = 0; i < nodes; i++) await machine.node({ roles: [...both], files })
  const broker = await machine.broker({ files })
  const put = await fetch(`${broker.url}/api/files/sales.csv`, { method: 'PUT', body: salesCsv() })
  expect(put.status).toBe(200)
  return { machine, broker, url: `${broker.url}/api/models/sales` }
}

async function fitted(nodes: number) {
  const { machine, broker, url } = await opened(nodes)
  const answer = await post(`${url}/fit`, fitBody)
  expect(answer, JSON.stringify(answer)).toMatchObject({ status: 200, body: { state: 'serving' } })
  await untilLoaded(broker, 'sales', nodes)
  return { machine, broker, url }
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
    signal: AbortSignal.timeout(60_000),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

const predicted = async (url: string, csv: string | FormData, query = '') => {
  const isForm = csv instanceof FormData
  const answer = await fetch(`${url}/predictions${query}`, {
    method: 'POST',
    headers: isForm ? {} : { 'content-type': 'text/csv' },
    body: csv,
    signal: AbortSignal.timeout(60_000),
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

test('rows of a CSV come back in their order, with a prediction or the reason for none', async () => {
  const { url } = await fitted(1)
  const csv = [
    '\ufeffnote,store_id,date,product_id',
    '"=a, b",2,2023-06-09,3',
    '-5,77,2023-06-09,3',
    'two',
    'x,2,,3',
    ',3,June,1',
    '"a\nb",1,2023-01-31,1',
  ].join('\r\n')
  const answer = await predicted(url, csv)
  expect([answer.status, answer.headers.get(names.modelVersion)], answer.text).toEqual([200, '1'])
  expect(answer.headers.get('content-type')).toMatch(/^text\/csv/)
  const lines = answer.text.trimEnd().split(/\n(?!b)/)
  expect(lines[0]).toBe('note,store_id,date,product_id,prediction,error')
  const [first, , , , , last] = lines.slice(1)
  expect(first).toMatch(/^"'=a, b",2,2023-06-09,3,\d+(\.\d+)?,$/)
  expect(last).toMatch(/^"a\nb",1,2023-01-31,1,\d+(\.\d+)?,$/)
  const number = Number(first!.split(',').at(-2))
  expect(Math.abs(number / monthOf(2, 3, 6, 30) - 1)).toBeLessThan(0.15)
  expect(lines.slice(2, 6)).toEqual([
    '-5,77,2023-06-09,3,,"store_id: ""77"" was not there when the model was fitted"',
    ',,,,,"line 4: it has 1 fields, not 4"',
    'x,2,,3,,date: there is no value',
    ',3,June,1,,"date: ""June"" is not a date like 2024-01-31"',
  ])
  expect(lines).toHaveLength(7)

  const form = new FormData()
  form.append('file', new Blob([csv.slice(1)]), 'rows.csv')
  expect((await predicted(url, form)).text).toBe(answer.text)
})

test('rows as JSON are answered as JSON', async () => {
  const { url } = await fitted(1)
  const rows = [
    { store_id: 1, product_id: '2', date: '2023-02-01', other: true },
    { store_id: 1, date: '2023-02-01' },
  ]
  expect(await post(`${url}/predictions`, { rows })).toEqual({
    status: 200,
    body: {
      model: 'sales',
      version: 1,
      predictions: [
        { prediction: expect.any(Number), error: null },
        { prediction: null, error: { column: 'product_id', reason: 'there is no value' } },
      ],
    },
  })
  expect(await post(`${url}/predictions`, { rows: [] })).toMatchObject({
    status: 200,
    body: { predictions: [] },
  })
})

test('what cannot be answered is refused before any row is read, with what to do', async () => {
  const { url } = await fitted(1)
  const refused = async (answer: Promise<{ status: number; text: string }>) => {
    const { status, text } = await answer
    const { type, detail, remedy = '' } = JSON.parse(text)
    return [status, type.split(':').at(-1), `${detail} ${remedy}`]
  }
  expect(await refused(predicted(url, 'store_id,price\n1,2\n'))).toEqual([
    422,
    'missing-columns',
    expect.stringContaining('lacks product_id, date'),
  ])
  expect(await refused(predicted(url, 'a,"b\n1,2\n'))).toEqual([
    422,
    'no-header',
    expect.stringContaining('quote'),
  ])
  expect((await refused(predicted(url, ''))).slice(0, 2)).toEqual([400, 'no-body'])
  expect((await refused(predicted(url, new FormData())))[0]).toBe(400)
  expect((await refused(predicted(url, 'a\n', '?version=9')))[0]).toBe(404)
  expect((await refused(predicted(url, 'a\n', '?horizon=9')))[0]).toBe(400)
  expect(await post(`${url}/predictions`, 'x')).toMatchObject({ status: 400 })
  expect(await post(`${url}/predictions`, { rows: [1] })).toMatchObject({
    status: 400,
    body: { field: '/rows/0' },
  })
  expect(await post(`${url}/predictions`, { rows: [], more: 1 })).toMatchObject({ status: 400 })
  const large = { rows: [{ store_id: 'x'.repeat(2_097_152) }] }
  expect(await post(`${url}/predictions`, large)).toMatchObject({
    status: 413,
    body: { remedy: expect.stringContaining('text/csv') },
  })
  const asked = await fetch(`${url}/forecast/5`)
  expect(asked.status).toBe(422)
  expect(await asked.json()).toMatchObject({ remedy: expect.stringContaining('/predictions') })
  const body = { data: [1, 2] }
  expect(await post(`${url}/observations`, body)).toMatchObject({ status: 422 })
  const series = { data: [1, 2, 3, 4], spec: { family: 'baseline', method: 'naive' } }
  const other = url.replace('sales', 'series')
  expect(await post(`${other}/fit`, series)).toMatchObject({ status: 200 })
  expect(await refused(predicted(other, 'a\n1\n'))).toEqual([
    422,
    'no-regression',
    expect.stringContaining('/forecast/'),
  ])
})

test('a regression without a table, or with a wrong spec, is refused by its field', async () => {
  const { url } = await opened(0)
  const spec = { family: 'regression' }
  expect(await post(`${url}/fit`, { data: [1, 2], spec })).toMatchObject({
    status: 400,
    body: { field: '/table' },
  })
  const wrong = { ...fitBody, spec: { ...spec, model: { kind: 'forest', trees: 0 } } }
  expect(await post(`${url}/fit`, wrong)).toMatchObject({
    status: 400,
    body: { field: '/spec/model/trees' },
  })
})

test('a version that was before, or is rolled back to, predicts as it did', async () => {
  const { url } = await fitted(1)
  const spec = { family: 'regression', model: { kind: 'linear' } }
  const csv = 'store_id,product_id,date\n1,1,2023-07-01\n'
  const before = await predicted(url, csv)
  expect(await post(`${url}/fit`, { ...fitBody, spec })).toMatchObject({ status: 200 })
  const now = await predicted(url, csv)
  expect(now.headers.get(names.modelVersion)).toBe('2')
  expect(now.text).not.toBe(before.text)
  expect((await predicted(url, csv, '?version=1')).text).toBe(before.text)
  expect(await post(`${url}/rollback`, {})).toMatchObject({ status: 200 })
  await until(async () => (await predicted(url, csv)).text === before.text)
})

test('a large CSV is answered whole while the node that answers it goes', async () => {
  const { url, machine, broker } = await fitted(1)
  const files = await openFiles()
  const second = await machine.node({ roles: [...both], files })
  await untilLoaded(broker, 'sales', 2)
  const count = 60_000
  const rows = Array.from({ length: count }, (_, i) => `${i},${1 + (i % 4)},${1 + (i % 3)}`)
  const csv = `n,product_id,store_id,date\n${rows.map((row) => `${row},2023-05-01\n`).join('')}`
  const answer = await fetch(`${url}/predictions`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: csv,
    signal: AbortSignal.timeout(60_000),
  })
  expect(answer.status).toBe(200)
  await second.close()
  const lines = (await answer.text()).trimEnd().split('\n')
  expect(lines).toHaveLength(count + 1)
  const wrong = lines.slice(1).filter((line, i) => !new RegExp(`^${i},.*,[\\d.]+,$`).test(line))
  expect(wrong).toEqual([])
})
