import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Answer, call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { monthOf, salesCsv } from '../support/files.ts'

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'quantity',
  keys: ['store_id', 'product_id'],
  frequency: 'monthly',
}
const fitBody = {
  table: { file: 'to-predict/sales.csv', recipe },
  spec: { family: 'regression', model: { kind: 'forest', trees: 20, depthMax: 8, seed: 1 } },
}
const head = 'n,store_id,product_id,date\n'
const known = 'a,2,3,2023-06-09\n'

/** Predictions from file to file. */
export function filePredictionSuite(cluster: () => TestCluster): void {
  const api = () => `${cluster().brokers[0]}/api`
  // What one broker was told holds for all of them.
  const other = () => `${cluster().brokers.at(-1)}/api`
  const put = (name: string, content: string | Uint8Array<ArrayBuffer>) =>
    fetch(`${api()}/files/${name}`, { method: 'PUT', body: content })
  const content = (name: string) => call('GET', `${other()}/files/${name}?content=true`)
  const predict = (body: object, headers: Record<string, string> = {}) =>
    call('POST', `${other()}/models/of-files/predictions`, { body, headers })
  const coded = ({ status, body }: Answer) => [status, String(body.type).split(':').at(-1)]

  describe('predictions from file to file', () => {
    test('a file comes back with a prediction for each row, or the reason for none', async () => {
      expect((await put('to-predict/sales.csv', salesCsv())).status).toBe(200)
      const made = await call('POST', `${api()}/models/of-files/fit`, { body: fitBody })
      expect(made.status, made.text).toBe(200)
      const rows = ['b,77,3,2023-06-09', 'c,78,3,2023-06-09', 'd', 'e,2,,2023-06-09']
      const csv = `\ufeff${head}${known}${rows.join('\n')}\n`
      await put('to-predict/rows.csv', csv)
      const answer = await predict({ file: 'to-predict/rows.csv', into: 'predicted/rows.csv' })
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body).toMatchObject({
        ...{ model: 'of-files', version: 1, state: 'done', progress: { fraction: 1, rows: 5 } },
        result: {
          ...{ rows: 5, predicted: 1, sha256: expect.any(String) },
          unpredicted: [
            { column: 'store_id', reason: 'was not there when the model was fitted', rows: 2 },
            { column: '', reason: 'it has 1 fields, not 4', rows: 1 },
            { column: 'product_id', reason: 'there is no value', rows: 1 },
          ],
        },
      })
      // The same as rows that are sent are answered with.
      const direct = await call('POST', `${other()}/models/of-files/predictions`, {
        ...{ body: csv, headers: { 'content-type': 'text/csv' } },
      })
      expect((await content('predicted/rows.csv')).text).toBe(direct.text)
      const predicted = Number(direct.text.split('\n')[1]!.split(',')[4])
      expect(Math.abs(predicted / monthOf(2, 3, 6, 30) - 1)).toBeLessThan(0.15)
      const job = await call('GET', `${api()}/jobs/${answer.body.job}`)
      expect(job.body).toMatchObject({
        ...{ kind: 'predict', state: 'done', attempts: 1 },
        prediction: { file: 'to-predict/rows.csv', into: 'predicted/rows.csv' },
      })
      const log = await call('GET', `${api()}/jobs/${answer.body.job}/log`)
      const events = (log.body.log as unknown as { event: string }[]).map(({ event }) => event)
      expect(events).toEqual(['queued', 'claimed', 'phase', 'stored'])
    }, 90_000)

    test('a compressed file is unpacked, and a repeated request finds its job', async () => {
      await put('to-predict/rows.csv.gz', Uint8Array.from(gzipSync(head + known.repeat(40_000))))
      const body = { file: 'to-predict/rows.csv.gz', into: 'predicted/of-gz.csv' }
      const key = { 'idempotency-key': 'predict-gz' }
      const accepted = await predict(body, { ...key, prefer: 'respond-async' })
      expect(accepted.status, accepted.text).toBe(202)
      expect(accepted.headers.location).toBe(`/api/jobs/${accepted.body.job}`)
      const done = await predict(body, key)
      expect(done.body).toMatchObject({
        state: 'done',
        result: { rows: 40_000, predicted: 40_000 },
      })
      expect(String(done.body.job)).toBe(String(accepted.body.job))
      const lines = (await content('predicted/of-gz.csv')).text.trimEnd().split('\n')
      expect(new Set(lines).size).toBe(2)
      expect(lines).toHaveLength(40_001)
      const reused = await predict({ ...body, into: 'predicted/else.csv' }, key)
      expect(coded(reused)).toEqual([422, 'idempotency-key-reused'])
    }, 90_000)

    test('what cannot be is refused by its field, or fails with a reason and leaves nothing', async () => {
      const fine = { file: 'to-predict/rows.csv', into: 'predicted/none.csv' }
      const field = async (body: object) => {
        const answer = await predict(body)
        return [answer.status, String(answer.body.field)]
      }
      expect(await field({ ...fine, file: '../x' })).toEqual([400, '/file'])
      expect(await field({ file: fine.file })).toEqual([400, '/into'])
      expect(await field({ ...fine, into: fine.file })).toEqual([400, '/into'])
      expect(await field({ ...fine, rows: [] })).toEqual([400, '/rows'])
      expect(await field({ ...fine, file: 'to-predict/nothing.csv' })).toEqual([422, '/file'])
      await put('to-predict/lacks.csv', 'n,store_id\n1,2\n')
      await put('to-predict/broken.csv.gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7))
      const lacks = await predict({ ...fine, file: 'to-predict/lacks.csv' })
      expect(coded(lacks)).toEqual([422, 'prediction-missing-columns'])
      expect(String(lacks.body.detail)).toContain('lacks product_id, date')
      const broken = await predict({ ...fine, file: 'to-predict/broken.csv.gz' })
      expect(coded(broken)).toEqual([422, 'prediction-not-unpacked'])
      await put('to-predict/empty.csv', '\n')
      const empty = await predict({ ...fine, file: 'to-predict/empty.csv' })
      expect(coded(empty)).toEqual([422, 'prediction-no-header'])
      expect((await content('predicted/none.csv')).status).toBe(404)
    })

    test('one that was cancelled leaves nothing, and a retry of it makes the file', async () => {
      await put('to-predict/long.csv', head + known.repeat(300_000))
      const body = { file: 'to-predict/long.csv', into: 'predicted/long.csv' }
      const begun = await predict(body, { prefer: 'respond-async' })
      expect(begun.status, begun.text).toBe(202)
      const job = String(begun.body.job)
      const look = () => call('GET', `${api()}/jobs/${job}`)
      await eventually(
        'it is under way',
        look,
        ({ body: { state } }) => String(state) === 'running',
      )
      const cancelled = await call('POST', `${api()}/jobs/${job}/cancel`)
      expect(cancelled.status, cancelled.text).toBe(200)
      expect(cancelled.body).toMatchObject({ state: 'failed', error: { reason: 'cancelled' } })
      const again = await call('POST', `${api()}/jobs/${job}/retry`)
      expect(again.status, again.text).toBe(202)
      await eventually(
        'the retry is done',
        () => call('GET', `${other()}/jobs/${again.body.job}`),
        ({ body: { state } }) => String(state) === 'done',
        60_000,
      )
      const { text } = await content('predicted/long.csv')
      expect(text.split('\n')).toHaveLength(300_002)
      const twice = await call('POST', `${api()}/jobs/${again.body.job}/retry`)
      expect(coded(twice)).toEqual([409, 'job-succeeded'])
    }, 90_000)

    test('a schedule predicts the file as it is then', async () => {
      const fields = { model: 'of-files', file: 'to-predict/rows.csv', into: 'predicted/daily.csv' }
      const putting = (action: object) =>
        call('PUT', `${api()}/schedules/predicts`, { body: { cron: '@yearly', action } })
      const wrong = await putting({ predict: { ...fields, into: 'a//b' } })
      expect([wrong.status, String(wrong.body.field)]).toEqual([400, '/action/predict/into'])
      const made = await putting({ predict: fields })
      expect(made.status, made.text).toBe(201)
      await put('to-predict/rows.csv', head + known)
      const run = await call('POST', `${api()}/schedules/predicts/run`)
      expect(run.status, run.text).toBe(202)
      await eventually(
        'it is done',
        () => call('GET', `${other()}/jobs/${run.body.job}`),
        ({ body }) => String(body.state) === 'done',
      )
      const { text } = await content('predicted/daily.csv')
      expect(text.split('\n')[1]).toMatch(/^a,2,3,2023-06-09,[\d.]+,$/)
      expect((await call('DELETE', `${api()}/schedules/predicts`)).status).toBe(200)
    })
  })
}

