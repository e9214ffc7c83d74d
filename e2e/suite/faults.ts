import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { Breakable, TestCluster } from '../support/cluster.ts'
import { smallSeries, smallSpec, temperatures } from '../support/data.ts'
import { failures, startLoad, stepsBack } from '../support/load.ts'

/** One start takes twice as long as the next where the machine does something else meanwhile. */
const startsTimed = 5

/** Of the fit of many series that loses a node: some seconds of work for each. */
const shards = 10

export type FaultOptions = { readonly outageMs: number }

/** Eighty years of days take some seconds to fit, so that there is time to kill somebody. */
const longSeries = Array.from({ length: 8 * temperatures.length }, (_, day) => {
  return (temperatures[day % temperatures.length] as number) + Math.floor(day / 3650) / 100
})

/** What breaks, and that nobody notices. Only for clusters whose parts can be broken. */
export function faultSuite(cluster: () => Required<TestCluster>, options: FaultOptions): void {
  const api = (broker = 0) => `${cluster().brokers[broker]}/api`
  const load = (perSecond = 100) =>
    startLoad({ brokers: cluster().brokers, models: ['faults'], horizons: [1, 30, 365], perSecond })
  const post = (model: string, body: unknown, broker = 0, headers: Record<string, string> = {}) =>
    call('POST', `${api(broker)}/models/${model}/fit`, { body, headers })
  const job = async (id: string, broker = 0) =>
    (await call('GET', `${api(broker)}/jobs/${id}`)).body
  const small = (level: number) => ({ data: smallSeries(level), spec: smallSpec })
  const slow = { data: longSeries }
  const respondAsync = { prefer: 'respond-async' }

  const registered = async () => (await call('GET', `${api()}/nodes`)).text.split('"ip"').length - 1

  const claimant = async (id: string): Promise<Breakable> => {
    const nodes = await eventually(
      'a node works on the job',
      async () => String((await job(id)).node ?? ''),
      (node) => node !== '' && node !== 'null',
    )
    const found = cluster().nodes.find(({ url }) => nodes.endsWith(`_${new URL(url ?? '').port}`))
    if (!found) throw new Error(`no process of the node ${nodes}`)
    return found
  }

  describe('when things break', () => {
    beforeAll(async () => {
      const answer = await post('faults', small(100))
      expect(answer.status, answer.text).toBe(200)
    })

    test('a node killed while it fits: another node fits it, and no forecast fails', async () => {
      const traffic = load()
      const accepted = await post('killed-node', slow, 0, respondAsync)
      expect(accepted.status, accepted.text).toBe(202)
      const id = String(accepted.body.job)
      const node = await claimant(id)
      await node.kill()
      const done = await eventually('done elsewhere', () => job(id), ended, 60_000)
      await traffic.stop()
      await node.start()
      expect(String(done.state), JSON.stringify(done)).toBe('done')
      expect(Number(done.attempts)).toBe(2)
      expect(failures(traffic.seen)).toEqual([])
      expect(stepsBack(traffic.seen)).toEqual([])
      expect((await call('GET', `${api()}/models/killed-node/forecast/3`)).status).toBe(200)
    }, 120_000)

    test('a node killed in the middle of many series: only what it had in hand is done again', async () => {
      const key = (i: number) => `s=${String(i).padStart(5, '0')}`
      const series = Array.from({ length: shards * 2_000 }, (_, i) => ({
        key: key(i),
        y: Array.from({ length: 24 }, (_, t) => i + ((t * 7) % 5)),
      }))
      const body = { series, spec: { family: 'ets' } }
      const accepted = await post('killed-shards', body, 0, respondAsync)
      expect(accepted.status, accepted.text).toBe(202)
      const id = String(accepted.body.job)
      const done = async () => Number((await job(id)).series?.done)
      const fitted = async ({ url }: Breakable) => {
        const { text } = await call('GET', `${url}/metrics`)
        return Number(
          /almanac_shards_total\{[^}]*outcome="fitted"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0,
        )
      }
      const [killed, ...others] = cluster().nodes
      const before = await Promise.all(cluster().nodes.map(fitted))
      await eventually(
        'it has done a part',
        () => fitted(killed!),
        (n) => n > before[0]!,
        60_000,
      )
      const own = (await fitted(killed!)) - before[0]!
      const atLeast = await done()
      await killed!.kill()
      const seen: number[] = []
      const ending = await eventually(
        'done by the others',
        async () => {
          const now = await job(id)
          seen.push(Number(now.series?.done))
          return now
        },
        ended,
        110_000,
      )
      expect(String(ending.state), JSON.stringify(ending)).toBe('done')
      // What was done is never undone.
      expect(seen.every((count, i) => count >= (seen[i - 1] ?? atLeast))).toBe(true)
      const after = await Promise.all(others.map(fitted))
      const byOthers = after.reduce((sum, count, i) => sum + count - before[i + 1]!, 0)
      expect(byOthers).toBeLessThanOrEqual(shards - own)
      await killed!.start()
      const last = `${api(1)}/models/killed-shards/forecast/3?series=${key(shards * 2_000 - 1)}`
      await eventually(
        'its forecasts are served',
        () => call('GET', last),
        ({ status }) => status === 200,
      )
    }, 180_000)

    test('a node killed under load: no forecast fails', async () => {
      const traffic = load(300)
      for (const node of cluster().nodes.slice(0, 2)) {
        await delay(1_000)
        await node.kill()
        await delay(2_000)
        await node.start()
      }
      await traffic.stop()
      expect(failures(traffic.seen)).toEqual([])
    }, 120_000)

    test('a frozen node: its requests move elsewhere', async () => {
      const traffic = load(100)
      const [node] = cluster().nodes
      node?.signal('SIGSTOP')
      await delay(15_000)
      node?.signal('SIGCONT')
      await delay(3_000)
      await traffic.stop()
      expect(failures(traffic.seen)).toEqual([])
    }, 120_000)

    test('a node drained under load: no forecast fails', async () => {
      const traffic = load(300)
      const [, node] = cluster().nodes
      await node?.stop()
      // It has said goodbye itself: its lease would tell only later.
      const left = await registered()
      await node?.start()
      await traffic.stop()
      expect(left).toBe(cluster().nodes.length - 1)
      expect(failures(traffic.seen)).toEqual([])
    }, 120_000)

    test('a broker killed right after it acknowledged, no node knowing: the fit completes', async () => {
      // Nobody can have taken the order: only what is durable tells the other broker of the fit.
      for (const node of cluster().nodes) await node.kill()
      const accepted = await post('killed-broker', small(200), 1, respondAsync)
      expect(accepted.status, accepted.text).toBe(202)
      await cluster().brokerProcesses[1]?.kill()
      await Promise.all(cluster().nodes.map((node) => node.start()))
      const id = String(accepted.body.job)
      const done = await eventually('done', () => job(id), ended, 30_000)
      expect(String(done.state), JSON.stringify(done)).toBe('done')
      await eventually(
        'it serves',
        () => call('GET', `${api()}/models/killed-broker/forecast/3`),
        ({ status }) => status === 200,
      )
      await cluster().brokerProcesses[1]?.start()
    }, 120_000)

    test('all nodes killed: 503 with a reason, and answers within 2 s of one start', async () => {
      for (const node of cluster().nodes) await node.kill()
      const none = await call('GET', `${api()}/models/faults/forecast/17`)
      expect(none.status, none.text).toBe(503)
      expect(none.headers['retry-after']).toBeTruthy()
      const [first, ...others] = cluster().nodes
      const tookMs: number[] = []
      for (let i = 0; i < startsTimed; i++) {
        await first?.kill()
        const started = performance.now()
        const starting = first?.start()
        await eventually(
          'answers',
          // A horizon that the broker has no answer for yet.
          () => call('GET', `${api()}/models/faults/forecast/${17 + i}`),
          ({ status }) => status === 200,
        )
        tookMs.push(performance.now() - started)
        await starting
      }
      for (const node of others) await node.start()
      tookMs.sort((a, b) => a - b)
      expect(tookMs[(startsTimed - 1) / 2], tookMs.join(', ')).toBeLessThan(2_000)
      expect(tookMs.at(-1), tookMs.join(', ')).toBeLessThan(5_000)
    }, 180_000)

    test('nodes cut off from etcd: the brokers see them go, and no forecast fails', async () => {
      const traffic = load()
      await cluster().etcdOfNodes.kill()
      try {
        await eventually('every lease ended', registered, (count) => count === 0, 30_000)
        await delay(6_000)
      } finally {
        await cluster().etcdOfNodes.start()
      }
      await eventually(
        'all are back',
        registered,
        (count) => count === cluster().nodes.length,
        30_000,
      )
      await traffic.stop()
      // Who had waited for a node to register again would have its answer, and late.
      const late = traffic.seen.filter(({ sentMs, doneMs }) => doneMs - sentMs > 4_000)
      expect(late.length).toBe(0)
      expect(failures(traffic.seen)).toEqual([])
      expect(stepsBack(traffic.seen)).toEqual([])
    }, 120_000)

    test.each([
      ['etcd', (c: Required<TestCluster>) => c.etcd],
      ['the CQL database', (c: Required<TestCluster>) => c.cql],
    ])(
      '%s away: forecasts go on, fits are refused in time, and all is well afterwards',
      async (_name, part) => {
        const backend = part(cluster())
        const traffic = load()
        await delay(1_000)
        await backend.kill()
        const started = performance.now()
        await delay(3_000)
        const refused = await post('faults', small(300))
        expect(refused.status, refused.text).toBe(503)
        expect(refused.headers['retry-after']).toBeTruthy()
        await delay(Math.max(0, options.outageMs - (performance.now() - started)))
        await backend.start()
        await eventually(
          'fits again',
          () => post('faults', small(300)),
          (a) => a.status === 200,
          60_000,
        )
        await delay(1_000)
        await traffic.stop()
        expect(failures(traffic.seen)).toEqual([])
        expect(stepsBack(traffic.seen)).toEqual([])
      },
      options.outageMs + 180_000,
    )
  })
}

function ended(body: { readonly [key: string]: unknown }): boolean {
  return ['done', 'failed'].includes(String(body.state))
}
