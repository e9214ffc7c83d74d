import {
  type Coordinator,
  type Lease,
  type Store,
  type Transaction,
  Unavailable,
} from '@almanac/shared'

/** Passes everything to the real coordinator, but for what a test breaks on purpose. */
export function breakable(real: Coordinator) {
  const leases: Lease[] = []
  const faults = {
    leases,
    /** Asked before each transaction: what to do to it. */
    transaction: (_: Transaction): 'pass' | 'lose-request' | 'lose-answer' | Error => 'pass',
    silentMs: undefined as number | undefined,
    /** While it is an array, events are put there instead of delivered. */
    heldEvents: undefined as (() => void)[] | undefined,
    away: false,
  }
  const check = () => {
    if (faults.away) throw new Unavailable('coordinator', 'away on purpose')
  }
  const coordinator: Coordinator = {
    async clusterId(signal) {
      check()
      return real.clusterId(signal)
    },
    async get(key, signal) {
      check()
      return real.get(key, signal)
    },
    async list(prefix, signal) {
      check()
      return real.list(prefix, signal)
    },
    async transact(transaction, signal) {
      check()
      const fate = faults.transaction(transaction)
      if (fate instanceof Error) throw fate
      if (fate === 'lose-request') throw new Unavailable('coordinator', 'the request was lost')
      const result = await real.transact(transaction, signal)
      if (fate === 'lose-answer') throw new Unavailable('coordinator', 'the answer was lost')
      return result
    },
    watch(prefix, onEvent) {
      const watch = real.watch(prefix, (event) => {
        if (faults.heldEvents) faults.heldEvents.push(() => onEvent(event))
        else onEvent(event)
      })
      return { silentMs: () => faults.silentMs ?? watch.silentMs(), stop: () => watch.stop() }
    },
    async grantLease(ttlMs, signal) {
      check()
      const lease = await real.grantLease(ttlMs, signal)
      leases.push(lease)
      return lease
    },
    compact: (revision, signal) => real.compact(revision, signal),
    close: () => real.close(),
  }
  return { coordinator, faults }
}

/** Passes everything to the real store, unless it is to be away. */
export function breakableStore(real: Store) {
  const faults = { away: false, reads: 0, writes: 0 }
  const store: Store = {
    ...passing(real),
    async readBlob(ref, signal) {
      faults.reads += 1
      if (faults.away) throw new Unavailable('store', 'away on purpose')
      return real.readBlob(ref, signal)
    },
    async writeBlob(upload, signal) {
      faults.writes += 1
      if (faults.away) throw new Unavailable('store', 'away on purpose')
      return real.writeBlob(upload, signal)
    },
  }
  return { store, faults }
}

function passing(real: Store): Store {
  return {
    writeBlob: (...args) => real.writeBlob(...args),
    readBlob: (...args) => real.readBlob(...args),
    readManifest: (...args) => real.readManifest(...args),
    listBlobs: (...args) => real.listBlobs(...args),
    deleteBlob: (...args) => real.deleteBlob(...args),
    putRecord: (...args) => real.putRecord(...args),
    getRecord: (...args) => real.getRecord(...args),
    listRecords: (...args) => real.listRecords(...args),
    deleteRecord: (...args) => real.deleteRecord(...args),
    ping: (...args) => real.ping(...args),
    close: () => real.close(),
  }
}
