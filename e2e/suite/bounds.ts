import { tableFromIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { call } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { contentOf } from '../support/files.ts'

type Intervals = { level: number; lower: number[]; upper: number[] }[]
type Line = { series: string; data: number[]; intervals: Intervals }

const bounds = { lower: 0 }
/** One is sold every other week, as seldom as ever less. */
const sparse = Array.from({ length: 120 }, (_, day) => (day % 14 === 3 && day < 80 ? 2 : 0))
/** What is left of a stock. */
const falling = Array.from({ length: 40 }, (_, day) => 40 - day + (day % 2))
const drift = { family: 'baseline', method: 'drift' }
const day = { start: '2026-01-01', frequency: 'daily' }

/** Forecasts of what cannot be negative, as users ask for them. */
export function boundsSuite(cluster: () => TestCluster): void {
  const models = () => `${cluster().brokers[0]}/api/models`
  // What one broker was told holds for all of them.
  const other = () => `${cluster().brokers.at(-1)}/api/models`
  const post = async (path: string, body: unknown) => {
    const answer = await call('POST', `${models()}/${path}`, { body })
    expect(answer.status, answer.text).toBe(200)
    return Number(answer.body.version)
  }
  const forecastOf = async (model: string, rest = '') => {
    const answer = await call('GET', `${other()}/${model}/forecast/30?level=80,95${rest}`)
    expect(answer.status, answer.text).toBe(200)
    return answer.body as unknown as Omit<Line, 'series'>
  }
  const lowestOf = ({ data, intervals }: Omit<Line, 'series'>) =>
    Math.min(...data, ...intervals.flatMap(({ lower, upper }) => [...lower, ...upper]))
  const refit = async (model: string) => {
    const name = `${cluster().brokers[0]}/api/schedules/${model}`
    const body = { cron: '0 0 1 1 *', enabled: false, action: { refit: { model } } }
    expect((await call('PUT', name, { body })).status).toBe(201)
    const begun = await call('POST', `${name}/run`)
    expect(begun.status, begun.text).toBe(200)
    expect((await call('DELETE', name)).status).toBe(200)
    return Number(begun.body.version)
  }

  describe('bounds', () => {
    test('keep what is forecast of one series at zero and above, version by version', async () => {
      const first = await post('sparse/fit', { data: sparse, spec: { family: 'ets' } })
      expect(lowestOf(await forecastOf('sparse', `&version=${first}`))).toBeLessThan(0)
      const second = await post('sparse/fit', { data: sparse, spec: { family: 'ets' }, bounds })
      const kept = await forecastOf('sparse', `&version=${second}`)
      expect(lowestOf(kept)).toBe(0)
      const plain = await forecastOf('sparse', `&version=${first}`)
      for (const [h, value] of kept.data.entries())
        expect(value).toBeCloseTo(Math.max(0, plain.data[h]!), 2)
      expect(lowestOf(plain)).toBeLessThan(0)
      const told = async (version: number) =>
        (await call('GET', `${other()}/sparse/versions/${version}`)).body.bounds
      expect([await told(first), await told(second)]).toEqual([null, bounds])
    })

    test('go with a version: to observations, a refit and a backtest', async () => {
      await post('stock/fit', { data: falling, spec: drift, bounds })
      const added = await post('stock/observations', { data: [0, 0] })
      expect(lowestOf(await forecastOf('stock', `&version=${added}`))).toBe(0)
      const outside = await call('POST', `${models()}/stock/observations`, {
        body: { data: [0, -1] },
      })
      expect(outside.status, outside.text).toBe(422)
      expect(outside.text).toContain('out-of-bounds')
      expect(outside.body).toMatchObject({ field: '/data/1' })
      const again = await refit('stock')
      expect(lowestOf(await forecastOf('stock', `&version=${again}`))).toBe(0)
      const maeOf = async (model: string, y: readonly number[], given: object) => {
        await post(`${model}/fit`, { data: y, spec: drift, ...given })
        const asked = { horizon: 20, windows: 1 }
        const judged = await call('POST', `${models()}/${model}/backtests`, { body: asked })
        expect(judged.status, judged.text).toBe(200)
        return Number(judged.body.scores?.mean?.mae)
      }
      const sold = [...falling, ...Array.from({ length: 20 }, () => 0)]
      expect(await maeOf('judged-plain', sold, {})).toBeGreaterThan(5)
      expect(await maeOf('judged-bounded', sold, { bounds })).toBeLessThan(2)
    })

    test('are what live accuracy is measured within', async () => {
      const liveOf = async (model: string, given: object) => {
        await post(`${model}/fit`, { data: falling, spec: drift, ...given })
        const added = await post(`${model}/observations`, { data: Array(20).fill(0) })
        const { body } = await call('GET', `${other()}/${model}/versions/${added}`)
        return Number(body.metrics!.liveMase)
      }
      expect(await liveOf('live-plain', {})).toBeGreaterThan(5)
      expect(await liveOf('live-bounded', { bounds })).toBeLessThan(1)
    })

    test('hold for many series in every form, and tell which data leaves them', async () => {
      const series = [
        { key: 'a=1', y: falling, ...day },
        { key: 'a=2', y: [...falling.slice(0, -1), -2], ...day },
        { key: 'b=1', y: falling.map((value) => value + 100), ...day },
      ]
      await post('stocks/fit', { series, spec: drift })
      const unbounded = await forecastOf('stocks', '&series=a%3D1')
      expect(lowestOf(unbounded)).toBeLessThan(0)
      const version = await post('stocks/fit', { series, spec: drift, bounds })
      const listed = await call('GET', `${other()}/stocks/versions/${version}/series`)
      const codes = (listed.body.series as unknown as { code: string }[]).map(({ code }) => code)
      expect(codes).toEqual(['ok', 'out-of-bounds', 'ok'])
      const at = `${other()}/stocks/forecasts/30?level=80,95&version=${version}`
      const { text } = await call('GET', at)
      const lines: Line[] = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(lines.map(lowestOf).map((low) => low > 0)).toEqual([false, false, true])
      expect(lines.map(lowestOf).slice(0, 2)).toEqual([0, 0])
      const one = await forecastOf('stocks', `&series=a%3D1&version=${version}`)
      expect(one.data).toEqual(lines[0]!.data)
      expect(one.intervals).toEqual(lines[0]!.intervals)
      const csv = await call('GET', `${at}&prefix=a`, { headers: { accept: 'text/csv' } })
      const cells = csv.text.trimEnd().split('\n').slice(1)
      expect(cells).toHaveLength(60)
      const numbers = cells.flatMap((line) => line.split(',').slice(2).map(Number))
      expect(Math.min(...numbers)).toBe(0)
      const arrow = await fetch(at, { headers: { accept: 'application/vnd.apache.arrow.stream' } })
      const rows = tableFromIPC(new Uint8Array(await arrow.arrayBuffer())).toArray()
      expect(rows).toHaveLength(90)
      expect(Math.min(...rows.map((row) => Number(row.lower_95)))).toBe(0)
    })

    test('go with many series: news outside are added and told, and a refit has them', async () => {
      const news = [
        { key: 'a=1', start: '2026-02-10', y: [0, -4] },
        { key: 'b=1', start: '2026-02-10', y: [90] },
      ]
      const added = await post('stocks/observations', { series: news })
      const page = await call(
        'GET',
        `${other()}/stocks/versions/${added}/series?code=out-of-bounds`,
      )
      expect(page.body.series).toMatchObject([{ key: 'a=1', steps: 42 }, { key: 'a=2' }])
      const again = await refit('stocks')
      const { text } = await call('GET', `${other()}/stocks/forecasts/30?level=80&version=${again}`)
      const lines: Line[] = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(Math.min(...lines.map(lowestOf))).toBe(0)
    })

    test('of a table hold for its series, and for predictions of its rows', async () => {
      const sold = falling.map((value, i) => `${i + 1},s,2025-${monthOf(i)}-${dayOf(i)},${value}`)
      const content = contentOf(['row,store,day,sold', ...sold].join('\n'))
      await cluster().files.write('bounds/sold.csv', content, AbortSignal.timeout(20_000))
      const recipe = {
        ...{ source: { format: 'csv' }, time: { column: 'day' }, target: 'sold' },
        ...{ keys: ['store'], frequency: 'daily' },
      }
      const table = { file: 'bounds/sold.csv', recipe }
      const fitted = await post('sold/fit', { table, spec: drift, bounds })
      const kept = await forecastOf('sold', `&series=store%3Ds&version=${fitted}`)
      expect(lowestOf(kept)).toBe(0)
      const features = [{ column: 'day', type: 'month' }]
      const spec = { family: 'regression', features, model: { kind: 'linear' } }
      const rows = [{ day: '2025-12-01' }]
      const predicted = async () => {
        const answer = await call('POST', `${models()}/sold-rows/predictions`, { body: { rows } })
        expect(answer.status, answer.text).toBe(200)
        return Number(answer.body.predictions![0]!.prediction)
      }
      await post('sold-rows/fit', { table, spec })
      expect(await predicted()).toBeLessThan(0)
      await post('sold-rows/fit', { table, spec, bounds })
      expect(await predicted()).toBe(0)
      const signal = AbortSignal.timeout(20_000)
      await cluster().files.write('bounds/rows.csv', contentOf('day\n2025-12-01\n'), signal)
      const files = { file: 'bounds/rows.csv', into: 'bounds/predicted.csv' }
      await post('sold-rows/predictions', files)
      const made = await call('GET', `${cluster().brokers[0]}/api/files/${files.into}?content=true`)
      expect(made.text.split('\n')[1]).toBe('2025-12-01,0,')
    })
  })
}

const dayOf = (i: number) => String((i % 28) + 1).padStart(2, '0')
const monthOf = (i: number) => String(Math.floor(i / 28) + 1).padStart(2, '0')
