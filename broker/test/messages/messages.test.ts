import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Files,
  type Messages,
  openEmbeddedMessages,
  openFolderFiles,
  Refused,
  Unavailable,
} from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import type { Announcement } from '../../src/messages/handle-message.ts'
import type { BrokerOptions } from '../../src/server/broker.ts'
import { call, get, openCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { type Fault, interruptible } from '../support/faults.ts'

const signal = () => AbortSignal.timeout(5_000)
const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store'],
  frequency: 'daily',
}
const good = { file: 'sales.csv', model: 'sales', recipe }

/** A cluster with a file, a log of messages, and a broker that consumes them. */
async function open(options: { readonly isConsuming?: boolean } = {}) {
  const cluster = await openCluster()
  const folder = await mkdtemp(join(tmpdir(), 'almanac-messages-'))
  const path = join(folder, 'messages.sqlite')
  const openLog = () => openEmbeddedMessages({ path, pauseMs: 20, pauseMaxMs: 50 })
  const files = await openFolderFiles({ path: join(folder, 'files') })
  const logs: Messages[] = []
  onTestFinished(async () => {
    for (const log of logs) await log.close()
    await files.close()
    await rm(folder, { recursive: true })
  })
  const content = (async function* () {
    yield Buffer.from('date,store,sold\n')
  })()
  await files.write('sales.csv', content, signal())
  const broker = async (instead: Partial<BrokerOptions> = {}, log?: Messages) => {
    const messages = log ?? (await openLog())
    logs.push(messages)
    const started = await cluster.broker({}, { files, messages, ...instead })
    return { ...started, messages }
  }
  const first = options.isConsuming === false ? undefined : await broker()
  return { cluster, files, broker, openLog, first: first as Awaited<ReturnType<typeof broker>> }
}

const leave = (broker: { readonly url: string }, body: unknown) =>
  call(broker, 'POST', '/api/messages', { body })

const raw = (messages: Messages, message: unknown) =>
  messages.publish(
    Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)),
    signal(),
  )

const jobsOf = async (broker: { readonly url: string }) =>
  (await get(broker, '/api/jobs')).body.jobs as { id: string; kind: string; model: string }[]

const lettersOf = async (broker: { readonly url: string }) =>
  (await get(broker, '/api/messages/dead-letters')).body.letters as {
    offset: string
    message: string
    reason: { code: string; field?: string; detail: string }
  }[]

const untilDone = (messages: Messages) =>
  eventually(
    () => messages.look().waiting,
    (waiting) => waiting === 0,
  )

const untilHeld = (messages: Messages) =>
  eventually(
    () => messages.look().held,
    (held) => held > 2,
  )

test('a message begins the job that its call would, and is then consumed', async () => {
  const { first } = await open()
  const left = await leave(first, { ...good, spec: { family: 'theta' }, bounds: { lower: 0 } })
  expect(left.status, left.text).toBe(202)
  expect(left.body).toEqual({ topic: 'messages', partition: 0, offset: '1' })
  await untilDone(first.messages)
  expect(await jobsOf(first)).toMatchObject([{ kind: 'fit-table', model: 'sales' }])
  const version = await get(first, '/api/models/sales/versions/1')
  expect(version.body).toMatchObject({ spec: { family: 'theta' }, bounds: { lower: 0 } })
  const table = await get(first, '/api/models/sales/versions/1/table')
  expect(table.body).toMatchObject({ file: 'sales.csv', recipe })
  const metrics = (await get(first, '/metrics')).text
  expect(metrics).toMatch(/^almanac_message_fits_total\S* 1$/m)
  expect(metrics).toMatch(/^almanac_messages_consumed_total\S* 1$/m)
  expect(metrics).toMatch(/^almanac_messages_available\S* 1$/m)
})

test('a message that is given again after its job was made begins no second one', async () => {
  const { broker, openLog } = await open({ isConsuming: false })
  const log = await openLog()
  let dies = 2
  const messages: Messages = {
    ...log,
    consume: (handle) =>
      log.consume(async (message, until) => {
        const handled = await handle(message, until)
        dies -= 1
        if (dies >= 0) throw new Error('nobody said that it is consumed')
        return handled
      }),
  }
  const one = await broker({ messages }, log)
  await raw(log, good)
  await untilDone(log)
  expect(log.look()).toMatchObject({ held: 2, handled: 1, buried: 0 })
  expect(await jobsOf(one)).toHaveLength(1)
  expect((await get(one, '/metrics')).text).toMatch(/^almanac_message_fits_total\S* 1$/m)
})

test.each([
  ['not JSON', 'poison', 'not-json', undefined],
  ['of a file that is not there', { ...good, file: 'none.csv' }, 'no-such-file', '/file'],
  ['of a recipe that is none', { ...good, recipe: { time: 7 } }, 'recipe', undefined],
  ['of bounds that are none', { ...good, bounds: { lower: 'x' } }, undefined, '/bounds/lower'],
  ['of a spec that is none', { ...good, spec: { family: 'oracle' } }, undefined, undefined],
  [
    'of a place elsewhere',
    { ...good, file: undefined, url: 'http://10.0.0.1/x' },
    'url-elsewhere',
    '/url',
  ],
])(
  'a message that is %s is a dead letter, and the next one goes on',
  async (_what, message, code, field) => {
    const { first } = await open()
    await raw(first.messages, message)
    await raw(first.messages, good)
    await untilDone(first.messages)
    expect(await jobsOf(first)).toHaveLength(1)
    const letters = await lettersOf(first)
    expect(letters).toMatchObject([{ offset: '1', reason: { detail: expect.any(String) } }])
    if (code !== undefined) expect(letters[0]!.reason.code).toBe(code)
    if (field !== undefined) expect(letters[0]!.reason.field).toBe(field)
    expect(letters[0]!.reason.field ?? '/').not.toMatch(/^\/table/)
  },
)

