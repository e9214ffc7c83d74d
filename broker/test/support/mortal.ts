import { type Coordinator, type Lease, type Operation, Unavailable } from '@almanac/shared'

/** A process that is about to die: what it asks of the coordinator from then on is not heard. */
export type Mortal = {
  readonly coordinator: Coordinator
  /** Dies with the next transaction that writes such a key: before it is made, or right after. */
  readonly dieAt: (writes: (key: string) => boolean, when: 'before' | 'after') => void
  readonly isDead: () => boolean
  /** As time does it for the leases of the dead. */
  readonly endLeases: () => Promise<void>
}

export function mortal(living: Coordinator): Mortal {
  const leases: Lease[] = []
  let isDead = false
  let fate: { writes: (key: string) => boolean; when: 'before' | 'after' } | undefined
  const gone = () => {
    if (isDead) throw new Unavailable('coordinator', 'this process is dead')
  }
  const key = (operation: Operation) => operation.key
  return {
    coordinator: {
      clusterId: (signal) => living.clusterId(signal),
      get: async (...args) => {
        gone()
        return await living.get(...args)
      },
      list: async (...args) => {
        gone()
        return await living.list(...args)
      },
      transact: async (transaction, signal) => {
        gone()
        const isIt = fate && transaction.then.map(key).some(fate.writes)
        if (!isIt) return await living.transact(transaction, signal)
        if (fate?.when === 'after') await living.transact(transaction, signal)
        isDead = true
        throw new Unavailable('coordinator', 'this process has died')
      },
      watch: (prefix, onEvent) =>
        living.watch(prefix, (event) => {
          if (!isDead) onEvent(event)
        }),
      grantLease: async (...args) => {
        gone()
        const lease = await living.grantLease(...args)
        leases.push(lease)
        return {
          ...{ id: lease.id, ttlMs: lease.ttlMs, lost: lease.lost },
          validMs: () => lease.validMs(),
          revoke: async (signal) => {
            gone()
            await lease.revoke(signal)
          },
        }
      },
      compact: (...args) => living.compact(...args),
      close: async () => {},
    },
    dieAt: (writes, when) => {
      fate = { writes, when }
    },
    isDead: () => isDead,
    endLeases: async () => {
      for (const lease of leases) await lease.revoke(AbortSignal.timeout(5_000))
    },
  }
}
