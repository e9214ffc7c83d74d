import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Consumer, MessagesStreamModes } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Kafka, startKafka } from '../../../deploy/local/kafka.ts'
import type { DeadLetter, Messages } from '../../src/index.ts'
import { openKafkaMessages } from '../../src/messages/kafka/open.ts'
import { eventually } from '../support/eventually.ts'
import { type MessagesUnderTest, publishText, textOf } from './backend.ts'
import { messagesConformance } from './conformance.ts'

let folder: string
let kafka: Kafka

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-kafka-'))
  kafka = await startKafka({ dataDir: folder })
})

afterAll(async () => {
  await kafka?.kill()
  await rm(folder, { recursive: true, force: true })
})

const freshPlace = () => {
  const topic = `of-${crypto.randomUUID()}`
  const brokers = [kafka.address]
  return { brokers, topic, group: `group-${topic}`, deadLetterTopic: `${topic}.dead-letters` }
}

async function startTopic(): Promise<MessagesUnderTest> {
  const place = freshPlace()
  const letters = await tailDeadLetters(place)
  return {
    open: async (options = {}) => openKafkaMessages({ ...options, ...place }),
    deadLetters: async () => letters.read(),
    stop: letters.stop,
  }
}

messagesConformance('messages in Kafka', startTopic)

test('two processes share the partitions, and one that goes leaves them to the other', async () => {
  const place = freshPlace()
  const given: { by: string; text: string; partition: number }[] = []
  const open = (by: string) => {
    const messages = openKafkaMessages(place)
    messages.consume(async (message) => {
      given.push({ by, text: textOf(message), partition: message.origin.partition })
      return { kind: 'done' }
    })
    return messages
  }
  const one = open('one')
  await untilAvailable(one)
  const other = open('other')
  await untilAvailable(other)
  const texts = Array.from({ length: 20 }, (_, i) => `message ${i}`)
  for (const text of texts) await publishText(one, text)
  await untilCount(given, 20)
  expect(given.map(({ text }) => text).sort()).toEqual([...texts].sort())
  expect(new Set(given.map(({ by }) => by)).size).toBe(2)
  expect(new Set(given.map(({ by, partition }) => `${by} ${partition}`)).size).toBe(2)
  await one.close()
  for (const text of texts) await publishText(other, `${text} of those after`)
  await untilCount(given, 40)
  expect(new Set(given.slice(20).map(({ by }) => by))).toEqual(new Set(['other']))
  await other.close()
})

test('a Kafka that goes, or is not there yet, is waited for and told of once', async () => {
  const open = async (first: string) => {
    const events: string[] = []
    const place = { ...freshPlace(), pauseMs: 20 }
    const messages = openKafkaMessages({ ...place, onEvent: (name) => events.push(name) })
    const given = new Set<string>()
    // It makes the topic, too, which takes a while.
    const publishing = publishText(messages, first)
    await publishing.catch(() => {})
    messages.consume(async (message) => {
      given.add(textOf(message))
      return { kind: 'done' }
    })
    return { messages, events, given, publishing }
  }
  const before = await open('first')
  await untilHas(before.given, 'first')
  await kafka.kill()
  const during = await open('nobody')
  await expect(during.publishing).rejects.toMatchObject({ part: 'messages' })
  for (const { events } of [before, during]) await untilHas(events, 'messages-away')
  await kafka.start()
  for (const { messages, given } of [before, during]) {
    await untilAvailable(messages)
    await publishText(messages, 'second')
    await untilHas(given, 'second')
  }
  expect(before.events).toEqual(['messages-joined', 'messages-away', 'messages-joined'])
  expect(during.events).toEqual(['messages-away', 'messages-joined'])
  for (const { messages } of [before, during]) await messages.close()
})

test('a Kafka that says nothing is Unavailable in time', async () => {
  const messages = openKafkaMessages(freshPlace())
  await publishText(messages, 'said')
  kafka.freeze()
  const startedMs = performance.now()
  await expect(publishText(messages, 'unsaid')).rejects.toMatchObject({ part: 'messages' })
  expect(performance.now() - startedMs).toBeLessThan(7_000)
  kafka.thaw()
  await messages.close()
})

const untilAvailable = (messages: Messages) =>
  eventually(
    () => messages.look().waiting,
    (waiting) => waiting !== null,
    30_000,
  )

const untilCount = (given: readonly unknown[], wanted: number) =>
  eventually(
    () => given.length,
    (count) => count >= wanted,
    30_000,
  )

const untilHas = (given: Iterable<string>, wanted: string) =>
  eventually(
    () => [...given],
    (texts) => texts.includes(wanted),
    30_000,
  )

/** What is written to the dead-letter topic from now on, as any other tool sees it. */
async function tailDeadLetters(place: ReturnType<typeof freshPlace>) {
  const client = new Consumer({
    clientId: 'a-tool',
    groupId: `tool-${place.topic}`,
    bootstrapBrokers: place.brokers,
    autocreateTopics: true,
    maxWaitTime: 200,
    retryDelay: 100,
    retries: 20,
    deserializers: { headerKey: textIn, headerValue: textIn },
  })
  const topics = [place.deadLetterTopic]
  const stream = await client.consume({ topics, mode: MessagesStreamModes.EARLIEST })
  const letters: DeadLetter[] = []
  stream.on('data', ({ value, headers }) => {
    const said = (name: string) => headers.get(`almanac-${name}`) ?? ''
    const optional = (name: string) => headers.get(`almanac-${name}`)
    letters.push({
      origin: {
        topic: said('topic'),
        partition: Number(said('partition')),
        offset: said('offset'),
      },
      ...{ at: said('at'), buriedAt: said('buried-at'), sizeBytes: Number(said('size-bytes')) },
      reason: {
        ...{ code: said('code'), detail: said('detail') },
        ...{ field: optional('field'), remedy: optional('remedy') },
      },
      value: value ?? Buffer.alloc(0),
    })
  })
  stream.on('error', () => {})
  return { read: () => [...letters], stop: () => client.close(true) }
}

const textIn = (bytes?: Buffer) => String(bytes ?? '')
