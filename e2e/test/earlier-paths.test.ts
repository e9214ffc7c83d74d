import { openEmbeddedMessages } from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import { monthOf, openFiles, salesCsv } from '../support/files.ts'
import { openLoopback, until } from '../support/loopback.ts'

type Sale = { date: string; 'predicted sales': number; lower: number; upper: number }

async function ask(url: string, init: RequestInit) {
  const answer = await fetch(url, init)
  const body = (await answer.json()) as { [name: string]: string } & Sale[]
  return { status: answer.status, body }
}

async function opened() {
  const machine = await openLoopback()
  const files = await openFiles()
  await machine.node({ roles: ['fit', 'serve'], files })
  const { url } = await machine.broker({ files })
  const call = async (path: string, body?: object) => {
    const post = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const text = body === undefined ? null : JSON.stringify(body)
    return await ask(url + path, text === null ? {} : { ...post, body: text })
  }
  const trained = (job: string) =>
    until(async () => (await call(`/api/jobs/${job}`)).body.state === 'done')
  return { url, call, trained }
}

const columns = { targetColumn: 'Quantity', categoryColumn: 'product id', timeColumn: 'DATE' }

test('a file that is processed and trained on has a forecast for each product', async () => {
  const { url, call, trained } = await opened()
  await fetch(`${url}/api/files/sales.csv`, { method: 'PUT', body: salesCsv() })
  const processed = await call('/processing', { FileName: 'sales.csv', Bucket: 'b', ...columns })
  expect(processed, JSON.stringify(processed)).toMatchObject({ status: 200 })
  const { processingId } = processed.body
  const dates = { start: '2024-01-01', end: '2024-01-03' }
  const wanted = { processingId, productId: 2, dates }
  expect(await call('/forcastSale', wanted)).toMatchObject({ status: 409 })
  const begun = await call('/trainModel', { processingId, bucketName: 'models' })
  expect(begun, JSON.stringify(begun)).toMatchObject({ status: 200 })
  await trained(String(begun.body.job))
  await until(async () => (await call('/forcastSale', wanted)).status === 200)
  const { body } = await call('/forcastSale', { ...wanted, dates: ['2024-01-01', '2024-01-03'] })
  expect(body.map(({ date }) => date)).toEqual(['2024-01-01', '2024-01-02', '2024-01-03'])
  for (const { lower, upper, 'predicted sales': sold } of body)
    expect([lower <= sold, sold <= upper]).toEqual([true, true])
  expect(await call('/forcastSale', { ...wanted, productId: '77' })).toMatchObject({ status: 404 })
  const status = await call(`/processing/${processingId}`)
  expect(status.body).toMatchObject({ job_status: 'SUCCESS', training: { job_status: 'SUCCESS' } })
})

test('a data set that is prepared answers by its name', async () => {
  const { url, call, trained } = await opened()
  await fetch(`${url}/api/files/sales.csv`, { method: 'PUT', body: salesCsv() })
  const made = await call('/dataPrep', { userId: '../u', datasetId: 'sales.csv', ...columns })
  expect(made, JSON.stringify(made)).toMatchObject({ status: 200, body: { job_status: 'RUNNING' } })
  await trained(String(made.body.job))
  const query = 'startDate=2024-01-01&endDate=2024-01-02&productId=1&userId=u&datasetId=sales.csv'
  await until(async () => (await call(`/predict?${query}`)).status === 200)
  expect((await call(`/predict?${query}`)).body).toEqual([
    { date: '2024-01-01', 'predicted sales': expect.any(Number) },
    { date: '2024-01-02', 'predicted sales': expect.any(Number) },
  ])
})

test('an upload is trained on, and its forest predicts a file with an unknown store', async () => {
  const { url, call, trained } = await opened()
  const form = new FormData()
  form.append('file', new Blob([salesCsv()]), 'sales.csv')
  const answer = await fetch(`${url}/upload`, { method: 'POST', body: form })
  const stored = (await answer.json()) as { url: string; training: { job: string } }
  expect(answer.status, JSON.stringify(stored)).toBe(201)
  expect(stored.url).toBe('/api/files/uploads/sales.csv')
  await trained(stored.training.job)
  const csv = 'store_id,product_id,year,month\n2,3,2023,6\n9,3,2023,6\n'
  const predict = async () => {
    const headers = { 'content-type': 'text/csv' }
    const said = await fetch(`${url}/predict`, { method: 'POST', headers, body: csv })
    return { status: said.status, text: await said.text() }
  }
  await until(async () => (await predict()).status === 200)
  const [, known, unknown] = (await predict()).text.split('\n')
  expect(Math.abs(Number(known!.split(',')[4]) / monthOf(2, 3, 6, 30) - 1)).toBeLessThan(0.15)
  expect(unknown).toContain('""9"" was not there')
  expect(await call('/train', { url: stored.url })).toMatchObject({ status: 202 })
  expect(await call('/train', { url: 'http://evil/x.csv' })).toMatchObject({ status: 422 })
  expect(await call('/train/x')).toMatchObject({ status: 405 })
})

async function openUploads() {
  const machine = await openLoopback()
  const files = await openFiles()
  const messages = await openEmbeddedMessages({ path: ':memory:', pauseMs: 20, pauseMaxMs: 50 })
  onTestFinished(() => messages.close())
  const { url } = await machine.broker({ files, messages })
  const upload = async (text: string) => {
    const form = new FormData()
    form.append('file', new Blob([text]), 'sales.csv')
    const answer = await fetch(`${url}/upload`, { method: 'POST', body: form })
    const body = (await answer.json()) as {
      training: { message: string; job?: string; problem?: { code: string } }
    }
    return { status: answer.status, ...body }
  }
  const jobs = async () => {
    const { body } = await ask(`${url}/api/jobs`, {})
    return (body as unknown as { jobs: { model: string; state: string }[] }).jobs
  }
  const node = () => machine.node({ roles: ['fit', 'serve'], files })
  return { messages, upload, jobs, node }
}

test('an upload that cannot be trained on for now is trained on later, once', async () => {
  const { messages, upload, jobs, node } = await openUploads()
  const { status, training } = await upload(salesCsv())
  expect({ status, training }).toMatchObject({ status: 201, training: { problem: {} } })
  expect(training.message).toContain('a message asks for it')
  expect(training.job).toBeUndefined()
  await node()
  await until(async () => (await jobs()).some(({ state }) => state === 'done'))
  expect(await jobs()).toMatchObject([{ model: 'sales-pipeline', state: 'done' }])
  await until(() => messages.look().waiting === 0)
})

test('of an upload that is trained on, or never can be, no message is left', async () => {
  const { messages, upload, jobs, node } = await openUploads()
  await node()
  const wrong = await upload('a,b\n1,2\n')
  expect(wrong.training).toMatchObject({ problem: { code: 'missing-columns' } })
  expect(wrong.training.message).toContain('POST /train')
  expect((await upload(salesCsv())).training.job).toBeDefined()
  expect(await jobs()).toHaveLength(1)
  expect(messages.look()).toMatchObject({ waiting: 0, handled: 0 })
})
