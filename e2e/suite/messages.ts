import { describe, expect, test } from 'vitest'
import { call, eventually } from '../support/client.ts'
import type { Breakable, TestCluster } from '../support/cluster.ts'

const file = 'messages/sales.csv'
const days = Array.from({ length: 28 }, (_, i) => `2024-02-${String(i + 1).padStart(2, '0')}`)
const rows = [1, 2, 3].flatMap((store) => days.map((day) => `${day},${store},${10 * store}`))
const recipe = {
  source: { format: 'csv' },
  time: { column: 'day' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
}
const good = { file, recipe, spec: { family: 'baseline', method: 'naive' } }

/** Fits that messages ask for, from whatever place messages come there. */
export function messagesSuite(cluster: () => TestCluster): void {
  const api = () => `${cluster().brokers[0]}/api`
  const leave = (body: object) => call('POST', `${api()}/messages`, { body })
  const upload = async () => {
    const text = ['day,store,sold', ...rows].join('\n')
    const put = await fetch(`${api()}/files/${file}`, { method: 'PUT', body: text })
    expect(put.status, await put.text()).toBe(200)
  }
  /** Of all brokers that can be asked. */
  const metric = async (name: string) => {
    const texts = await Promise.all(
      cluster().brokers.map(async (url) => (await call('GET', `${url}/metrics`)).text),
    )
    const values = texts.map((text) => new RegExp(`^${name}\\S* (\\S+)$`, 'm').exec(text)?.[1])
    return values.reduce((sum, value) => sum + Number(value), 0)
  }
  const untilServed = (model: string) =>
    eventually(
      `${model} serves`,
      () => call('GET', `${api()}/models/${model}`),
      ({ status, body }) => status === 200 && body.serving !== null,
      60_000,
    )

  describe('messages', () => {
    test('a message becomes a job, and the job forecasts of many series', async () => {
      await upload()
      const left = await leave({ ...good, model: 'by-message' })
      expect(left.status, left.text).toBe(202)
      await untilServed('by-message')
      const all = await call('GET', `${api()}/models/by-message/forecasts/2`)
      const lines = all.text.trimEnd().split('\n')
      expect(lines.map((line) => JSON.parse(line))).toEqual(
        [1, 2, 3].map((store) => ({ series: `store=${store}`, data: [10 * store, 10 * store] })),
      )
    }, 90_000)

    test('one of nothing but a file trains the pipeline of sales, which then predicts rows', async () => {
      const header = 'product_id,product_name,product_price,store_id,store_name,quantity,date'
      const sales = days.flatMap((day) => [
        `1,Tea,2.5,1,North,4,${day}`,
        `2,Rice,1,2,South,9,${day}`,
      ])
      const text = [header, ...sales].join('\n')
      const put = await fetch(`${api()}/files/messages/pipeline.csv`, { method: 'PUT', body: text })
      expect(put.status, await put.text()).toBe(200)
      const left = await leave({ url: '/api/files/messages/pipeline.csv' })
      expect(left.status, left.text).toBe(202)
      await untilServed('sales-pipeline')
      const asked = await fetch(`${cluster().brokers[0]}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'text/csv' },
        body: 'store_id,product_id,date\n1,1,2024-02-01\n7,1,2024-02-01\n',
      })
      const [, known, unknown] = (await asked.text()).split('\n')
      // Between what was sold of either in the month.
      const predicted = Number(known!.split(',')[3])
      expect(predicted).toBeGreaterThanOrEqual(4 * days.length)
      expect(predicted).toBeLessThanOrEqual(9 * days.length)
      expect(unknown).toMatch(/^7,1,2024-02-01,,.*store_id/)
    }, 90_000)

    test('one that is no use is a dead letter, and the next one goes on', async () => {
      const before = await metric('almanac_messages_dead_total')
      for (const model of ['poisoned-1', 'poisoned-2'])
        expect((await leave({ ...good, model, file: 'messages/none.csv' })).status).toBe(202)
      expect((await leave({ ...good, model: 'after-poison' })).status).toBe(202)
      await untilServed('after-poison')
      await eventually(
        'both are dead letters',
        () => metric('almanac_messages_dead_total'),
        (count) => count === before + 2,
      )
      expect((await call('GET', `${api()}/models/poisoned-1`)).status).toBe(404)
      const bad = await leave({ ...good, model: 'm', url: 'http://169.254.169.254/' })
      expect(bad.status, bad.text).toBe(400)
    }, 90_000)
  })
}

/** The same where one process is all there is. */
export function messageRestartSuite(cluster: () => TestCluster): void {
  const api = () => `${cluster().brokers[0]}/api`
  test('messages that were left before a power cut are done after it, once', async () => {
    const models = ['cut-1', 'cut-2', 'cut-3', 'cut-4']
    for (const model of models) {
      const left = await call('POST', `${api()}/messages`, { body: { ...good, model } })
      expect(left.status, left.text).toBe(202)
    }
    await cluster().restartAll()
    for (const model of models) {
      await eventually(
        `${model} serves`,
        () => call('GET', `${api()}/models/${model}`),
        ({ status, body }) => status === 200 && Number(body.serving) === 1,
        60_000,
      )
      const versions = await call('GET', `${api()}/models/${model}/versions`)
      expect(versions.body.versions).toHaveLength(1)
    }
  }, 120_000)
}

/** What else can go where Kafka and brokers are processes of their own. */
export function messageFaultSuite(cluster: () => Required<TestCluster>): void {
  const api = () => `${cluster().brokers[0]}/api`
  const leave = (model: string) =>
    call('POST', `${api()}/messages`, { body: { ...good, model }, timeoutMs: 15_000 })
  const jobsOf = async (model: string) => {
    const { body } = await call('GET', `${api()}/jobs?limit=100`)
    const jobs = body.jobs as unknown as { model: string; state: string }[]
    return jobs.filter((job) => job.model.startsWith(model))
  }
  const metrics = async (name: string) => {
    const values = cluster().brokers.map(async (url) => {
      const { text } = await call('GET', `${url}/metrics`)
      return Number(new RegExp(`^${name}\\S* (\\S+)$`, 'm').exec(text)?.[1])
    })
    return await Promise.all(values)
  }
  const untilMetric = (name: string, holds: (values: number[]) => boolean) =>
    eventually(name, () => metrics(name), holds, 60_000)

  describe('messages of Kafka', () => {
    test('brokers that die in the middle of messages make one job of each', async () => {
      const { brokerProcesses } = cluster()
      const models = Array.from({ length: 12 }, (_, i) => `midway-${i}`)
      for (const model of models) expect((await leave(model)).status).toBe(202)
      await eventually(
        'a job is made',
        () => jobsOf('midway-'),
        (jobs) => jobs.length > 0,
      )
      await all(brokerProcesses, (broker) => broker.kill())
      await all(brokerProcesses, (broker) => broker.start())
      await eventually(
        'all jobs are done',
        () => jobsOf('midway-'),
        (jobs) => jobs.length >= 12 && jobs.every(({ state }) => state === 'done'),
        120_000,
      )
      await untilMetric('almanac_messages_waiting', (counts) => counts.every((n) => n === 0))
      const made = (await jobsOf('midway-')).map(({ model }) => model)
      expect(made.sort()).toEqual(models.sort())
    }, 240_000)

    test('a Kafka that is killed and started again is gone on with', async () => {
      const { kafka } = cluster()
      await kafka.kill()
      const refused = await leave('while-away')
      expect(refused.status, refused.text).toBe(503)
      expect(refused.body).toMatchObject({ type: 'urn:almanac:problem:messages-away' })
      const forecast = await call('GET', `${api()}/models/by-message/forecast/1?series=store%3D1`)
      expect(forecast.status, forecast.text).toBe(200)
      await kafka.start()
      await eventually(
        'messages are taken again',
        () => leave('after-kafka'),
        ({ status }) => status === 202,
        30_000,
      )
      await eventually(
        'its job is made',
        () => jobsOf('after-kafka'),
        (jobs) => jobs.length > 0,
        60_000,
      )
    }, 180_000)
  })
}

const all = async (parts: readonly Breakable[], act: (part: Breakable) => Promise<void>) => {
  await Promise.all(parts.map(act))
}
