import { describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { smallSeries } from '../support/data.ts'

type Series = {
  readonly key: string
  readonly y: readonly (number | null)[]
  readonly start?: string
  readonly frequency?: string
  readonly timezone?: string
}

/** Its fit draws nothing at random, which would depend on the model's name and the version. */
const theta = { family: 'theta' }
const asynchronous = { prefer: 'respond-async' }
const key = (i: number) => `p=${String(i).padStart(6, '0')}`
const days = { start: '2025-01-01', frequency: 'daily' }

/** Refits of many series, as users begin them. */
export function refitSuite(cluster: () => TestCluster): void {
  const models = () => `${cluster().brokers[0]}/api/models`
  const post = async (path: string, body: unknown) => {
    const answer = await call('POST', `${models()}/${path}`, { body })
    expect(answer.status, answer.text).toBe(200)
    return answer.body
  }
  const streamOf = async (model: string) => {
    const answer = await call('GET', `${models()}/${model}/forecasts/7?level=80&timestamps=true`)
    expect(answer.status).toBe(200)
    return { text: answer.text, version: Number(answer.headers['x-model-version']) }
  }

  describe('refits', () => {
    test('of what came in parts forecast as a fit of all at once, to the byte', async () => {
      const plain = Array.from({ length: 30 }, (_, i) => ({ key: key(i), y: smallSeries(9 * i) }))
      const dated = { key: 'dated', y: smallSeries(40), ...days, timezone: 'Asia/Tokyo' }
      const fitted: Series[] = [...plain, dated]
      const news: Series[][] = [
        [
          { key: key(3), y: [30, null, 31] },
          { key: 'dated', y: [41, 42], start: '2025-05-03' },
          { key: 'a new one', y: smallSeries(7), ...days },
        ],
        [
          { key: key(3), y: [32] },
          { key: 'a new one', y: [8], start: '2025-05-02' },
          // Known already: left out then, and so now.
          { key: 'dated', y: [99], start: '2025-01-02' },
        ],
      ]
      await post('refitted/fit', { series: fitted, spec: theta })
      for (const series of news) await post('refitted/observations', { series })
      const before = await streamOf('refitted')

      const name = `${cluster().brokers[0]}/api/schedules/refits`
      const body = { cron: '0 0 1 1 *', enabled: false, action: { refit: { model: 'refitted' } } }
      expect((await call('PUT', name, { body })).status).toBe(201)
      const begun = await call('POST', `${name}/run`)
      expect(begun.status, begun.text).toBe(200)
      expect(begun.body).toMatchObject({ version: 4, state: 'serving' })
      expect((await call('DELETE', name)).status).toBe(200)

      const whole: Series[] = [
        ...plain.map((one, i) => (i === 3 ? { ...one, y: [...one.y, 30, null, 31, 32] } : one)),
        { ...dated, y: [...dated.y, null, null, 41, 42] },
        { key: 'a new one', y: [...smallSeries(7), null, 8], ...days },
      ]
      await post('whole/fit', { series: whole, spec: theta })
      const [joined, atOnce] = [await streamOf('refitted'), await streamOf('whole')]
      expect([before.version, joined.version]).toEqual([3, 4])
      expect(joined.text).toBe(atOnce.text)
      expect(joined.text).not.toBe(before.text)
      const version = await call('GET', `${models()}/refitted/versions/4`)
      expect(version.body).toMatchObject({ series: 32, base: null, metrics: { missing: 4 } })
      await post('refitted/observations', { series: [{ key: key(3), y: [33] }] })
    }, 120_000)
  })
}

/** What breaks in the middle of a refit. Only for clusters whose nodes can be killed. */
export function refitFaultSuite(cluster: () => Required<TestCluster>): void {
  const api = () => `${cluster().brokers[0]}/api`
  const spec = { family: 'baseline', method: 'naive' }

  test('a node that is killed while it joins costs only time', async () => {
    const model = `${api()}/models/joined`
    const series = Array.from({ length: 16_000 }, (_, i) => ({
      key: key(i),
      y: Array.from({ length: 30 }, (_, t) => t + i),
    }))
    const fitted = await call('POST', `${model}/fit`, { body: { series, spec } })
    expect(fitted.status, fitted.text).toBe(200)
    const news = series.map((one, i) => ({ key: one.key, y: [i] }))
    const added = await call('POST', `${model}/observations`, { body: { series: news } })
    expect(added.status, added.text).toBe(200)
    const body = { cron: '0 0 1 1 *', enabled: false, action: { refit: { model: 'joined' } } }
    expect((await call('PUT', `${api()}/schedules/joined`, { body })).status).toBe(201)
    const headers = asynchronous
    const begun = await call('POST', `${api()}/schedules/joined/run`, { headers })
    expect(begun.status, begun.text).toBe(202)
    const job = `${api()}/jobs/${begun.body.job}`
    const running = await eventually(
      'a node joins',
      () => call('GET', job),
      ({ body: { node } }) => typeof node === 'string',
    )
    expect(running.body).toMatchObject({ kind: 'fit-parts' })
    const port = String(running.body.node).split('_').at(-1)
    const holder = cluster().nodes.find(({ url }) => url?.endsWith(`:${port}`))
    await holder!.kill()
    const done = await eventually(
      'another node has joined them, and all are fitted',
      () => call('GET', job),
      ({ body: { state } }) => ['done', 'failed'].includes(String(state)),
      90_000,
    )
    await holder!.start()
    expect(done.body, done.text).toMatchObject({ state: 'done', kind: 'fit-shards' })
    const log = await call('GET', `${job}/log`)
    const events = (log.body.log as unknown as { event: string }[]).map(({ event }) => event)
    const [lost, handedOver] = [events.indexOf('lost'), events.indexOf('handed-over')]
    expect(lost, log.text).toBeGreaterThan(0)
    expect(handedOver, log.text).toBeGreaterThan(lost)
    const one = await call('GET', `${model}/forecast/1?series=${encodeURIComponent(key(15_999))}`)
    expect(one.body).toEqual({ data: [15_999] })
    expect((await call('DELETE', `${api()}/schedules/joined`)).status).toBe(200)
  }, 240_000)
}
