import type { Clock } from '../../base/clock.ts'

/** The side of the backend: which leases exist, and when they end for want of keep-alives. */
export type Lessor = {
  grant(ttlMs: number): string
  exists(id: string): boolean
  keepAlive(id: string): 'kept' | 'ended'
  /** Ends a lease; resolves when its keys are gone. A lease that is not there is no error. */
  end(id: string): Promise<void>
}

/**
 * `deleteKeys` deletes the keys of an ended lease and is tried until it succeeds or `closed`
 * aborts: a lease that has ended must not leave keys.
 */
export function createLessor(options: {
  readonly clock: Clock
  readonly newId: () => string
  readonly deleteKeys: (id: string) => Promise<void>
  readonly closed: AbortSignal
}): Lessor {
  const { clock, closed } = options
  const leases = new Map<string, { readonly ttlMs: number; deadlineMs: number }>()

  async function end(id: string): Promise<void> {
    if (leases.delete(id)) await options.deleteKeys(id)
  }

  async function endForSure(id: string): Promise<void> {
    leases.delete(id)
    while (!closed.aborted) {
      try {
        return await options.deleteKeys(id)
      } catch {
        await clock.sleep(retryMs, closed)
      }
    }
  }

  async function expire(id: string): Promise<void> {
    for (let lease = leases.get(id); lease; lease = leases.get(id)) {
      const leftMs = lease.deadlineMs - clock.monotonicMs()
      if (leftMs <= 0) return await endForSure(id)
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
      if (!lease || clock.monotonicMs() >= lease.deadlineMs) return 'ended'
      lease.deadlineMs = clock.monotonicMs() + lease.ttlMs
      return 'kept'
    },
    end,
  }
}

const retryMs = 1_000
