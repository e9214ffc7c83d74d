import { assert } from '../../base/assert.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { type Random, systemRandom } from '../../base/random.ts'
import { checkKey, checkPrefix, checkRevision, checkTransaction, checkTtl } from '../check.ts'
import type { Coordinator, Transaction, TransactionResult, Watch } from '../port.ts'
import {
  type Connection,
  type CreateClient,
  connect,
  type EtcdTls,
  type OnEtcdEvent,
} from './connection.ts'
import { Compacted, messageOf } from './faults.ts'
import { grantEtcdLease } from './lease.ts'
import { readKey, readPosition, readPrefix } from './read.ts'
import { createKeys, type Keys, toCompare, toNumber, toRequest } from './translate.ts'
import { watchEtcd } from './watch.ts'

export type EtcdCoordinatorOptions = {
  /** `http://host:port` or `https://host:port`, one for each member. */
  readonly endpoints: readonly string[]
  /** Put before every key, literally. */
  readonly prefix?: string
  readonly auth?: { readonly username: string; readonly password: string }
  readonly tls?: EtcdTls
  /** Of each unary call. */
  readonly callTimeoutMs?: number
  readonly clock?: Clock
  readonly random?: Random
  /** Told of calls, rebuilt clients, broken watches and lost leases, for logs and metrics. */
  readonly onEvent?: OnEtcdEvent
  /** Another client than that of the library; for simulations. */
  readonly createClient?: CreateClient
}

/** Opens a coordinator on etcd without waiting for it: what needs it rejects until it is there. */
export async function openEtcdCoordinator(options: EtcdCoordinatorOptions): Promise<Coordinator> {
  assert(options.endpoints.length > 0, 'etcd needs at least one endpoint')
  const { clock = systemClock, random = systemRandom, onEvent = () => {}, prefix = '' } = options
  const { callTimeoutMs = limits.coordinatorCallMs, endpoints, auth, tls, createClient } = options
  const connection = await connect({
    endpoints,
    clock,
    random,
    callTimeoutMs,
    onEvent,
    ...(auth ? { auth } : {}),
    ...(tls ? { tls } : {}),
    ...(createClient ? { createClient } : {}),
  })
  const keys = createKeys(prefix)
  const closing = new AbortController()
  const watches = new Set<Watch>()
  const closed = closing.signal

  return {
    async clusterId(signal) {
      return (await readPosition(connection, keys, signal)).clusterId
    },
    async get(key, signal) {
      checkKey(key)
      return await readKey(connection, keys, key, signal)
    },
    async list(listed, signal) {
      checkPrefix(listed)
      const { revision, entries } = await readPrefix(connection, keys, listed, signal)
      return { revision, entries }
    },
    async transact(transaction, signal) {
      checkTransaction(transaction)
      return await transact(connection, keys, transaction, signal)
    },
    watch(watched, listener) {
      checkPrefix(watched)
      assert(!closed.aborted, 'watch on a closed coordinator')
      const parts = { connection, keys, clock, random, callTimeoutMs, closed, onEvent }
      const watch = watchEtcd(parts, watched, listener, () => watches.delete(watch))
      watches.add(watch)
      return watch
    },
    async grantLease(ttlMs, signal) {
      checkTtl(ttlMs)
      return await grantEtcdLease({ connection, clock, closed, onEvent }, ttlMs, signal)
    },
    async compact(revision, signal) {
      checkRevision(revision)
      await compact(connection, revision, signal)
    },
    async close() {
      if (closed.aborted) return
      closing.abort(new Unavailable('coordinator', 'it was closed'))
      await Promise.all([...watches].map((watch) => watch.stop()))
      connection.close()
    },
  }
}

async function transact(
  connection: Connection,
  keys: Keys,
  transaction: Transaction,
  signal: AbortSignal,
): Promise<TransactionResult> {
  const request = {
    compare: transaction.when.map((comparison) => toCompare(comparison, keys)),
    success: transaction.then.map((operation) => toRequest(operation, keys)),
  }
  const answer = await connection.call('transact', (client) => client.kv.txn(request), signal)
  return { succeeded: answer.succeeded, revision: toNumber(answer.header.revision) }
}

async function compact(connection: Connection, revision: number, signal: AbortSignal) {
  // Physical: it is done when the answer comes, not at some time after.
  const request = { revision: String(revision), physical: true }
  try {
    await connection.call('compact', (client) => client.kv.compact(request), signal)
  } catch (error) {
    if (error instanceof Compacted) return
    assert(
      !messageOf(error).includes('future revision'),
      `compaction at a future revision: ${revision}`,
    )
    throw error
  }
}
