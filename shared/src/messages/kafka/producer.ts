import { ProduceAcks, Producer } from '@platformatic/kafka'
import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import type { DeadReason, Message, Origin } from '../port.ts'
import { call, clientOptions, closeQuietly, type KafkaPlace } from './client.ts'

export type KafkaProducer = {
  readonly publish: (value: Uint8Array, signal: AbortSignal) => Promise<Origin>
  /** The message as it was, and beside it why, whence and when, as headers. */
  readonly bury: (message: Message, reason: DeadReason, buriedAt: string) => Promise<void>
  readonly close: () => Promise<void>
}

type Sent = {
  readonly topic: string
  readonly value: Buffer
  readonly headers?: ReadonlyMap<string, string>
}

/**
 * Writes messages, each acknowledged by all replicas in sync. After a failure it begins anew, with
 * another connection: a client may keep one that leads nowhere.
 */
export function createProducer(place: KafkaPlace, bytesMax: number): KafkaProducer {
  const open = () =>
    new Producer<Buffer, Buffer, Buffer, Buffer>({
      ...clientOptions(place),
      acks: ProduceAcks.ALL,
      // A topic that was just made has no leader yet.
      retries: leaderTries,
      retryDelay: limits.messagePauseMs,
      repeatOnStaleMetadata: true,
    })
  let producer: ReturnType<typeof open> | undefined
  let isClosed = false
  const send = async ({ topic, value, headers = new Map() }: Sent, signal: AbortSignal) => {
    if (isClosed) throw new Unavailable('messages', 'closed')
    producer ??= open()
    const mine = producer
    const bytes = [...headers].map(([k, v]) => [Buffer.from(k), Buffer.from(v)] as const)
    const messages = [{ topic, value, headers: new Map(bytes) }]
    try {
      const sent = await call(`writing to ${topic}`, mine.send({ messages }), callMs, signal)
      const at = sent.offsets?.[0]
      return { topic, partition: at?.partition ?? 0, offset: String(at?.offset ?? '') }
    } catch (error) {
      if (producer === mine) producer = undefined
      // Not waited for: it may hang with what it has under way.
      void closeQuietly(mine)
      throw error
    }
  }
  return {
    publish: (value, signal) => send({ topic: place.topic, value: Buffer.from(value) }, signal),
    bury: async (message, reason, buriedAt) => {
      const { value } = message
      const isLarge = value.byteLength > bytesMax
      const headers = headersOf(message, reason, buriedAt)
      const kept = isLarge ? Buffer.alloc(0) : Buffer.from(value)
      const { deadLetterTopic: topic } = place
      await send({ topic, value: kept, headers }, new AbortController().signal)
    },
    close: async () => {
      isClosed = true
      if (producer) await closeQuietly(producer)
    },
  }
}

const leaderTries = 8
const callMs = limits.messageCallMs

function headersOf({ origin, at, value }: Message, reason: DeadReason, buriedAt: string) {
  const { code, detail, field, remedy } = reason
  const said = { code, detail, field, remedy, ...origin, at, buriedAt, sizeBytes: value.byteLength }
  const named = { ...said, 'buried-at': said.buriedAt, 'size-bytes': said.sizeBytes }
  const entries = Object.entries(named).flatMap(([name, text]) =>
    text === undefined || /[A-Z]/.test(name) ? [] : [[`almanac-${name}`, String(text)] as const],
  )
  return new Map(entries)
}
