import { readFile } from 'node:fs/promises'
import { request as open } from 'node:http'
import { beforeAll, describe, expect, test } from 'vitest'
import { isAlive, tableProcesses } from '../support/children.ts'
import { type Answer, call, eventually } from '../support/client.ts'
import type { Breakable, TestCluster } from '../support/cluster.ts'

/** Enough for some seconds of reading, and for several shards of data. */
const [stores, products, days] = [30, 40, 730]
const series = stores * products
const file = 'faults/sales.csv'
const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store', 'product'],
  frequency: 'daily',
}
const naive = { family: 'baseline', method: 'naive' }
/** A second for a hundred series or so: nodes have something in hand when they are killed. */
const slow = { family: 'ets' }
const forest = { family: 'regression', model: { kind: 'forest', trees: 2 } }
const startMs = Date.parse('2022-01-01')

/** What breaks while tables are read and models made of them. Only where parts can be broken. */
export function tableFaultSuite(cluster: () => Required<TestCluster>): void {
  const api = (broker = 0) => `${cluster().brokers[broker]}/api`
  const begin = async (model: string, spec: object) => {
    const accepted = await call('POST', `${api()}/models/${model}/fit`, {
      body: { table: { file, recipe }, spec },
      headers: { prefer: 'respond-async' },
    })
    expect(accepted.status, accepted.text).toBe(202)
    return String(accepted.body.job)
  }
  const job = async (id: string) => (await call('GET', `${api(1)}/jobs/${id}`)).body
  const untilDone = async (id: string) => {
    const last = await eventually('the job has ended', () => job(id), hasEnded, 110_000)
    expect(String(last.state), JSON.stringify(last)).toBe('done')
    return last
  }
  const logOf = async (id: string) => {
    const { body } = await call('GET', `${api(1)}/jobs/${id}/log`)
    return body.log as unknown as { event: string; text: string; who: string }[]
  }
  /** The node that reads the table of a job, and the process that it has for it. */
  const readerOf = (id: string) =>
    eventually(
      'a node reads the table',
      async () => {
        const name = String((await job(id)).node)
        const node = cluster().nodes.find(({ url }) => name.endsWith(`_${new URL(url!).port}`))
        const [child] = node?.pid === undefined ? [] : await tableProcesses(node.pid)
        return child === undefined ? undefined : { node: node!, child }
      },
      (found) => found !== undefined,
      60_000,
    ) as Promise<{ node: Breakable; child: number }>
  /** Every series of the table, and each as it is there. */
  const mustBeWhole = async (model: string) => {
    const view = await eventually(
      'it serves',
      () => call('GET', `${api(1)}/models/${model}/versions`),
      ({ body }) => String(body.versions?.[0]?.state) === 'serving',
    )
    expect(view.body.versions).toHaveLength(1)
    expect(view.body.versions?.[0]).toMatchObject({ series })
    const [version] = view.body.versions as unknown as [{ metrics: object }]
    expect(version.metrics).toMatchObject({ rows: series * days, observations: series * days })
    const ends = [
      [0, 0],
      [stores - 1, products - 1],
    ] as const
    for (const [store, product] of ends) {
      const key = encodeURIComponent(`store=${store},product=${product}`)
      const answer = await eventually(
        'it forecasts',
        () => call('GET', `${api(1)}/models/${model}/forecast/1?series=${key}`),
        ({ status }) => status === 200,
      )
      expect(answer.body.data).toHaveLength(1)
    }
  }

  describe('when things break while a table is read', () => {
    beforeAll(async () => {
      const put = await fetch(`${api()}/files/${file}`, { method: 'PUT', body: tableText() })
      expect(put.status, await put.text()).toBe(200)
    }, 60_000)

    test('a node killed while it reads: its process goes with it, and another node reads', async () => {
      const id = await begin('killed-reader', naive)
      const { node, child } = await readerOf(id)
      await node.kill()
      const gone = () => isAlive(child)
      await eventually('no process is left behind', gone, (alive) => !alive, 5_000)
      await untilDone(id)
      const ends = (await logOf(id)).filter(({ event }) => event === 'handed-over')
      expect(ends).toHaveLength(1)
      expect(ends[0]?.who).not.toContain(`_${new URL(node.url!).port}`)
      await node.start()
      await mustBeWhole('killed-reader')
    }, 180_000)

    test('its process killed alone: the node lives, and the job is tried again', async () => {
      const id = await begin('killed-process', naive)
      const { node, child } = await readerOf(id)
      const { pid } = node
      process.kill(child, 'SIGKILL')
      await untilDone(id)
      expect(node.pid).toBe(pid)
      const log = await logOf(id)
      const backs = log.filter(({ event }) => event === 'given-back')
      expect(backs).toHaveLength(1)
      expect(backs[0]?.text).toMatch(/the attempt counts.* was ended by SIGKILL/)
      await mustBeWhole('killed-process')
    }, 180_000)

    test('a node killed once the series are stored: the table is not read again', async () => {
      const id = await begin('killed-after', slow)
      const { node } = await readerOf(id)
      await eventually(
        'it is handed over',
        () => logOf(id),
        (log) => log.some(({ event }) => event === 'handed-over'),
        60_000,
      )
      await node.kill()
      const kept = (await job(id)).series
      const seen: number[] = [Number(kept?.done)]
      await eventually(
        'the job has ended',
        async () => {
          const now = await job(id)
          seen.push(Number(now.series?.done))
          return now
        },
        hasEnded,
        110_000,
      )
      await node.start()
      // What was done is never undone, and nobody does it again.
      expect(seen.every((done, i) => done >= (seen[i - 1] ?? 0))).toBe(true)
      const log = await logOf(id)
      expect(log.filter(({ event }) => event === 'handed-over')).toHaveLength(1)
      const shards = log.filter(({ event }) => event === 'shard')
      expect(new Set(shards.map(({ text }) => /^Shard (\d+)/.exec(text)?.[1])).size).toBe(
        shards.length,
      )
      const lost = shards.filter(({ text }) => text.includes('at attempt'))
      // Each node works on as many at once as it has threads.
      expect(lost.length).toBeLessThanOrEqual(2)
      await mustBeWhole('killed-after')
    }, 240_000)

    test('a node killed while it trains a regression: another node trains it', async () => {
      const id = await begin('killed-trainer', forest)
      const { node } = await readerOf(id)
      await eventually(
        'it trains',
        () => job(id),
        ({ progress }) => Number(progress?.fraction) > 0.5,
        60_000,
      )
      const [child] = await tableProcesses(node.pid!)
      await node.kill()
      if (child !== undefined)
        await eventually(
          'it is gone',
          () => isAlive(child),
          (alive) => !alive,
          5_000,
        )
      const done = await untilDone(id)
      expect(Number(done.attempts)).toBe(2)
      await node.start()
      const rows = [{ store: '3', product: '7', date: '2022-05-04' }]
      const answer = await call('POST', `${api(1)}/models/killed-trainer/predictions`, {
        body: { rows },
      })
      expect(answer.status, answer.text).toBe(200)
    }, 240_000)

    test('the way to the files cut in the middle of a file: the same attempt reads it whole', async () => {
      cluster().filesOfNodes.cutAfter(2_000_000)
      const id = await begin('cut-files', naive)
      await untilDone(id)
      const waits = async ({ logFile }: Breakable) =>
        (await readFile(logFile!, 'utf8'))
          .split('\n')
          .filter((line) => line.includes(waiting) && line.includes(id)).length
      const waited = await Promise.all(cluster().nodes.map(waits))
      expect(waited.reduce((sum, count) => sum + count)).toBe(1)
      const events = (await logOf(id)).map(({ event }) => event)
      expect(events).not.toContain('given-back')
      await mustBeWhole('cut-files')
    }, 180_000)

    test('the files away: the job waits, and ends once they are back', async () => {
      await cluster().filesOfNodes.kill()
      let id = ''
      try {
        id = await begin('away-files', naive)
        await eventually(
          'a node has found them away',
          async () => {
            const logs = cluster().nodes.map(({ logFile }) => readFile(logFile!, 'utf8'))
            return (await Promise.all(logs)).join()
          },
          (text) => text.split('\n').some((line) => line.includes(id) && line.includes(waiting)),
          30_000,
        )
        expect((await call('GET', `${api()}/models/away-files`)).body).toMatchObject({
          serving: null,
        })
      } finally {
        await cluster().filesOfNodes.start()
      }
      await untilDone(id)
      await mustBeWhole('away-files')
    }, 180_000)

    test('a broker killed in the middle of an upload: there is no such file', async () => {
      const name = 'faults/half.csv'
      const upload = open(`${api(1)}/files/${name}`, { method: 'PUT' })
      const cut = new Promise((resolve) => upload.once('error', resolve))
      const sent = (bytes: Buffer) => new Promise((resolve) => upload.write(bytes, resolve))
      // More than one part of an object, so that some of it is stored.
      for (let i = 0; i < 24; i++) await sent(Buffer.alloc(1_048_576, 'a,b\n'))
      const broker = cluster().brokerProcesses[1]!
      await broker.kill()
      await cut
      const absent = async () => {
        const { status } = await call('GET', `${api()}/files/${name}`)
        const list = await call('GET', `${api()}/files?prefix=faults/`)
        return [status, list.text.includes(name)]
      }
      expect(await absent()).toEqual([404, false])
      await broker.start()
      expect(await absent()).toEqual([404, false])
      const put = await fetch(`${api(1)}/files/${name}`, { method: 'PUT', body: 'a,b\n1,2\n' })
      expect(put.status, await put.text()).toBe(200)
      const got = await call('GET', `${api()}/files/${name}`)
      expect(got.body).toMatchObject({ name, sizeBytes: 8 })
    }, 120_000)
  })
}

const waiting = 'fit-waits-for-table'
const hasEnded = ({ state }: Answer['body']) => ['done', 'failed'].includes(String(state))

function tableText(): string {
  const parts = ['store,product,date,sold\n']
  for (let day = 0; day < days; day++) {
    const date = new Date(startMs + day * 86_400_000).toISOString().slice(0, 10)
    for (let store = 0; store < stores; store++)
      for (let product = 0; product < products; product++)
        parts.push(`${store},${product},${date},${10 * store + product + ((day * 7) % 5)}\n`)
  }
  return parts.join('')
}
