import type { Client } from 'cassandra-driver'
import { Bug } from '../../base/assert.ts'
import { Unavailable } from '../../base/errors.ts'
import { searchOnceAtATime } from './control-connection.ts'
import type { CqlStoreOptions } from './options.ts'

/** One request to one database node; below the deadline of a call, so that another can be tried. */
const readTimeoutMs = 2_500
const connectTimeoutMs = 2_000
/** A frozen node is noticed by its silence, not by the next user. */
const heartBeatMs = 5_000
const endTimeoutMs = 2_000

/** A client that is connected. Rejects within seconds; nothing is left behind then. */
export async function connectClient(options: CqlStoreOptions): Promise<Client> {
  // Loaded when needed: a process on one machine starts faster without the driver.
  const { default: cassandra } = await import('cassandra-driver')
  const { reconnection, retry } = cassandra.policies
  const client = new cassandra.Client({
    contactPoints: [...options.contactPoints],
    localDataCenter: options.localDataCenter,
    ...(options.credentials ? { credentials: { ...options.credentials } } : {}),
    ...(options.tls ? { sslOptions: options.tls } : {}),
    policies: {
      reconnection: new reconnection.ExponentialReconnectionPolicy(250, 10_000),
      // The driver's plain policy repeats even what must not be repeated.
      retry: new retry.IdempotenceAwareRetryPolicy(new retry.RetryPolicy()),
    },
    queryOptions: {
      consistency: cassandra.types.consistencies.localQuorum,
      serialConsistency: cassandra.types.consistencies.localSerial,
    },
    socketOptions: {
      connectTimeout: connectTimeoutMs,
      readTimeout: readTimeoutMs,
      defunctReadTimeoutThreshold: 16,
    },
    pooling: { heartBeatInterval: heartBeatMs },
    monitorReporting: { enabled: false },
  })
  // Host events are not errors of ours; without a listener some of them would end the process.
  client.on('error', () => {})
  searchOnceAtATime(client)
  try {
    await client.connect()
  } catch (error) {
    await endClient(client)
    throw errorOf(error)
  }
  return client
}

/** Closes the client's connections. A database that does not answer is not waited for. */
export async function endClient(client: Client): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, endTimeoutMs)
  await Promise.race([client.shutdown().catch(() => {}), late])
  clearTimeout(timer)
}

/**
 * The driver's error as one of ours. What the database refuses (an overload, a table that a node
 * has not heard of yet, a missing right) may pass or be mended: only our own misuse is a bug.
 */
export function errorOf(error: unknown): Error {
  if (error instanceof Unavailable || error instanceof Bug) return error
  const { name, message: whole } = error instanceof Error ? error : new Error(String(error))
  // The driver puts the stacks of other errors into its messages; the first line says it all.
  const message = whole.split('\n', 1)[0] ?? ''
  if (name === 'TypeError' || name === 'ArgumentError') {
    if (!message.includes('localDataCenter')) return new Bug(message, { cause: error })
  }
  return new Unavailable('store', message, { cause: error })
}
