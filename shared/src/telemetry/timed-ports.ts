import type { Coordinator, Lease } from '../coordination/port.ts'
import type { Store } from '../store/port.ts'
import { Histogram, latencyBuckets, type Registry } from './metrics.ts'

/**
 * The same coordinator, with the time of every call in
 * `almanac_coordinator_call_seconds{call,outcome}`. Watches are not timed: they never end.
 */
export function timedCoordinator(coordinator: Coordinator, registry: Registry): Coordinator {
  const time = timer('coordinator', registry)
  const timedLease = (lease: Lease): Lease => ({
    id: lease.id,
    ttlMs: lease.ttlMs,
    lost: lease.lost,
    validMs: () => lease.validMs(),
    revoke: (signal) => time('revoke-lease', () => lease.revoke(signal)),
  })
  return {
    clusterId: (signal) => time('cluster-id', () => coordinator.clusterId(signal)),
    get: (key, signal) => time('get', () => coordinator.get(key, signal)),
    list: (prefix, signal) => time('list', () => coordinator.list(prefix, signal)),
    transact: (transaction, signal) =>
      time('transact', () => coordinator.transact(transaction, signal)),
    watch: (prefix, onEvent) => coordinator.watch(prefix, onEvent),
    grantLease: async (ttlMs, signal) =>
      timedLease(await time('grant-lease', () => coordinator.grantLease(ttlMs, signal))),
    compact: (revision, signal) => time('compact', () => coordinator.compact(revision, signal)),
    close: () => coordinator.close(),
  }
}

/** The same store, with the time of every call in `almanac_store_call_seconds{call,outcome}`. */
export function timedStore(store: Store, registry: Registry): Store {
  const time = timer('store', registry)
  return {
    writeBlob: (upload, signal) => time('write-blob', () => store.writeBlob(upload, signal)),
    readBlob: (ref, signal) => time('read-blob', () => store.readBlob(ref, signal)),
    readManifest: (ref, signal) => time('read-manifest', () => store.readManifest(ref, signal)),
    listBlobs: (kind, page, signal) =>
      time('list-blobs', () => store.listBlobs(kind, page, signal)),
    deleteBlob: (ref, signal) => time('delete-blob', () => store.deleteBlob(ref, signal)),
    putRecord: (record, signal) => time('put-record', () => store.putRecord(record, signal)),
    getRecord: (ref, signal) => time('get-record', () => store.getRecord(ref, signal)),
    listRecords: (scope, page, signal) =>
      time('list-records', () => store.listRecords(scope, page, signal)),
    deleteRecord: (ref, signal) => time('delete-record', () => store.deleteRecord(ref, signal)),
    ping: (signal) => time('ping', () => store.ping(signal)),
    close: () => store.close(),
  }
}

type Time = <T>(call: string, work: () => Promise<T>) => Promise<T>

function timer(part: 'coordinator' | 'store', registry: Registry): Time {
  const seconds = new Histogram({
    name: `almanac_${part}_call_seconds`,
    help: `Time of one call to the ${part}; outcome "failed" is any rejection.`,
    labelNames: ['call', 'outcome'],
    buckets: latencyBuckets,
    registers: [registry],
  })
  return async (call, work) => {
    const startedMs = performance.now()
    const observe = (outcome: 'done' | 'failed') =>
      seconds.observe({ call, outcome }, (performance.now() - startedMs) / 1_000)
    try {
      const value = await work()
      observe('done')
      return value
    } catch (error) {
      observe('failed')
      throw error
    }
  }
}
