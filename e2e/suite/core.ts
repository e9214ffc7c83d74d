import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { correlation, mean, smallSeries, smallSpec, temperatures } from '../support/data.ts'

/** What a user does on a good day, and what happens when they err. */
export function coreSuite(cluster: () => TestCluster): void {
  const api = () => `${cluster().brokers[0]}/api`
  const fitNamed = (model: string, level: number, headers: Record<string, string> = {}) =>
    call('POST', `${api()}/models/${model}/fit`, {
      body: { data: smallSeries(level), spec: smallSpec },
      headers,
    })

  describe('the two calls', () => {
    test('3,650 temperatures are fitted and served within 3 seconds', async () => {
      // The first fit of a process pays for compiling the code; a user's second one does not.
      const started = performance.now()
      const first = await call('POST', `${api()}/fit_model`, { body: { data: temperatures } })
      const firstMs = performance.now() - started
      expect(first.status, first.text).toBe(200)
      expect(first.body).toMatchObject({ model: 'default', state: 'serving' })
      expect(firstMs).toBeLessThan(3_000)
    })

    test('500 forecasts follow the season of the data', async () => {
      const answer = await call('GET', `${api()}/forecast/500`)
      expect(answer.status, answer.text).toBe(200)
      const { data } = answer.body as unknown as { data: number[] }
      expect(Object.keys(answer.body)).toEqual(['data'])
      expect(data).toHaveLength(500)
      expect(data.every(Number.isFinite)).toBe(true)
      expect(Math.abs(mean(data) - mean(temperatures))).toBeLessThan(1.5)
      expect(correlation(data.slice(0, 365), temperatures.slice(-365))).toBeGreaterThan(0.6)
      expect(answer.headers['x-model-version']).toMatch(/^\d+$/)
      expect(answer.headers['x-request-id']).toBeTruthy()
    })

    test('a level adds bounds around the forecast', async () => {
      const answer = await call('GET', `${api()}/forecast/10?level=80,95`)
      const { data, intervals } = answer.body as unknown as {
        data: number[]
        intervals: { level: number; lower: number[]; upper: number[] }[]
      }
      expect(intervals.map(({ level }) => level)).toEqual([80, 95])
      for (const [i, point] of data.entries()) {
        const [inner, outer] = intervals
        expect(outer?.lower[i]).toBeLessThan(inner?.lower[i] as number)
        expect(inner?.lower[i]).toBeLessThan(point)
        expect(inner?.upper[i]).toBeGreaterThan(point)
      }
    })

    test('an unchanged forecast costs nothing to ask for again', async () => {
      const first = await call('GET', `${api()}/forecast/20`)
      const etag = String(first.headers.etag)
      const again = await call('GET', `${api()}/forecast/20`, {
        headers: { 'if-none-match': etag },
      })
      expect(again.status).toBe(304)
      expect(again.text).toBe('')
    })
  })

  describe('versions', () => {
    test('a later fit serves in place of the earlier one, which can still be asked for', async () => {
      const one = await fitNamed('versions', 100)
      const two = await fitNamed('versions', 200)
      expect(one.status, one.text).toBe(200)
      expect(two.status, two.text).toBe(200)
      expect(Number(two.body.version)).toBeGreaterThan(Number(one.body.version))
      const now = await call('GET', `${api()}/models/versions/forecast/7`)
      expect(mean(now.body.data as unknown as number[])).toBeGreaterThan(150)
      const pinned = `${api()}/models/versions/forecast/7?version=${one.body.version}`
      const then = await call('GET', pinned)
      expect(then.status, then.text).toBe(200)
      expect(mean(then.body.data as unknown as number[])).toBeLessThan(150)
      expect(Number(then.headers['x-model-version'])).toBe(Number(one.body.version))
    })

    test('a rollback serves the version before, says so in the log, and holds until released', async () => {
      const one = await fitNamed('rollback', 100)
      const two = await fitNamed('rollback', 200)
      const back = await call('POST', `${api()}/models/rollback/rollback`, { body: {} })
      expect(back.status, back.text).toBeLessThan(300)
      const serves = async () => (await call('GET', `${api()}/models/rollback/forecast/3`)).headers
      await eventually('the former version serves', serves, (headers) => {
        return Number(headers['x-model-version']) === Number(one.body.version)
      })
      const log = await call('GET', `${api()}/models/rollback/log`)
      expect(log.text).toContain('rollback')
      const three = await fitNamed('rollback', 300, { prefer: 'respond-async' })
      expect(three.status, three.text).toBe(202)
      const job = String(three.body.job)
      await eventually(
        'the fit is done',
        async () => (await call('GET', `${api()}/jobs/${job}`)).body,
        (body) => String(body.state) === 'done',
      )
      // A hold that does not hold is undone a moment after the fit, so one look is not enough.
      for (let i = 0; i < 40; i++) {
        expect(Number((await serves())['x-model-version'])).toBe(Number(one.body.version))
        await delay(25)
      }
      expect(Number(two.body.version)).toBeGreaterThan(Number(one.body.version))
      const released = await call('DELETE', `${api()}/models/rollback/hold`)
      expect(released.status, released.text).toBeLessThan(300)
      await eventually('the newest version serves', serves, (headers) => {
        return Number(headers['x-model-version']) === Number(three.body.version)
      })
    })

    test('a deleted model is gone, and one made again under its name never reuses a number', async () => {
      const before = await fitNamed('phoenix', 100)
      const gone = await call('DELETE', `${api()}/models/phoenix`)
      expect(gone.status, gone.text).toBeLessThan(300)
      const none = await call('GET', `${api()}/models/phoenix/forecast/3`)
      expect(none.status, none.text).toBe(404)
      const after = await fitNamed('phoenix', 500)
      expect(after.status, after.text).toBe(200)
      expect(Number(after.body.version)).toBeGreaterThan(Number(before.body.version))
      const forecast = await call('GET', `${api()}/models/phoenix/forecast/3`)
      expect(mean(forecast.body.data as unknown as number[])).toBeGreaterThan(450)
    })

    test('many series are fitted at once, and each is asked for by its key', async () => {
      const of = (i: number) => ({ key: `store=${i % 3},product=${i}`, y: smallSeries(10 * i) })
      const series = [...Array.from({ length: 40 }, (_, i) => of(i)), { key: 'bad', y: [null] }]
      const made = await call('POST', `${api()}/models/many/fit`, {
        body: { series, spec: smallSpec },
      })
      expect(made.status, made.text).toBe(200)
      const version = await call('GET', `${api()}/models/many/versions/${made.body.version}`)
      expect(version.body).toMatchObject({ series: 41, metrics: { series: 41, 'code:ok': 40 } })
      const job = await call('GET', `${api()}/jobs/${made.body.job}`)
      expect(job.body).toMatchObject({ kind: 'fit-shards', series: { done: 41, of: 41 } })
      const ask = (key: string) =>
        call('GET', `${api()}/models/many/forecast/7?series=${encodeURIComponent(key)}`)
      const one = await ask('store=2,product=20')
      expect(one.status, one.text).toBe(200)
      expect(Math.abs(mean(one.body.data as unknown as number[]) - 200)).toBeLessThan(5)
      expect((await ask('bad')).status).toBe(422)
      expect((await ask('store=9')).status).toBe(404)
      const all = await call('GET', `${api()}/models/many/forecasts/2?prefix=store%3D1`)
      const lines = all.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).series)
      expect(lines).toEqual(
        series.flatMap(({ key }) => (key.startsWith('store=1') ? [key] : [])).sort(),
      )
      const page = await call('GET', `${api()}/models/many/versions/1/series?code=no-data`)
      expect(page.status, page.text).toBe(200)
    })

    test('a table is uploaded, fitted and served; its broken row costs that row', async () => {
      const days = Array.from({ length: 28 }, (_, i) => `2024-05-${String(i + 1).padStart(2, '0')}`)
      const rows = ['7', '8'].flatMap((store) =>
        days.map((day, i) => `${day};${store};"${10 * Number(store) + (i % 7)},5"`),
      )
      rows.splice(30, 0, '2024-05-03;8;"broken')
      const text = ['day;shop;sold', ...rows].join('\n')
      const put = await fetch(`${api()}/files/sales/may.csv`, { method: 'PUT', body: text })
      expect(put.status, await put.text()).toBeLessThan(300)
      const recipe = {
        source: { format: 'csv', delimiter: ';', decimal: ',' },
        time: { column: 'day' },
        target: 'sold',
        keys: ['shop'],
        frequency: 'daily',
      }
      const made = await call('POST', `${api()}/models/table/fit`, {
        body: {
          table: { file: 'sales/may.csv', recipe },
          spec: { family: 'baseline', method: 'naive' },
        },
      })
      expect(made.status, made.text).toBe(200)
      const of = `${api()}/models/table/versions/${made.body.version}`
      const { summary } = (await call('GET', `${of}/table`)).body
      expect(summary).toMatchObject({ rows: 57, rejected: 1, series: 2, observations: 56 })
      const rejects = (await call('GET', `${of}/rejects`)).text.split('\n')
      expect(rejects[1]).toMatch(/^32,read,rejected,/)
      const forecast = await call(
        'GET',
        `${api()}/models/table/forecast/2?series=shop%3D8&timestamps=true`,
      )
      expect(forecast.body, forecast.text).toEqual({
        data: [86.5, 86.5],
        timestamps: ['2024-05-29T00:00:00.000Z', '2024-05-30T00:00:00.000Z'],
      })
    })

    test('new observations make a version that goes on from the newest', async () => {
      const spec = { family: 'baseline', method: 'naive' }
      const add = (body: object) => call('POST', `${api()}/models/growing/observations`, { body })
      const forecast = () => call('GET', `${api()}/models/growing/forecast/2?timestamps=true`)
      const body = { series: [{ start: '2024-02-01', frequency: 'daily', y: [1, 2, 3] }], spec }
      const made = await call('POST', `${api()}/models/growing/fit`, { body })
      expect(made.status, made.text).toBe(200)
      const one = await add({ data: [4, 5] })
      expect(one.status, one.text).toBe(200)
      expect((await forecast()).body).toEqual({
        data: [5, 5],
        timestamps: ['2024-02-06T00:00:00.000Z', '2024-02-07T00:00:00.000Z'],
      })
      const two = await add({ series: [{ start: '2024-02-08', y: [9] }] })
      expect(two.status, two.text).toBe(200)
      expect((await forecast()).body).toEqual({
        data: [9, 9],
        timestamps: ['2024-02-09T00:00:00.000Z', '2024-02-10T00:00:00.000Z'],
      })
      const version = await call('GET', `${api()}/models/growing/versions/${two.body.version}`)
      expect(version.body).toMatchObject({ base: one.body.version, observations: 3, spec })
      const known = await add({ series: [{ start: '2024-02-08', y: [9] }] })
      expect(known.status, known.text).toBe(409)
      expect(known.text).toContain('knows 1 step from 2024-02-08 on already')
    })

    test('days of a time zone are its dates, those that come later, too', async () => {
      const spec = { family: 'baseline', method: 'naive' }
      const series = { start: '2024-03-29', frequency: 'daily', timezone: 'Europe/Berlin' }
      const fitted = await call('POST', `${api()}/models/local/fit`, {
        body: { series: [{ ...series, y: [1, 2] }], spec },
      })
      expect(fitted.body).toMatchObject({ state: 'serving' })
      const added = await call('POST', `${api()}/models/local/observations`, {
        body: { series: [{ start: '2024-04-01', y: [9] }] },
      })
      expect(added.body).toMatchObject({ state: 'serving' })
      const answer = await call('GET', `${api()}/models/local/forecast/1?timestamps=true`)
      expect(answer.body).toEqual({ data: [9], timestamps: ['2024-04-02T00:00:00+02:00'] })
      const version = await call('GET', `${api()}/models/local/versions/${added.body.version}`)
      expect(version.body).toMatchObject({ observations: 2 })
    })

    test('new observations of some of many series move those on, and leave the others', async () => {
      const spec = { family: 'baseline', method: 'naive' }
      const calendar = { start: '2024-02-01', frequency: 'daily' }
      const key = (i: number) => `store=${i}`
      const series = [1, 2, 3, 4].map((i) => ({ key: key(i), y: [i, i, i], ...calendar }))
      const body = { series, spec }
      const made = await call('POST', `${api()}/models/wide/fit`, { body })
      expect(made.status, made.text).toBe(200)
      const ask = async (i: number) => {
        const query = `series=${encodeURIComponent(key(i))}&timestamps=true`
        return (await call('GET', `${api()}/models/wide/forecast/1?${query}`)).body
      }
      const following = (day: string, value: number) => ({
        data: [value],
        timestamps: [`2024-02-${day}T00:00:00.000Z`],
      })
      const news = [
        { key: key(3), y: [30] },
        { key: key(1), start: '2024-02-06', y: [10, null] },
        { key: key(4), start: '2024-02-03', y: [40] },
        { key: key(5), y: [50], start: '2024-02-04', frequency: 'daily' },
      ]
      const added = await call('POST', `${api()}/models/wide/observations`, {
        body: { series: news },
      })
      expect(added.status, added.text).toBe(200)
      expect(await Promise.all([1, 2, 3, 4, 5].map(ask))).toEqual([
        following('08', 10),
        following('04', 2),
        following('05', 30),
        following('04', 4),
        following('05', 50),
      ])
      const version = await call('GET', `${api()}/models/wide/versions/${added.body.version}`)
      const metrics = { series: 5, 'code:ok': 4, 'code:known-already': 1 }
      expect(version.body).toMatchObject({ base: made.body.version, series: 5, metrics })
      const job = await call('GET', `${api()}/jobs/${added.body.job}`)
      expect(job.body).toMatchObject({ kind: 'update-shards', state: 'done' })
      const keyless = await call('POST', `${api()}/models/wide/observations`, {
        body: { data: [1] },
      })
      expect(keyless.status, keyless.text).toBe(422)
    })

    test('the same Idempotency-Key makes one fit', async () => {
      const key = { 'idempotency-key': 'e2e-once' }
      const [one, two] = [await fitNamed('once', 100, key), await fitNamed('once', 100, key)]
      expect(two.body.version).toEqual(one.body.version)
      const other = await fitNamed('once', 101, key)
      expect(other.status).toBe(422)
    })

    test('a constant series gives a constant forecast', async () => {
      const data = Array.from({ length: 400 }, () => 7.5)
      const made = await call('POST', `${api()}/models/constant/fit`, { body: { data } })
      expect(made.status, made.text).toBe(200)
      const forecast = await call('GET', `${api()}/models/constant/forecast/30`)
      const values = forecast.body.data as unknown as number[]
      for (const value of values) expect(value).toBeCloseTo(7.5, 9)
    })

    test('without a spec the version says in words what was chosen', async () => {
      const made = await call('POST', `${api()}/models/chosen/fit`, {
        body: { data: smallSeries(50) },
      })
      expect(made.status, made.text).toBe(200)
      const version = await call('GET', `${api()}/models/chosen/versions/${made.body.version}`)
      expect(version.body.spec).toMatchObject({ family: 'automatic' })
      const metrics = version.body.metrics as unknown as Record<string, string>
      expect(metrics.summary).toMatch(/season of 7/)
      expect(metrics.candidates).toMatch(/ets.*weight/)
    })

    test('missing observations are written as null', async () => {
      const data = smallSeries(50).map((value, i) => (i % 11 === 3 ? null : value))
      const made = await call('POST', `${api()}/models/gaps/fit`, {
        body: { data, spec: smallSpec },
      })
      expect(made.status, made.text).toBe(200)
    })
  })

  describe('mistakes', () => {
    const good = smallSeries(10)
    const lastYear = { family: 'arima' }
    const cases: [string, unknown, number, RegExp][] = [
      ['text that is not JSON', '{"data": [1, 2', 400, /JSON/],
      ['NaN, which is not JSON', '{"data": [1, NaN]}', 400, /null/],
      ['an empty body', '', 400, /body/i],
      ['a body without data', {}, 400, /data/],
      ['no numbers at all', { data: [] }, 400, /data/],
      ['text among the numbers', { data: [...good, 'x'] }, 400, /\/data\/120/],
      ['an object among the numbers', { data: [1, {}] }, 400, /\/data\/1/],
      ['too few numbers for the model', { data: good, spec: lastYear }, 422, /37\d/],
      ['a field that is not known', { data: good, sepc: {} }, 400, /sepc/],
      ['an unknown family', { data: good, spec: { family: 'oracle' } }, 400, /arima/],
      [
        'a field of the spec that is not known',
        { data: good, spec: { ...smallSpec, z: 1 } },
        400,
        /z/,
      ],
    ]
    test.each(cases)(
      '%s is refused by name, and nothing is kept',
      async (_name, body, status, says) => {
        const before = await call('GET', `${api()}/models`)
        const answer = await call('POST', `${api()}/models/mistake/fit`, {
          body,
          headers: { 'content-type': 'application/json' },
        })
        expect([400, 422], answer.text).toContain(answer.status)
        expect(answer.status, answer.text).toBe(status)
        expect(answer.headers['content-type']).toContain('application/problem+json')
        expect(answer.text).toMatch(says)
        const after = await call('GET', `${api()}/models`)
        expect(after.text).toBe(before.text)
      },
    )

    test.each([
      ['0', 400],
      ['-1', 400],
      ['1.5', 400],
      ['abc', 400],
      ['1000000000', 400],
    ])('a horizon of %s is refused', async (horizon, status) => {
      const answer = await call('GET', `${api()}/forecast/${horizon}`)
      expect(answer.status, answer.text).toBe(status)
      expect(answer.text).toContain('horizon')
    })

    test.each([
      ['an unknown model', '/models/nobody/forecast/3', 404],
      ['an unknown version', '/forecast/3?version=99999', 404],
      ['a version that is not a number', '/forecast/3?version=1.5', 400],
      ['a level above 100', '/forecast/3?level=120', 400],
      ['a parameter that is not known', '/forecast/3?levle=80', 400],
      ['an unknown route', '/forecasts', 404],
      ['an unknown job', '/jobs/none', 404],
    ])('%s is answered with a problem document', async (_name, path, status) => {
      const answer = await call('GET', `${api()}${path}`)
      expect(answer.status, answer.text).toBe(status)
      expect(answer.headers['content-type']).toContain('application/problem+json')
      expect(String(answer.body.detail).length).toBeGreaterThan(10)
    })
  })

  describe('operating it', () => {
    test('nodes, jobs, metrics, health and the OpenAPI document can be read', async () => {
      const nodes = await call('GET', `${api()}/nodes`)
      expect(nodes.status, nodes.text).toBe(200)
      const metrics = await call('GET', `${cluster().brokers[0]}/metrics`)
      expect(metrics.text).toContain('almanac_http_request_seconds_bucket')
      expect((await call('GET', `${cluster().brokers[0]}/healthz`)).status).toBe(200)
      expect((await call('GET', `${cluster().brokers[0]}/readyz`)).status).toBe(200)
      const openapi = await call('GET', `${api()}/openapi.json`)
      expect(String(openapi.body.openapi)).toMatch(/^3\.1/)
      expect(openapi.text).toContain('/api/forecast/{horizon}')
    })
  })

  describe('a restart', () => {
    test('everything killed at once and started again answers as before', async () => {
      const path = () => `${api()}/forecast/50`
      const before = await call('GET', path())
      await cluster().restartAll()
      const after = await eventually(
        'answers again',
        () => call('GET', path()),
        (a) => a.status === 200,
      )
      expect(after.text).toBe(before.text)
      expect(after.headers['x-model-version']).toBe(before.headers['x-model-version'])
      const again = await fitNamed('versions', 300)
      expect(again.status, again.text).toBe(200)
    })
  })
}
