import { type Coordinator, type Store, Unavailable } from '@almanac/shared'

/** A switch in the way to a real backend: `cut` fails calls at once, `stuck` lets them hang. */
export type Fault = { state: 'none' | 'cut' | 'stuck' | 'answer-lost' }

/** The same coordinator behind a switch; watches go on. */
export function interruptible(coordinator: Coordinator, fault: Fault): Coordinator {
  const through = guard('coordinator', fault)
  return {
    ...coordinator,
    clusterId: (signal) => through(signal, () => coordinator.clusterId(signal)),
    get: (key, signal) => through(signal, () => coordinator.get(key, signal)),
    list: (prefix, signal) => through(signal, () => coordinator.list(prefix, signal)),
    transact: async (transaction, signal) => {
      const result = await through(signal, () => coordinator.transact(transaction, signal))
      // The work was done, and only the answer did not arrive.
      if (fault.state === 'answer-lost') {
        fault.state = 'none'
        throw new Unavailable('coordinator', 'the answer was lost')
      }
      return result
    },
    grantLease: (ttlMs, signal) => through(signal, () => coordinator.grantLease(ttlMs, signal)),
    watch: (prefix, onEvent) => coordinator.watch(prefix, onEvent),
    compact: (revision, signal) => coordinator.compact(revision, signal),
    close: () => coordinator.close(),
  }
}

/** The same coordinator, whose watches tell nothing new while they are held back. */
export function heldBack(coordinator: Coordinator): {
  readonly coordinator: Coordinator
  readonly hold: () => void
  /** Tells the first thing that was held back; false when there is none. */
  readonly tellOne: () => boolean
  /** Tells what was held back, in order. */
  readonly release: () => void
} {
  const waiting: (() => void)[] = []
  let isHeld = false
  return {
    coordinator: {
      ...coordinator,
      watch: (prefix, onEvent) =>
        coordinator.watch(prefix, (event) => {
          if (isHeld) waiting.push(() => onEvent(event))
          else onEvent(event)
        }),
    },
    hold: () => {
      isHeld = true
    },
    tellOne: () => {
      const tell = waiting.shift()
      tell?.()
      return tell !== undefined
    },
    release: () => {
      isHeld = false
      for (const tell of waiting.splice(0)) tell()
    },
  }
}

/** The same store behind a switch. */
export function interruptibleStore(store: Store, fault: Fault): Store {
  const through = guard('store', fault)
  return {
    writeBlob: (upload, signal) => through(signal, () => store.writeBlob(upload, signal)),
    readBlob: (ref, signal) => through(signal, () => store.readBlob(ref, signal)),
    readManifest: (ref, signal) => through(signal, () => store.readManifest(ref, signal)),
    listBlobs: (kind, page, signal) => through(signal, () => store.listBlobs(kind, page, signal)),
    deleteBlob: (ref, signal) => through(signal, () => store.deleteBlob(ref, signal)),
    putRecord: (record, signal) => through(signal, () => store.putRecord(record, signal)),
    getRecord: (ref, signal) => through(signal, () => store.getRecord(ref, signal)),
    listRecords: (scope, page, signal) =>
      through(signal, () => store.listRecords(scope, page, signal)),
    deleteRecord: (ref, signal) => through(signal, () => store.deleteRecord(ref, signal)),
    ping: (signal) => through(signal, () => store.ping(signal)),
    close: () => store.close(),
  }
}

function guard(part: 'coordinator' | 'store', fault: Fault) {
  return async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    if (fault.state === 'cut') throw new Unavailable(part, 'cut off')
    if (fault.state === 'stuck')
      return await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    return await work()
  }
}