/** What breaks in the middle of one. Only for clusters whose parts can be broken. */
export function filePredictionFaultSuite(cluster: () => Required<TestCluster>): void {
  const api = () => `${cluster().brokers[0]}/api`

  test('a node killed in the middle of a file: another one predicts all of it', async () => {
    const count = 800_000
    const csv = head + known.repeat(count)
    const put = { method: 'PUT', body: csv }
    expect((await fetch(`${api()}/files/to-predict/killed.csv`, put)).status).toBe(200)
    const begun = await call('POST', `${api()}/models/of-files/predictions`, {
      body: { file: 'to-predict/killed.csv', into: 'predicted/killed.csv' },
      headers: { prefer: 'respond-async' },
    })
    expect(begun.status, begun.text).toBe(202)
    const look = () => call('GET', `${api()}/jobs/${begun.body.job}`)
    const { body: half } = await eventually(
      'some rows are done',
      look,
      ({ body }) => Number(body.progress?.rows) > 0 && String(body.state) === 'running',
      30_000,
    )
    const killed = cluster().nodes.find(({ url }) => url?.endsWith(`:${portIn(half.node)}`))
    await killed!.kill()
    expect((await call('GET', `${api()}/files/predicted/killed.csv`)).status).toBe(404)
    const { body: done } = await eventually(
      'another one has done it',
      look,
      ({ body }) => String(body.state) === 'done',
      110_000,
    )
    expect(done).toMatchObject({
      ...{ attempts: 2, progress: { rows: count } },
      prediction: { result: { rows: count, predicted: count } },
    })
    const { text } = await call('GET', `${api()}/jobs/${begun.body.job}/log`)
    expect(text).toContain('Attempt 1 did not end in order')
    const made = await call('GET', `${api()}/files/predicted/killed.csv?content=true`)
    const [, ...rows] = made.text.trimEnd().split('\n')
    expect([rows.length, new Set(rows).size]).toEqual([count, 1])
    await killed!.start()
  }, 200_000)
}

/** Of a node's name, which is `{ip}_{port}`. */
const portIn = (node: unknown) => String(node).split('_').at(-1)
