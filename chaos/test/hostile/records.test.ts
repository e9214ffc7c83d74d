import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '@almanac/broker'
import { startNode } from '@almanac/model-api'
import { createLogger, openEmbeddedCoordinator, openSqliteStore, put } from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import { chanceOf } from '../../hostile/chance.ts'
import { askJson, fitSmall, forecastsOf } from '../../hostile/client.ts'
import { drawBadRecord } from '../../hostile/hostile-records.ts'

const models = ['bad-a', 'bad-b', 'bad-c']
const records = 400

async function openCluster() {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-records-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const coordinator = await openEmbeddedCoordinator({ path: ':memory:' })
  onTestFinished(() => coordinator.close())
  const store = await openSqliteStore({ path: join(folder, 'store.sqlite') })
  onTestFinished(() => store.close())
  const logger = createLogger({ process: 'test', level: 'silent' })
  const parts = { coordinator, store, logger, token: null, host: '127.0.0.1', port: 0 }
  const own = { advertiseIp: '127.0.0.1', roles: ['fit', 'serve'] as const, fitWorkers: 1 }
  const node = await startNode({ ...parts, ...own })
  onTestFinished(() => node.close())
  const broker = await startBroker(parts)
  onTestFinished(() => broker.close())
  return { coordinator, url: broker.url, nodeUrl: node.url }
}

test.each([1, 2])(
  'bad records (seed %i) spoil nothing but what they are about',
  async (seed) => {
    const { coordinator, url, nodeUrl } = await openCluster()
    await fitSmall(url, 'good')
    const before = await forecastsOf(url, 'good')
    for (let i = 0; i < records; i++) {
      const { key, value } = drawBadRecord(chanceOf(seed, i), models)
      await coordinator.transact({ when: [], then: [put(key, value)] }, AbortSignal.timeout(5_000))
    }
    const paths = ['models', 'jobs', 'nodes', ...models.flatMap(callsOf), ...jobs]
    for (const path of paths) {
      const { status, text } = await askJson(`${url}/api/${path}`)
      expect([200, 404, 409, 410, 503], `${path}: ${text}`).toContain(status)
    }
    for (const model of models) {
      const body = JSON.stringify({ data: [1, 2, 3, 4], spec: { family: 'baseline' } })
      const headers = { prefer: 'respond-async', 'content-type': 'application/json' }
      for (const call of ['rollback', 'release', 'fit']) {
        const sent = { method: 'POST', headers, body: call === 'fit' ? body : '{}' }
        const ask = { ...sent, signal: AbortSignal.timeout(5_000) }
        // A rollback to what cannot be loaded waits for long: it need not end here.
        const answer = await askJson(`${url}/api/models/${model}/${call}`, ask).catch(
          () => undefined,
        )
        if (answer) expect(answer.status, answer.text).not.toBe(500)
      }
    }
    expect(await forecastsOf(url, 'good')).toEqual(before)
    await fitSmall(url, 'good-too')
    expect((await fetch(`${nodeUrl}/readyz`)).status).toBe(200)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  },
  60_000,
)

const callsOf = (model: string) => [
  `models/${model}`,
  `models/${model}/versions`,
  `models/${model}/versions/1`,
  `models/${model}/log`,
]

const jobs = Array.from({ length: 9 }, (_, i) => `jobs/bad-${i}`)
