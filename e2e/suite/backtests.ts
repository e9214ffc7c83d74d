import { describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { Breakable, TestCluster } from '../support/cluster.ts'
import { smallSeries, smallSpec } from '../support/data.ts'

const naive = { family: 'baseline', method: 'naive' }

/** How good forecasts would have been, as users ask for it. */
export function backtestSuite(cluster: () => TestCluster): void {
  const api = () => `${cluster().brokers[0]}/api/models`
  const post = (path: string, body: unknown) => call('POST', `${api()}/${path}`, { body })

  describe('backtests', () => {
    test('of one series say how much better a spec is than another, by steps, and make no version', async () => {
      const made = await post('judged/fit', { data: smallSeries(100), spec: smallSpec })
      expect(made.status, made.text).toBe(200)
      const own = await post('judged/backtests', { horizon: 7 })
      expect(own.status, own.text).toBe(200)
      const other = await post('judged/backtests', { horizon: 7, spec: naive, mode: 'update' })
      expect(other.status, other.text).toBe(200)
      const maseOf = ({ body }: typeof own) => Number(body.scores?.mean?.mase)
      expect(maseOf(own)).toBeGreaterThan(0)
      expect(maseOf(own)).toBeLessThan(maseOf(other))
      expect(own.body).toMatchObject({
        ...{ state: 'done', version: made.body.version },
        scores: { series: 1, judged: 1, codes: { ok: 1 }, count: 28, missing: 0 },
      })
      expect(own.body.steps).toHaveLength(7)
      const listed = await call('GET', `${api()}/judged/backtests`)
      expect(listed.body.backtests).toHaveLength(2)
      const versions = await call('GET', `${api()}/judged/versions`)
      expect(versions.body.versions).toHaveLength(1)
    })

    test('of many series tell of each of them, also of what updates have added', async () => {
      const key = (i: number) => `p=${String(i).padStart(2, '0')}`
      const series = Array.from({ length: 20 }, (_, i) => ({ key: key(i), y: smallSeries(9 * i) }))
      const short = { key: 'short', y: [1, 2, 3] }
      const made = await post('judged-many/fit', { series: [...series, short], spec: smallSpec })
      expect(made.status, made.text).toBe(200)
      const news = { series: [{ key: key(3), y: Array.from({ length: 7 }, () => null) }] }
      const added = await post('judged-many/observations', news)
      expect(added.status, added.text).toBe(200)
      const asked = { version: 'latest', horizon: 7, windows: 3, levels: [80] }
      const answer = await post('judged-many/backtests', asked)
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body).toMatchObject({
        version: added.body.version,
        scores: { series: 21, judged: 20, codes: { ok: 20, 'too-short': 1 }, missing: 7 },
      })
      const path = `${api()}/judged-many/backtests/${answer.body.job}/series`
      const page = await call('GET', `${path}?limit=5`)
      const keys = (page.body.series as unknown as { key: string }[]).map((one) => one.key)
      expect(keys).toEqual([0, 1, 2, 3, 4].map(key))
      expect(page.body.series?.[3]).toMatchObject({ code: 'ok', count: 14, missing: 7 })
      const lines = await call('GET', path, { headers: { accept: 'application/x-ndjson' } })
      expect(lines.text.trimEnd().split('\n')).toHaveLength(21)
      const bad = await call('GET', `${path}?code=too-short`)
      expect(bad.body.series).toMatchObject([{ key: 'short', code: 'too-short', mase: null }])
    })

    test('that cannot be are refused with the field', async () => {
      await post('judged-little/fit', { data: smallSeries(5), spec: smallSpec })
      const long = await post('judged-little/backtests', { horizon: 60 })
      expect([long.status, String(long.body.field)]).toEqual([422, '/windows'])
      const wrong = await post('judged-little/backtests', { horizon: 7, levels: [120] })
      expect([wrong.status, String(wrong.body.field)]).toEqual([400, '/levels'])
    })
  })
}

/** Of data; for a backtest each is cut into as many parts as there are windows. */
const shards = 8
const windows = 3

/** What breaks in the middle of a backtest. Only for clusters whose parts can be broken. */
export function backtestFaultSuite(cluster: () => Required<TestCluster>): void {
  const api = (broker = 0) => `${cluster().brokers[broker]}/api`
  const doneBy = async ({ url }: Breakable) => {
    const { text } = await call('GET', `${url}/metrics`)
    return Number(/almanac_shards_total\{[^}]*outcome="fitted"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0)
  }

  test('a node killed in the middle of a backtest: only what it had in hand is done again', async () => {
    const series = Array.from({ length: shards * 2_000 }, (_, i) => ({
      key: `s=${String(i).padStart(5, '0')}`,
      y: Array.from({ length: 24 }, (_, t) => i + ((t * 7) % 5)),
    }))
    const fit = await call('POST', `${api()}/models/killed-backtest/fit`, {
      body: { series, spec: naive },
    })
    expect(fit.status, fit.text).toBe(200)
    const asked = { horizon: 2, windows, spec: { family: 'ets' } }
    const accepted = await call('POST', `${api()}/models/killed-backtest/backtests`, {
      body: asked,
      headers: { prefer: 'respond-async' },
    })
    expect(accepted.status, accepted.text).toBe(202)
    const id = String(accepted.body.job)
    const [killed, ...others] = cluster().nodes
    const before = await Promise.all(cluster().nodes.map(doneBy))
    await eventually(
      'it has done a part',
      () => doneBy(killed!),
      (n) => n > before[0]!,
      90_000,
    )
    const own = (await doneBy(killed!)) - before[0]!
    await killed!.kill()
    const ending = await eventually(
      'done by the others',
      async () => (await call('GET', `${api(1)}/jobs/${id}`)).body,
      ({ state }) => String(state) === 'done' || String(state) === 'failed',
      110_000,
    )
    expect(String(ending.state), JSON.stringify(ending)).toBe('done')
    const after = await Promise.all(others.map(doneBy))
    const byOthers = after.reduce((sum, count, i) => sum + count - before[i + 1]!, 0)
    expect(byOthers).toBeLessThanOrEqual(windows * shards - own)
    await killed!.start()
    const view = await call('GET', `${api(1)}/models/killed-backtest/backtests/${id}`)
    expect(view.body).toMatchObject({ scores: { series: shards * 2_000, judged: shards * 2_000 } })
  }, 240_000)
}
