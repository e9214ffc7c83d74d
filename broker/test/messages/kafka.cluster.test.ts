import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  codecs,
  createLogger,
  jobsPrefix,
  openEtcdCoordinator,
  openMessages,
  parseKey,
  systemClock,
} from '@almanac/shared'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Kafka, startKafka } from '../../../deploy/local/kafka.ts'
import { someEtcd } from '../../../shared/test/coordination/real-etcd.ts'
import { startChild } from '../../../shared/test/support/child.ts'
import { get } from '../support/cluster.ts'

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
}

let folder: string
let etcd: Awaited<ReturnType<typeof someEtcd>>
let kafka: Kafka

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-broker-'))
  etcd = await someEtcd()
  kafka = await startKafka({ dataDir: join(folder, 'kafka') })
  await mkdir(join(folder, 'files'))
  await writeFile(join(folder, 'files/sales.csv'), 'date,store,sold\n')
})

afterAll(async () => {
  await kafka?.kill()
  await etcd?.remove()
  await rm(folder, { recursive: true, force: true })
})

test('a broker that dies between a durable job and its offset: the message has one job', async () => {
  const [endpoint] = etcd.endpoints
  const prefix = `/broker-${process.pid}`
  const topic = `fits-${process.pid}`
  const file = join(import.meta.dirname, 'children/broker-on-kafka.ts')
  const start = async (end: 'dies' | 'lives') => {
    const child = startChild(file, [endpoint!, prefix, kafka.address, topic, folder, end])
    onTestFinished(() => child.kill())
    await expect.poll(() => child.lines.length, { timeout: 60_000 }).toBe(1)
    return { child, url: child.lines[0]! }
  }
  const coordinator = await openEtcdCoordinator({ endpoints: [endpoint!], prefix })
  onTestFinished(() => coordinator.close())
  /** Each message is of a model of its own: its second job would make a version 2. */
  const jobs = async () => {
    const { entries } = await coordinator.list(jobsPrefix, AbortSignal.timeout(5_000))
    return entries
      .filter(({ key }) => parseKey(key).kind === 'job')
      .map(({ value }) => {
        const job = codecs.job.decode(value)
        return job.ok && `${job.value.subject.model} ${job.value.subject.version}`
      })
  }
  const place = { kind: 'kafka', brokers: [kafka.address], topic } as const
  const settings = { messages: place, messagesGroup: 'nobody', messagesDeadLetters: null }
  const logger = createLogger({ process: 'test', level: 'silent' })
  const messages = (await openMessages(settings, folder, logger, systemClock))!
  onTestFinished(() => messages.close())
  let tries = 0
  /** A try that fails may have left a message all the same. */
  const publish = (name: string) =>
    expect
      .poll(
        async () => {
          tries += 1
          const message = { file: 'sales.csv', model: `${name}-${tries}`, recipe }
          const value = Buffer.from(JSON.stringify(message))
          await messages.publish(value, AbortSignal.timeout(30_000))
          return 'left'
        },
        { timeout: 60_000 },
      )
      .toBe('left')
  const first = await start('dies')
  const died = once(first.child.process, 'exit')
  await publish('once')
  await died
  expect(first.child.process.signalCode, first.child.errors()).toBe('SIGKILL')
  const made = await jobs()
  expect(made).toEqual([expect.stringMatching(/^once-\d+ 1$/)])

  const second = await start('lives')
  const metric = async (name: string) => {
    const { text } = await get(second, '/metrics')
    return Number(new RegExp(`^${name}\\S* (\\S+)$`, 'm').exec(text)?.[1])
  }
  // It is given again, once the group has given up the dead one.
  await expect
    .poll(() => metric('almanac_messages_consumed_total'), { timeout: 120_000 })
    .toBeGreaterThanOrEqual(1)
  await publish('after')
  await expect
    .poll(async () => (await jobs()).join(), { timeout: 60_000 })
    .toContain(`after-${tries} 1`)
  const all = await jobs()
  expect(all).toEqual(expect.arrayContaining(made))
  expect(all.filter((job) => !/ 1$/.test(String(job)))).toEqual([])
}, 300_000)
