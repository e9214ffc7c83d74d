import { expect, test } from 'vitest'
import { openFiles, salesCsv } from '../support/files.ts'
import { openLoopback, untilLoaded } from '../support/loopback.ts'

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
