import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { Missing, Unavailable } from '../../base/errors.ts'
import { keepLease } from '../lease-keeper.ts'
import type { Lease } from '../port.ts'
import type { Connection, OnEtcdEvent } from './connection.ts'
import { toNumber } from './translate.ts'

export type LeaseParts = {
  readonly connection: Connection
  readonly clock: Clock
  readonly closed: AbortSignal
  readonly onEvent: OnEtcdEvent
}

/** Etcd counts whole seconds and may grant more than was asked for; `ttlMs` is what it granted. */
export async function grantEtcdLease(
  parts: LeaseParts,
  askedTtlMs: number,
  signal: AbortSignal,
): Promise<Lease> {
  const { connection, clock, closed, onEvent } = parts
  const sentMs = clock.monotonicMs()
  const request = { TTL: String(Math.ceil(askedTtlMs / 1_000)), ID: '0' }
  const granted = await connection.call(
    'grant-lease',
    (client) => client.leaseClient.leaseGrant(request),
    signal,
  )
  const { ID: id } = granted
  const ttlMs = toNumber(granted.TTL) * 1_000
  assert(ttlMs > 0, `etcd granted a lease of ${granted.TTL} s`)
  return keepLease({
    id,
    ttlMs,
    sentMs,
    clock,
    closed,
    keepAlive: (lostSignal) => keepAliveOnce(connection, id, lostSignal),
    revoke: (revokeSignal) => revokeOnce(connection, id, revokeSignal),
    onLost: (reason) => onEvent('lease-lost', { lease: id, reason }),
  })
}

/**
 * One question on a stream of its own, so that each has a deadline and none waits behind another.
 * The stream is ended, not cancelled: the library takes a cancelled one for a broken host.
 */
function keepAliveOnce(connection: Connection, id: string, signal: AbortSignal) {
  return connection.call(
    'keep-alive',
    async (client) => {
      const stream = await client.leaseClient.leaseKeepAlive({
        deadline: Date.now() + streamTimeoutMs,
      })
      return await new Promise<'kept' | 'ended'>((resolve, reject) => {
        stream.on('error', reject)
        stream.on('end', () => reject(new Unavailable('coordinator', 'keep-alive: no answer')))
        stream.on('data', ({ TTL }) => resolve(toNumber(TTL) > 0 ? 'kept' : 'ended'))
        stream.write({ ID: id })
        stream.end()
      })
    },
    signal,
  )
}

async function revokeOnce(connection: Connection, id: string, signal: AbortSignal): Promise<void> {
  try {
    const request = { ID: id }
    await connection.call(
      'revoke-lease',
      (client) => client.leaseClient.leaseRevoke(request),
      signal,
    )
  } catch (error) {
    // It has ended already.
    if (!(error instanceof Missing)) throw error
  }
}

/** Frees the stream when our own deadline, which is shorter, has passed. */
const streamTimeoutMs = 3_000
