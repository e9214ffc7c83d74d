import type { Clock } from '../../base/clock.ts'

/** The side of the backend: which leases exist, and when they end for want of keep-alives. */
export type Lessor = {
  grant(ttlMs: number): string
  exists(id: string): boolean
  keepAlive(id: string): 'kept' | 'ended'
  /**
   * Ends a lease; resolves when its keys are gone, whoever began to end it. A lease that is not
   * there is no error.
   */
  end(id: string): Promise<void>
}

/**
 * `deleteKeys` deletes the keys of a lease, and calls `ended` in its turn among the transactions:
 * those before it find the lease there, those after it do not. It is tried until it succeeds or
 * `closed` aborts: a lease that has ended must not leave keys.
 */
export function createLessor(options: {
  readonly clock: Clock
  readonly newId: () => string
  readonly deleteKeys: (id: string, ended: () => void) => Promise<void>
  readonly closed: AbortSignal
}): Lessor {
  const { clock, closed } = options
  const leases = new Map<string, { readonly ttlMs: number; deadlineMs: number }>()
  const ending = new Map<string, Promise<void>>()

  function end(id: string): Promise<void> {
    const begun = ending.get(id)
    if (begun) return begun
    if (!leases.has(id)) return Promise.resolve()
    const done = endForSure(id).finally(() => ending.delete(id))
    ending.set(id, done)
    return done
  }

  async function endForSure(id: string): Promise<void> {
    for (;;) {
      try {
        return await options.deleteKeys(id, () => leases.delete(id))
      } catch {
        await clock.sleep(retryMs, closed)
      }
    }
  }

  async function expire(id: string): Promise<void> {
    for (let lease = leases.get(id); lease; lease = leases.get(id)) {
      const leftMs = lease.deadlineMs - clock.monotonicMs()
      if (leftMs <= 0) return await end(id)
      await clock.sleep(leftMs, closed)
    }
  }

  return {
    grant(ttlMs) {
      const id = options.newId()
      leases.set(id, { ttlMs, deadlineMs: clock.monotonicMs() + ttlMs })
      // It ends by expiry, by `end`, or with the coordinator; the last is no news.
      expire(id).catch(() => {})
      return id
    },
    exists: (id) => leases.has(id),
    keepAlive(id) {
      const lease = leases.get(id)
      // Its time may be up while the timer is still to fire: a process that was stopped.
      if (!lease || ending.has(id) || clock.monotonicMs() >= lease.deadlineMs) return 'ended'
      lease.deadlineMs = clock.monotonicMs() + lease.ttlMs
      return 'kept'
    },
    end,
  }
}

const retryMs = 1_000