test('while the coordinator is away messages wait, in their order', async () => {
  const { cluster, broker } = await open({ isConsuming: false })
  const fault: Fault = { state: 'none' }
  const one = await broker({ coordinator: interruptible(cluster.coordinator, fault) })
  fault.state = 'cut'
  await raw(one.messages, good)
  await raw(one.messages, { ...good, model: 'later' })
  await untilHeld(one.messages)
  expect(one.messages.look()).toMatchObject({ waiting: 2, buried: 0 })
  fault.state = 'none'
  await untilDone(one.messages)
  expect((await jobsOf(one)).map(({ model }) => model).sort()).toEqual(['later', 'sales'])
  expect(await lettersOf(one)).toEqual([])
})

test('a place of files that is away holds messages back; it is no reason to bury them', async () => {
  const { files, broker } = await open({ isConsuming: false })
  let isAway = true
  const faulty: Files = {
    ...files,
    info: (...args) =>
      isAway ? Promise.reject(new Unavailable('files', 'away')) : files.info(...args),
  }
  const one = await broker({ files: faulty })
  await raw(one.messages, good)
  await untilHeld(one.messages)
  isAway = false
  await untilDone(one.messages)
  expect(await jobsOf(one)).toHaveLength(1)
})

test('a fault of our own ends as a dead letter after some tries, and says where to look', async () => {
  const { files, broker } = await open({ isConsuming: false })
  const faulty: Files = { ...files, info: () => Promise.reject(new TypeError('a bug')) }
  const one = await broker({ files: faulty })
  await raw(one.messages, good)
  await untilDone(one.messages)
  expect(await lettersOf(one)).toMatchObject([{ reason: { code: 'internal' } }])
  expect(one.messages.look().held).toBe(4)
})

test('a message with nothing but a file goes to whoever takes those, until it is taken', async () => {
  const { broker } = await open({ isConsuming: false })
  const seen: Announcement[] = []
  const answers = [new Unavailable('store', 'away'), undefined, new Refused(422, 'odd', 'Is odd.')]
  const one = await broker({
    announced: async (announcement) => {
      seen.push(announcement)
      const answer = answers.shift()
      if (answer) throw answer
    },
  })
  await raw(one.messages, { url: '/api/files/sales.csv' })
  await raw(one.messages, { file: 'sales.csv' })
  await untilDone(one.messages)
  expect(seen.map(({ file, origin }) => [file, origin.offset])).toEqual([
    ['sales.csv', '1'],
    ['sales.csv', '1'],
    ['sales.csv', '2'],
  ])
  expect(seen[0]!.idempotency).toEqual(seen[1]!.idempotency)
  expect(seen[0]!.idempotency.hash).not.toBe(seen[2]!.idempotency.hash)
  expect(await lettersOf(one)).toMatchObject([{ offset: '2', reason: { code: 'odd' } }])
})

test('a broker that is told to stop takes no more messages, and another goes on', async () => {
  const { broker, first } = await open()
  await first.drain()
  await raw(first.messages, good)
  expect(first.messages.look().waiting).toBe(1)
  await first.messages.close()
  const next = await broker()
  await untilDone(next.messages)
  expect(await jobsOf(next)).toHaveLength(1)
})

test('what is left by the call is checked before it is taken', async () => {
  const { first } = await open()
  const problem = async (body: unknown) => {
    const { status, body: said } = await leave(first, body)
    return [status, String(said.type).split(':').at(-1), said.field]
  }
  expect(await problem({ ...good, model: 7 })).toEqual([400, 'invalid', '/model'])
  expect(await problem({ ...good, what: 1 })).toEqual([400, 'unknown-field', '/what'])
  expect(await problem('no json')).toEqual([400, 'not-json', undefined])
  expect(await problem({ url: 'file:///etc/passwd' })).toEqual([422, 'url-elsewhere', '/url'])
  expect(await problem({ ...good, spec: 'x'.repeat(1_100_000) })).toEqual([
    ...[413, 'too-large', undefined],
  ])
  expect(first.messages.look()).toMatchObject({ waiting: 0, handled: 0 })
  expect((await get(first, '/api/messages/dead-letters?limit=1000')).status).toBe(400)
})

test('without a place for messages their calls are refused, and all else goes on', async () => {
  const cluster = await openCluster()
  const broker = await cluster.broker()
  for (const answer of [await leave(broker, good), await get(broker, '/api/messages/dead-letters')])
    expect([answer.status, answer.body.type]).toEqual([
      ...[409, 'urn:almanac:problem:no-place-for-messages'],
    ])
})

test('where dead letters are kept elsewhere, the call says where', async () => {
  const { openLog, cluster } = await open({ isConsuming: false })
  const log = await openLog()
  const messages: Messages = {
    ...log,
    deadLetters: async () => undefined,
    deadLetterPlace: 'kafka://k:9092/fits.dead-letters',
  }
  const broker = await cluster.broker({}, { messages })
  const answer = await get(broker, '/api/messages/dead-letters')
  expect(answer.status).toBe(409)
  expect(answer.body.remedy).toContain('kafka://k:9092/fits.dead-letters')
  await broker.close()
  await log.close()
})
