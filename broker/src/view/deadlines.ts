import { type Coordinator, type Store, Unavailable } from '@almanac/shared'

/** The same coordinator; a deadline that passed is told as `Unavailable`, like any other outage. */
export function tellingDeadlines(coordinator: Coordinator): Coordinator {
  return {
    clusterId: (signal) => told('coordinator', signal, coordinator.clusterId(signal)),
    get: (key, signal) => told('coordinator', signal, coordinator.get(key, signal)),
    list: (prefix, signal) => told('coordinator', signal, coordinator.list(prefix, signal)),
    transact: (transaction, signal) =>
      told('coordinator', signal, coordinator.transact(transaction, signal)),
    watch: (prefix, onEvent) => coordinator.watch(prefix, onEvent),
    grantLease: (ttlMs, signal) =>
      told('coordinator', signal, coordinator.grantLease(ttlMs, signal)),
    compact: (revision, signal) =>
      told('coordinator', signal, coordinator.compact(revision, signal)),
    close: () => coordinator.close(),
  }
}

/** The same store, likewise. */
export function tellingStoreDeadlines(store: Store): Store {
  return {
    writeBlob: (upload, signal) => told('store', signal, store.writeBlob(upload, signal)),
    readBlob: (ref, signal) => told('store', signal, store.readBlob(ref, signal)),
    readManifest: (ref, signal) => told('store', signal, store.readManifest(ref, signal)),
    listBlobs: (kind, page, signal) => told('store', signal, store.listBlobs(kind, page, signal)),
    deleteBlob: (ref, signal) => told('store', signal, store.deleteBlob(ref, signal)),
    putRecord: (record, signal) => told('store', signal, store.putRecord(record, signal)),
    getRecord: (ref, signal) => told('store', signal, store.getRecord(ref, signal)),
    listRecords: (scope, page, signal) =>
      told('store', signal, store.listRecords(scope, page, signal)),
    deleteRecord: (ref, signal) => told('store', signal, store.deleteRecord(ref, signal)),
    ping: (signal) => told('store', signal, store.ping(signal)),
    close: () => store.close(),
  }
}

async function told<T>(
  part: 'coordinator' | 'store',
  signal: AbortSignal,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work
  } catch (error) {
    const isLate = signal.aborted && (signal.reason as Error | undefined)?.name === 'TimeoutError'
    if (!isLate || error instanceof Unavailable) throw error
    throw new Unavailable(part, `the ${part} did not answer in time`, { cause: error })
  }
}
