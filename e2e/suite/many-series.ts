import { tableFromIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { smallSeries } from '../support/data.ts'
import { contentOf } from '../support/files.ts'

const naive = { family: 'baseline', method: 'naive' }
const key = (i: number) => `p=${String(i).padStart(2, '0')}`
const count = 30
const keys = Array.from({ length: count }, (_, i) => key(i))
const series = keys.map((name, i) => ({
  ...{ key: name, start: '2026-01-01', frequency: 'daily' },
  y: smallSeries(100 * i, 28),
}))
const lastOf = (i: number) => series[i]!.y.at(-1)!

const recipe = {
  source: { format: 'csv', delimiter: ';', decimal: ',' },
  time: { column: 'day', format: '%d.%m.%Y' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
}
const good = [1, 2, 3].flatMap((store) =>
  Array.from({ length: 28 }, (_, i) => `${i + 1}.02.2024;${store};${10 * store},5`),
)
const bad = ['31.02.2024;1;7', '5.02.2024;2;many', '6.02.2024;;8']

/** Many series in one model, from what is sent or lies in a file to all of their forecasts. */
export function manySeriesSuite(cluster: () => TestCluster): void {
  const api = () => `${cluster().brokers[0]}/api`
  // What one broker was told holds for all of them.
  const models = () => `${cluster().brokers.at(-1)}/api/models`
  const fitted = (model: string, body: object) =>
    call('POST', `${api()}/models/${model}/fit`, { body })
  const get = (path: string, accept = '*/*') =>
    call('GET', `${models()}/${path}`, { headers: { accept } })
  const lines = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))

  describe('many series', () => {
    test('are fitted as one version, and listed with what became of each', async () => {
      const empty = { ...series[0]!, key: 'p=none', y: [null] }
      const made = await fitted('many', { series: [...series, empty], spec: naive })
      expect(made.status, made.text).toBe(200)
      expect(made.body).toMatchObject({ version: 1, state: 'serving' })
      const page = await get('many/versions/1/series?limit=20')
      const rest = await get(`many/versions/1/series?cursor=${encodeURIComponent(key(19))}`)
      const all = [page, rest].flatMap(({ body }) => body.series as unknown as { key: string }[])
      expect(all.map((one) => one.key)).toEqual([...keys, 'p=none'])
      expect(rest.body.next).toBeNull()
      const listed = await get('many/versions/1/series?code=ok')
      expect(listed.body.series).toHaveLength(count)
    })

    test('stream as lines, rows and Arrow, which say the same', async () => {
      const stream = await get('many/forecasts/2?level=80&timestamps=true')
      expect(stream.headers['content-type']).toBe('application/x-ndjson')
      expect(stream.headers['x-model-version']).toBe('1')
      const found = lines(stream.text)
      expect(found.slice(0, count)).toEqual(
        keys.map((name, i) => ({
          ...{ series: name, data: [lastOf(i), lastOf(i)] },
          intervals: [{ level: 80, lower: expect.any(Array), upper: expect.any(Array) }],
          timestamps: ['2026-01-29T00:00:00.000Z', '2026-01-30T00:00:00.000Z'],
        })),
      )
      expect(found[count]).toMatchObject({ series: 'p=none', error: { code: expect.any(String) } })
      const csv = await get('many/forecasts/2?level=80&timestamps=true', 'text/csv')
      const [head, first, ...others] = csv.text.trimEnd().split('\n')
      expect(head).toBe('series,step,timestamp,forecast,lower_80,upper_80')
      const { lower, upper } = found[0].intervals[0]
      expect(first!.split(',')).toEqual(
        [key(0), 1, found[0].timestamps[0], lastOf(0), lower[0], upper[0]].map(String),
      )
      expect(others).toHaveLength(2 * count)
      const response = await fetch(`${models()}/many/forecasts/2?level=80&timestamps=true`, {
        headers: { accept: 'application/vnd.apache.arrow.stream' },
      })
      const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()))
      const rows = table.toArray().map((row) => row.toJSON())
      expect(rows).toHaveLength(2 * count + 1)
      expect(rows[0]).toMatchObject({ series: key(0), step: 1, forecast: lastOf(0), error: null })
      expect(rows.at(-1)).toMatchObject({ series: 'p=none', step: null })
    })

    test('are asked for one by one, and by what their keys begin with', async () => {
      const one = await get(`many/forecast/1?series=${encodeURIComponent(key(7))}`)
      expect(one.body).toEqual({ data: [lastOf(7)] })
      expect((await get('many/forecast/1?series=nobody')).status).toBe(404)
      const some = await get(`many/forecasts/1?prefix=${encodeURIComponent('p=1')}&limit=4`)
      expect(lines(some.text).map((line) => line.series)).toEqual([10, 11, 12, 13].map(key))
    })

    test('are moved on by observations, and told why where they are not', async () => {
      const news = [
        { key: key(3), start: '2026-01-29', y: [7, 8] },
        { key: key(4), start: '2026-01-05', y: [9] },
        { key: 'q=new', start: '2026-01-29', frequency: 'daily', y: [1, 2, 3] },
      ]
      const added = await call('POST', `${models()}/many/observations`, { body: { series: news } })
      expect(added.status, added.text).toBe(200)
      const version = Number(added.body.version)
      expect((await get(`many/versions/${version}`)).body).toMatchObject({ base: 1 })
      const { text } = await get('many/forecasts/1')
      const found = new Map(lines(text).map((line) => [line.series, line.data]))
      expect([found.get(key(3)), found.get(key(4)), found.get('q=new')]).toEqual([
        [8],
        [lastOf(4)],
        [3],
      ])
      const refused = await get(`many/versions/${version}/series?code=known-already`)
      expect(refused.body.series).toMatchObject([{ key: key(4) }])
    })

    test('of a table that lies in the bucket are forecast, and its bad rows are told', async () => {
      const content = ['day;store;sold', ...good, ...bad].join('\n')
      const signal = AbortSignal.timeout(20_000)
      await cluster().files.write('tables/many.csv', contentOf(content), signal)
      const made = await fitted('many-of-table', {
        table: { file: 'tables/many.csv', recipe },
        spec: naive,
      })
      expect(made.status, made.text).toBe(200)
      expect(lines((await get('many-of-table/forecasts/1')).text)).toEqual(
        [1, 2, 3].map((store) => ({ series: `store=${store}`, data: [10 * store + 0.5] })),
      )
      const table = await get('many-of-table/versions/1/table')
      expect(table.body.summary).toMatchObject({ rows: good.length + bad.length, rejected: 3 })
      const rejects = await get('many-of-table/versions/1/rejects')
      const [, ...rows] = rejects.text.trimEnd().split('\n')
      expect(rows.map((row) => Number(row.split(',')[0]))).toEqual([86, 87, 88])
    })

    test('are fitted again by a schedule, to the file as it is then', async () => {
      const content = ['day;store;sold', ...good, '29.02.2024;1;99'].join('\n')
      await cluster().files.write(
        'tables/many.csv',
        contentOf(content),
        AbortSignal.timeout(20_000),
      )
      const look = await call('POST', `${api()}/tables/look`, { body: { file: 'tables/many.csv' } })
      expect(look.body.recipe, look.text).toMatchObject({ target: 'sold', source: recipe.source })
      const body = { cron: '@yearly', action: { refit: { model: 'many-of-table' } } }
      const put = await call('PUT', `${api()}/schedules/many-of-table`, { body })
      expect(put.status, put.text).toBe(201)
      const run = await call('POST', `${api()}/schedules/many-of-table/run`)
      expect(run.status, run.text).toBe(200)
      const { text } = await eventually(
        'the new version answers',
        () => get('many-of-table/forecasts/1'),
        ({ headers }) => Number(headers['x-model-version']) === Number(run.body.version),
      )
      expect(lines(text)[0]).toEqual({ series: 'store=1', data: [99] })
      expect((await call('DELETE', `${api()}/schedules/many-of-table`)).status).toBe(200)
    })

    test('are judged by a backtest, each of them', async () => {
      const asked = { version: 1, horizon: 3, windows: 2 }
      const judged = await call('POST', `${models()}/many/backtests`, { body: asked })
      expect(judged.status, judged.text).toBe(200)
      expect(judged.body.scores).toMatchObject({ series: count + 1, judged: count })
      const csv = await get(`many/backtests/${judged.body.job}/series`, 'text/csv')
      expect(csv.text.trimEnd().split('\n')).toHaveLength(count + 2)
    })
  })
}
