import { describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { TestCluster } from '../support/cluster.ts'
import { smallSeries, smallSpec } from '../support/data.ts'

/** What is done to jobs, and what begins them by itself. */
export function jobSuite(cluster: () => TestCluster): void {
  const api = () => `${cluster().brokers[0]}/api`
  const fitOf = (model: string, headers: Record<string, string> = {}, data = smallSeries(100)) =>
    call('POST', `${api()}/models/${model}/fit`, { body: { data, spec: smallSpec }, headers })

  describe('jobs', () => {
    test('a cancelled fit ends, what served goes on, and a retry serves', async () => {
      expect((await fitOf('cancelled')).status).toBe(200)
      // Long enough that it is mostly cancelled in its middle, and sometimes before.
      const spec = { family: 'automatic', seasons: [24, 168] }
      const data = Array.from({ length: 20_000 }, (_, i) => Math.sin(i / 3.8) + ((i * 7919) % 101))
      const begun = await call('POST', `${api()}/models/cancelled/fit`, {
        body: { data, spec },
        headers: { prefer: 'respond-async' },
      })
      expect(begun.status, begun.text).toBe(202)
      const job = String(begun.body.job)
      const cancelled = await call('POST', `${api()}/jobs/${job}/cancel`)
      expect(cancelled.status, cancelled.text).toBe(200)
      expect(cancelled.body).toMatchObject({ state: 'failed', error: { reason: 'cancelled' } })
      expect((await call('GET', `${api()}/models/cancelled`)).body).toMatchObject({ serving: 1 })
      const log = await call('GET', `${api()}/jobs/${job}/log`)
      expect(log.text).toContain('cancelled')
      const again = await call('POST', `${api()}/jobs/${job}/retry`, {
        headers: { prefer: 'respond-async' },
      })
      expect(again.status, again.text).toBe(202)
      expect(again.body).toMatchObject({ version: 3 })
      const other = await call('POST', `${api()}/jobs/${again.body.job}/cancel`)
      expect(other.status, other.text).toBe(200)
    })

    test('a schedule begins one job at its instant, and says so', async () => {
      expect((await fitOf('scheduled')).status).toBe(200)
      const body = { cron: '* * * * *', action: { refit: { model: 'scheduled' } } }
      const put = await call('PUT', `${api()}/schedules/each-minute`, { body })
      expect(put.status, put.text).toBe(201)
      const due = String(put.body.next)
      const seen = await eventually(
        'the schedule has run',
        () => call('GET', `${api()}/schedules/each-minute`),
        ({ body: now }) => (now.runs?.length ?? 0) > 0,
        75_000,
      )
      expect((await call('DELETE', `${api()}/schedules/each-minute`)).status).toBe(200)
      expect(seen.body.last).toMatchObject({ instant: due, outcome: 'begun', version: 2 })
      await eventually(
        'its version serves',
        () => call('GET', `${api()}/models/scheduled`),
        ({ body: model }) => Number(model.serving) === 2,
      )
      const versions = await call('GET', `${api()}/models/scheduled/versions`)
      expect(versions.body.versions).toHaveLength(2)
    }, 120_000)
  })
}
