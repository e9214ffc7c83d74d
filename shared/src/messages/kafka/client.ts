import type { BaseOptions, Consumer } from '@platformatic/kafka'
import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { within } from '../../base/within.ts'

/** Where Kafka is, and what is ours there. */
export type KafkaPlace = {
  /** `host:port` of some of its brokers. */
  readonly brokers: readonly string[]
  readonly topic: string
  readonly group: string
  readonly deadLetterTopic: string
}

/**
 * What all clients have in common. Nothing is tried again by them: who calls knows better when, and
 * begins with a new client then.
 */
export const clientOptions = ({ brokers }: Pick<KafkaPlace, 'brokers'>): BaseOptions => ({
  clientId: `almanac-${process.pid}`,
  bootstrapBrokers: [...brokers],
  connectTimeout: limits.messageCallMs / 2,
  requestTimeout: limits.messageRebalanceMs + limits.messageCallMs,
  retries: 0,
  // Whether that makes one is for Kafka's own settings to say.
  autocreateTopics: true,
})

const never = new AbortController().signal

/** One call to Kafka. Whatever goes wrong is `Unavailable`, with what Kafka said. */
export async function call<T>(
  what: string,
  work: Promise<T>,
  timeoutMs: number = limits.messageCallMs,
  signal: AbortSignal = never,
): Promise<T> {
  const late = () => new Unavailable('messages', `Kafka: ${what} took over ${timeoutMs} ms`)
  try {
    return await within(work, timeoutMs, late, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Unavailable) throw error
    throw new Unavailable('messages', `Kafka: ${what}: ${reasonOf(error)}`, { cause: error })
  }
}

/** Of errors that have others inside, what the innermost says. */
function reasonOf(error: unknown): string {
  const { message, errors, cause } = error as Error & { errors?: unknown[] }
  const inner = errors?.at(-1) ?? cause
  return inner === undefined ? message : `${message} ${reasonOf(inner)}`.slice(0, 500)
}

/** Closes a client whatever state it is in; what hangs is left to itself. */
export async function closeQuietly(client: Pick<Consumer, 'close'>): Promise<void> {
  await call('closing', Promise.resolve(client.close()), limits.messageStopMs).catch(() => {})
}
