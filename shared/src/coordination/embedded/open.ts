import { randomBytes, randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { assert } from '../../base/assert.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { checkKey, checkPrefix, checkRevision, checkTransaction, checkTtl } from '../check.ts'
import { bounded } from '../deadline.ts'
import { keepLease } from '../lease-keeper.ts'
import type { Coordinator, Lease, Transaction } from '../port.ts'
import { type Commits, createCommits } from './commits.ts'
import { endLease, evaluate } from './evaluate.ts'
import { fileJournal, type Journal, memoryJournal } from './journal.ts'
import { createKeySpace, type KeySpace } from './key-space.ts'
import { createLessor, type Lessor } from './lessor.ts'
import { createWatchers, type Watchers } from './watchers.ts'

export type EmbeddedCoordinatorOptions = {
  /** The SQLite file, made when it is not there with the folders above it; or ':memory:'. */
  readonly path: string
  readonly clock?: Clock
  /** Revisions whose history stays; compacted when there are twice as many. */
  readonly historyRevisionsKept?: number
}

/**
 * Opens the coordinator of a single process: reads come from memory, a transaction is acknowledged
 * once it is synced to disk, and several at a time share a sync. All former leases are ended.
 *
 * Throws `InUse` when another process (or this one, already) has the file open, and `Damaged` when
 * the file is not what was written.
 */
export async function openEmbeddedCoordinator(
  options: EmbeddedCoordinatorOptions,
): Promise<Coordinator> {
  const clock = options.clock ?? systemClock
  const newClusterId = randomUUID()
  const journal =
    options.path === ':memory:'
      ? memoryJournal(newClusterId)
      : await fileJournal(resolve(options.path), newClusterId)
  const space = createKeySpace(journal.opened.changes, journal.opened.revision)
  const watchers = createWatchers(space, clock)
  const closing = new AbortController()
  const commits = createCommits(space, journal, watchers.deliver)
  const lessor = createLessor({
    clock,
    newId: () => (randomBytes(8).readBigUInt64BE() >> 1n).toString(),
    deleteKeys: (id, ended) =>
      commits.submit((draft) => {
        ended()
        endLease(id, draft)
      }, closing.signal),
    closed: closing.signal,
  })
  const parts: Parts = { clock, journal, space, watchers, commits, lessor, closing }
  await endFormerLeases(parts)
  // It ends with the coordinator, which is no news.
  housekeep(parts, options.historyRevisionsKept ?? limits.historyRevisionsKept).catch(() => {})
  return coordinatorOf(parts)
}

type Parts = {
  readonly clock: Clock
  readonly journal: Journal
  readonly space: KeySpace
  readonly watchers: Watchers
  readonly commits: Commits
  readonly lessor: Lessor
  readonly closing: AbortController
}

function coordinatorOf(parts: Parts): Coordinator {
  const { space, watchers, lessor, journal, closing } = parts
  const check = (signal: AbortSignal) => {
    signal.throwIfAborted()
    if (closing.signal.aborted) throw new Unavailable('coordinator', 'it was closed')
  }
  return {
    async clusterId(signal) {
      check(signal)
      return journal.opened.clusterId
    },
    async get(key, signal) {
      checkKey(key)
      check(signal)
      return space.get(key)
    },
    async list(prefix, signal) {
      checkPrefix(prefix)
      check(signal)
      return space.list(prefix)
    },
    async transact(transaction, signal) {
      checkTransaction(transaction)
      check(signal)
      return transact(parts, transaction, signal)
    },
    watch(prefix, onEvent) {
      checkPrefix(prefix)
      assert(!closing.signal.aborted, 'watch on a closed coordinator')
      return watchers.add(prefix, onEvent)
    },
    async grantLease(ttlMs, signal) {
      checkTtl(ttlMs)
      check(signal)
      return grant(parts, ttlMs)
    },
    async compact(revision, signal) {
      checkRevision(revision)
      check(signal)
      assert(revision <= space.revision, `compaction at a future revision: ${revision}`)
      await withinDeadline(parts, signal, () => journal.compact(revision))
    },
    async close() {
      if (closing.signal.aborted) return
      closing.abort(new Unavailable('coordinator', 'it was closed'))
      watchers.close()
      await parts.commits.drain()
      await journal.close()
    },
  }
  function grant({ clock }: Parts, ttlMs: number): Lease {
    const sentMs = clock.monotonicMs()
    const id = lessor.grant(ttlMs)
    return keepLease({
      id,
      ttlMs,
      sentMs,
      clock,
      closed: closing.signal,
      keepAlive: async () => lessor.keepAlive(id),
      revoke: (signal) => withinDeadline(parts, signal, () => lessor.end(id)),
    })
  }
}

function transact(parts: Parts, transaction: Transaction, signal: AbortSignal) {
  const { commits, lessor } = parts
  return withinDeadline(parts, signal, () =>
    commits.submit((draft) => evaluate(transaction, draft, lessor.exists), signal),
  )
}

/** A disk that hangs must not hang its callers. */
function withinDeadline<T>(parts: Parts, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const ms = limits.embeddedCommitMs
  const late = () => new Unavailable('coordinator', `the disk took longer than ${ms} ms`)
  return bounded(work, { clock: parts.clock, ms, signal, late })
}

/** Whoever held a lease is gone with the process: its keys go in one ordinary revision. */
async function endFormerLeases({ space, commits, closing }: Parts): Promise<void> {
  const leased = space.list('').entries.filter(({ lease }) => lease !== null)
  if (leased.length === 0) return
  await commits.submit((draft) => {
    const modRevision = draft.revision + 1
    draft.add(leased.map(({ key }) => ({ kind: 'delete', key, modRevision })))
  }, closing.signal)
}

/** Tells watchers how fresh they are, and keeps the history bounded. */
async function housekeep(
  { clock, journal, space, watchers, closing }: Parts,
  revisionsKept: number,
): Promise<void> {
  let compacted = journal.opened.compactedRevision
  while (!closing.signal.aborted) {
    await clock.sleep(limits.watchProgressMs, closing.signal)
    watchers.progress()
    const until = space.revision - revisionsKept
    if (until - compacted < revisionsKept) continue
    // A compaction that fails is tried again later: nothing depends on it but the disk's space.
    await journal.compact(until).then(
      () => {
        compacted = until
      },
      () => {},
    )
  }
}
