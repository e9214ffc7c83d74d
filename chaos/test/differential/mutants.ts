import type {
  Change,
  Coordinator,
  Entry,
  Transaction,
  WatchEvent,
} from '../../../shared/src/index.ts'

/** Coordinators with one fault each, as somebody might write them. */
export const mutants: Record<string, (right: Coordinator) => Coordinator> = {
  'a comparison with a revision that is over holds': (right) => ({
    ...right,
    transact: (transaction, signal) =>
      right.transact({ ...transaction, when: transaction.when.map(lenient) }, signal),
  }),
  'a key that was made again keeps its old age': (right) => {
    const made = new Map<string, number>()
    const aged = (entry: Entry): Entry => {
      const createRevision = made.get(entry.key) ?? entry.createRevision
      made.set(entry.key, createRevision)
      return { ...entry, createRevision }
    }
    return {
      ...right,
      async get(key, signal) {
        const entry = await right.get(key, signal)
        return entry && aged(entry)
      },
      async list(prefix, signal) {
        const snapshot = await right.list(prefix, signal)
        return { ...snapshot, entries: snapshot.entries.map(aged) }
      },
    }
  },
  'a list in the order of JavaScript': (right) => ({
    ...right,
    async list(prefix, signal) {
      const snapshot = await right.list(prefix, signal)
      return { ...snapshot, entries: snapshot.entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)) }
    },
  }),
  'a failed transaction says a newer revision': (right) => ({
    ...right,
    async transact(transaction, signal) {
      const { succeeded, revision } = await right.transact(transaction, signal)
      return { succeeded, revision: succeeded ? revision : revision + 1 }
    },
  }),
  'a lease that was revoked leaves its keys': (right) => ({
    ...right,
    async grantLease(ttlMs, signal) {
      const lease = await right.grantLease(ttlMs, signal)
      const { lost, validMs } = lease
      let revoked = false
      return {
        ...lease,
        lost: AbortSignal.any([lost]),
        validMs: () => (revoked ? 0 : validMs()),
        revoke: async () => {
          revoked = true
        },
      }
    },
  }),
  'a watch misses deletions': watching((change) => (change.kind === 'delete' ? [] : [change])),
  'a watch tells a change twice': watching((change) => [change, change]),
  'a watch hides leases': watching((change) =>
    change.kind === 'put' ? [{ ...change, entry: { ...change.entry, lease: null } }] : [change],
  ),
  'a stopped watch goes on': (right) => ({
    ...right,
    watch(prefix, onEvent) {
      const watch = right.watch(prefix, onEvent)
      return { ...watch, stop: async () => {} }
    },
  }),
  'a large value is taken': (right) => ({
    ...right,
    transact: (transaction, signal) => right.transact(shortened(transaction), signal),
  }),
}

function lenient(comparison: Transaction['when'][number]): Transaction['when'][number] {
  const isPresent = comparison.kind === 'modified-at' && comparison.revision > 0
  return isPresent ? { kind: 'present', key: comparison.key } : comparison
}

function watching(change: (change: Change) => readonly Change[]) {
  const changed = (event: WatchEvent): WatchEvent =>
    event.kind === 'changes' ? { ...event, changes: event.changes.flatMap(change) } : event
  return (right: Coordinator): Coordinator => ({
    ...right,
    watch: (prefix, onEvent) => right.watch(prefix, (event) => onEvent(changed(event))),
  })
}

function shortened(transaction: Transaction): Transaction {
  const then = transaction.then.map((operation) =>
    operation.kind === 'put'
      ? { ...operation, value: operation.value.slice(0, 65_536) }
      : operation,
  )
  return { ...transaction, then }
}
