import { describe, expect, test } from 'vitest'
import { type Answer, call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { contentOf, monthOf, salesCsv } from '../support/files.ts'

type Sale = { date: string; 'predicted sales': number; lower: number; upper: number }

const columns = { targetColumn: 'Quantity', categoryColumn: 'product id', timeColumn: 'DATE' }
const dates = { start: '2024-01-01', end: '2024-01-03' }
const isAnswered = ({ status }: Answer) => status === 200

/** What users of earlier systems call. */
export function earlierPathsSuite(cluster: () => TestCluster): void {
  const url = () => cluster().brokers[0]!
  const post = (path: string, body: object, at = url()) => call('POST', `${at}${path}`, { body })
  // What one broker was told holds for all of them.
  const other = () => cluster().brokers.at(-1)!
  const trained = (job: unknown) =>
    eventually(
      `${job} is done`,
      () => call('GET', `${url()}/api/jobs/${job}`),
      ({ body }) => String(body.state) === 'done',
      60_000,
    )
  const bucket = () => cluster().files.bucket?.name
  const named = () => (bucket() === undefined ? {} : { Bucket: bucket() })

  describe('paths of earlier systems', () => {
    test('a file that is processed and trained on has a forecast for each product', async () => {
      const put = { method: 'PUT', body: salesCsv() }
      expect((await fetch(`${url()}/api/files/sales.csv`, put)).status).toBe(200)
      const asked = { FileName: 'sales.csv', ...named(), ...columns }
      const processed = await post('/processing', asked)
      expect(processed.status, processed.text).toBe(200)
      const processingId = String(processed.body.processingId)
      const wanted = { processingId, productId: 2, dates }
      expect((await post('/forcastSale', wanted)).status).toBe(409)
      const training = { processingId, bucketName: 'models' }
      const begun = await post('/trainModel', training, other())
      expect(begun.status, begun.text).toBe(200)
      await trained(begun.body.job)
      await eventually('it forecasts', () => post('/forcastSale', wanted), isAnswered)
      const { model, version } = (await call('GET', `${url()}/api/jobs/${begun.body.job}`)).body
      const made = await call('GET', `${other()}/api/models/${model}/versions/${version}`)
      expect(made.body).toMatchObject({ bounds: { lower: 0 } })
      const listed = { ...wanted, dates: [dates.start, dates.end] }
      const sold = (await post('/forcastSale', listed, other())).body as unknown as Sale[]
      expect(sold.map(({ date }) => date)).toEqual(['2024-01-01', '2024-01-02', '2024-01-03'])
      for (const { lower, upper, 'predicted sales': point } of sold)
        expect([lower <= point, point <= upper]).toEqual([true, true])
      const unknown = await post('/forcastSale', { ...wanted, productId: '77' })
      expect(unknown.status, unknown.text).toBe(404)
      const status = await call('GET', `${other()}/processing/${processingId}`)
      expect(status.body).toMatchObject({
        job_status: 'SUCCESS',
        training: { job_status: 'SUCCESS' },
      })
    }, 90_000)

    test('a file that somebody else put there is processed, and its id follows from it', async () => {
      const signal = AbortSignal.timeout(20_000)
      await cluster().files.write('brought/sales.csv', contentOf(salesCsv()), signal)
      const asked = { FileName: 'brought/sales.csv', ...named(), ...columns }
      const ids = [await post('/processing', asked), await post('/processing', asked, other())]
      expect(ids.map(isAnswered), ids[0]!.text).toEqual([true, true])
      expect(String(ids[0]!.body.processingId)).toBe(String(ids[1]!.body.processingId))
    })

    test('another bucket than that of the files is refused, unless there is none', async () => {
      const answer = await post('/processing', { FileName: 'sales.csv', Bucket: 'b', ...columns })
      if (bucket() === undefined) return expect(answer.status, answer.text).toBe(200)
      expect([answer.status, String(answer.body.type), String(answer.body.field)]).toEqual([
        422,
        'urn:almanac:problem:another-bucket',
        '/Bucket',
      ])
    })

    test('a data set that is prepared answers by its name', async () => {
      const asked = { userId: '../u', datasetId: 'brought/sales.csv', ...columns }
      const made = await post('/dataPrep', asked)
      expect([made.status, String(made.body.job_status)], made.text).toEqual([200, 'RUNNING'])
      await trained(made.body.job)
      const query = 'startDate=2024-01-01&endDate=2024-01-02&productId=1&userId=u'
      const ask = () => call('GET', `${other()}/predict?${query}&datasetId=brought/sales.csv`)
      const { body } = await eventually('it forecasts', ask, isAnswered)
      expect(body).toEqual([
        { date: '2024-01-01', 'predicted sales': expect.any(Number) },
        { date: '2024-01-02', 'predicted sales': expect.any(Number) },
      ])
    }, 90_000)

    test('an upload is trained on, and its forest predicts a file with an unknown store', async () => {
      const form = new FormData()
      form.append('file', new Blob([salesCsv()]), 'sales (1).csv')
      const answer = await fetch(`${url()}/upload`, { method: 'POST', body: form })
      const stored = (await answer.json()) as { url: string; training: { job: string } }
      expect(answer.status, JSON.stringify(stored)).toBe(201)
      expect(stored.url).toBe('/api/files/uploads/sales-1.csv')
      await trained(stored.training.job)
      const body = 'store_id,product_id,year,month\n2,3,2023,6\n9,3,2023,6\n'
      const headers = { 'content-type': 'text/csv' }
      const ask = () => call('POST', `${other()}/predict`, { body, headers })
      // Of whatever else was trained before.
      const isOfThis = ({ status, text }: Answer) => status === 200 && nearTo(text)
      const { text } = await eventually('it predicts', ask, isOfThis, 30_000)
      expect(text.split('\n')[2]).toContain('""9"" was not there')
    }, 90_000)

    test('training is begun by the address of a file that is kept here, and of no other', async () => {
      const begun = await post('/train', { url: '/api/files/uploads/sales-1.csv' })
      expect(begun.status, begun.text).toBe(202)
      if (bucket() !== undefined) {
        const again = await post('/train', { url: `s3://${bucket()}/brought/sales.csv` })
        expect([again.status, String(again.body.file)]).toEqual([202, 'brought/sales.csv'])
      }
      for (const elsewhere of ['http://evil/x.csv', 's3://elsewhere/brought/sales.csv'])
        expect((await post('/train', { url: elsewhere })).status).toBe(422)
      expect((await call('GET', `${url()}/train/x`)).status).toBe(405)
    })
  })
}

/** What was sold in a June, as the first row of an answer has it. */
function nearTo(text: string): boolean {
  const predicted = Number(text.split('\n')[1]?.split(',')[4])
  return Math.abs(predicted / monthOf(2, 3, 6, 30) - 1) < 0.15
}
