import { headers as names } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { monthOf, salesCsv } from '../support/files.ts'

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'quantity',
  keys: ['store_id', 'product_id'],
  frequency: 'monthly',
}
const fitBody = { table: { file: 'rows/sales.csv', recipe }, spec: { family: 'regression' } }
const linear = { ...fitBody, spec: { family: 'regression', model: { kind: 'linear' } } }

/** A file becomes a regression, and that predicts rows. */
export function predictionSuite(cluster: () => TestCluster): void {
  const api = () => `${cluster().brokers[0]}/api`
  // What one broker was told holds for all of them.
  const models = () => `${cluster().brokers.at(-1)}/api/models`
  const post = (path: string, body: unknown) => call('POST', `${models()}/${path}`, { body })
  const csvHeaders = { 'content-type': 'text/csv' }
  const predicted = (path: string, body: string) =>
    call('POST', `${models()}/${path}`, { body, headers: csvHeaders })
  const refusal = ({ status, body }: Awaited<ReturnType<typeof call>>) => [
    status,
    String(body.type).split(':').at(-1),
    `${body.detail} ${body.remedy ?? ''}`,
  ]

  describe('predictions', () => {
    test('rows of a CSV come back in their order, with a prediction or the reason for none', async () => {
      const put = await fetch(`${api()}/files/rows/sales.csv`, { method: 'PUT', body: salesCsv() })
      expect(put.status, await put.text()).toBe(200)
      const made = await post('predicted/fit', fitBody)
      expect([made.status, String(made.body.state)], made.text).toEqual([200, 'serving'])
      const csv = [
        '\ufeffnote,store_id,date,product_id',
        '"=a, b",2,2023-06-09,3',
        '-5,77,2023-06-09,3',
        'two',
        'x,2,,3',
        ',3,June,1',
        '"a\nb",1,2023-01-31,1',
      ].join('\r\n')
      const answer = await predicted('predicted/predictions', csv)
      expect([answer.status, answer.headers[names.modelVersion]], answer.text).toEqual([200, '1'])
      expect(answer.headers['content-type']).toMatch(/^text\/csv/)
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
      const url = `${models()}/predicted/predictions`
      expect(await (await fetch(url, { method: 'POST', body: form })).text()).toBe(answer.text)
    })

    test('rows as JSON are answered as JSON', async () => {
      const rows = [
        { store_id: 1, product_id: '2', date: '2023-02-01', other: true },
        { store_id: 1, date: '2023-02-01' },
      ]
      expect((await post('predicted/predictions', { rows })).body).toEqual({
        model: 'predicted',
        version: 1,
        predictions: [
          { prediction: expect.any(Number), error: null },
          { prediction: null, error: { column: 'product_id', reason: 'there is no value' } },
        ],
      })
      const none = await post('predicted/predictions', { rows: [] })
      expect([none.status, none.body.predictions]).toEqual([200, []])
    })

    test('what cannot be answered is refused before any row is read, with what to do', async () => {
      const path = 'predicted/predictions'
      expect(refusal(await predicted(path, 'store_id,price\n1,2\n'))).toEqual([
        422,
        'missing-columns',
        expect.stringContaining('lacks product_id, date'),
      ])
      expect(refusal(await predicted(path, 'a,"b\n1,2\n'))).toEqual([
        422,
        'no-header',
        expect.stringContaining('quote'),
      ])
      expect(refusal(await predicted(path, '')).slice(0, 2)).toEqual([400, 'no-body'])
      const empty = await fetch(`${models()}/${path}`, { method: 'POST', body: new FormData() })
      expect(empty.status).toBe(400)
      expect((await predicted(`${path}?version=9`, 'a\n')).status).toBe(404)
      expect((await predicted(`${path}?horizon=9`, 'a\n')).status).toBe(400)
      expect((await post(path, 'x')).status).toBe(400)
      const bad = await post(path, { rows: [1] })
      expect([bad.status, String(bad.body.field)]).toEqual([400, '/rows/0'])
      expect((await post(path, { rows: [], more: 1 })).status).toBe(400)
      const large = await post(path, { rows: [{ store_id: 'x'.repeat(2_097_152) }] })
      expect([large.status, String(large.body.remedy)]).toEqual([
        413,
        expect.stringContaining('text/csv'),
      ])
    })

    test('what is asked of the wrong kind of model is refused with the right call', async () => {
      const asked = await call('GET', `${models()}/predicted/forecast/5`)
      expect(refusal(asked)).toEqual([422, 'a-regression', expect.stringContaining('/predictions')])
      expect((await post('predicted/observations', { data: [1, 2] })).status).toBe(422)
      const series = { data: [1, 2, 3, 4], spec: { family: 'baseline', method: 'naive' } }
      expect((await post('no-regression/fit', series)).status).toBe(200)
      expect(refusal(await predicted('no-regression/predictions', 'a\n1\n'))).toEqual([
        422,
        'no-regression',
        expect.stringContaining('/forecast/'),
      ])
    })

    test('a regression without a table, or with a wrong spec, is refused by its field', async () => {
      const spec = { family: 'regression' }
      const bare = await post('predicted/fit', { data: [1, 2], spec })
      expect([bare.status, String(bare.body.field)]).toEqual([400, '/table'])
      const wrong = { ...fitBody, spec: { ...spec, model: { kind: 'forest', trees: 0 } } }
      const refused = await post('predicted/fit', wrong)
      expect([refused.status, String(refused.body.field)]).toEqual([400, '/spec/model/trees'])
    })

    test('a version that was before, or is rolled back to, predicts as it did', async () => {
      const csv = 'store_id,product_id,date\n1,1,2023-07-01\n'
      const ask = (query = '') => predicted(`predicted/predictions${query}`, csv)
      const before = await ask()
      const fitted = await post('predicted/fit', linear)
      expect(fitted.status, fitted.text).toBe(200)
      const now = await ask()
      expect(now.headers[names.modelVersion]).toBe('2')
      expect(now.text).not.toBe(before.text)
      expect((await ask('?version=1')).text).toBe(before.text)
      expect((await post('predicted/rollback', {})).status).toBe(200)
      await eventually('the former version predicts', ask, ({ text }) => text === before.text)
    })
  })
}
