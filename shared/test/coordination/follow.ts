import type { Change, Coordinator, Entry, Watch, WatchEvent } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'

/** A watch with everything that it was told, checked against the contract as it comes. */
export type Followed = {
  readonly watch: Watch
  readonly events: readonly WatchEvent[]
  /** The fold of the events. */
  readonly entries: ReadonlyMap<string, Entry>
  readonly revision: number
  readonly snapshots: number
  /** Every change since the last snapshot, as `key@revision`. */
  readonly changed: readonly string[]
  /** Breaches of the contract; must stay empty. */
  readonly breaches: readonly string[]
  until(holds: (followed: Followed) => boolean, timeoutMs?: number): Promise<void>
}

export function follow(coordinator: Coordinator, prefix: string): Followed {
  const events: WatchEvent[] = []
  const entries = new Map<string, Entry>()
  const breaches: string[] = []
  let changed: string[] = []
  let revision = -1
  let snapshots = 0

  const breach = (what: string) => breaches.push(`${what} after revision ${revision}`)
  const change = (next: Change) => {
    const key = next.kind === 'put' ? next.entry.key : next.key
    const at = next.kind === 'put' ? next.entry.modRevision : next.modRevision
    if (!key.startsWith(prefix)) breach(`a change of ${key}`)
    if (at <= revision) breach(`${key} changed at ${at}`)
    changed.push(`${key}@${at}`)
    if (next.kind === 'put') entries.set(key, next.entry)
    else if (!entries.delete(key)) breach(`${key} deleted, which was not there`)
    return at
  }
  const watch = coordinator.watch(prefix, (event) => {
    events.push(event)
    if (event.kind === 'snapshot') {
      snapshots += 1
      changed = []
      entries.clear()
      for (const entry of event.entries) entries.set(entry.key, entry)
    } else {
      if (snapshots === 0) breach(`${event.kind} before the first snapshot`)
      if (event.revision <= revision) breach(`${event.kind} at ${event.revision}`)
    }
    if (event.kind === 'changes') {
      const revisions = event.changes.map(change)
      const sorted = revisions.toSorted((a, b) => a - b)
      if (revisions.join() !== sorted.join()) breach('changes out of order')
      if (revisions.at(-1) !== event.revision) breach('changes that end at another revision')
    }
    revision = event.revision
  })
  const followed: Followed = {
    watch,
    events,
    entries,
    breaches,
    get revision() {
      return revision
    },
    get snapshots() {
      return snapshots
    },
    get changed() {
      return changed
    },
    async until(holds, timeoutMs) {
      await eventually(
        () => ({ ok: holds(followed), breaches, revision, snapshots, changed }),
        ({ ok }) => ok,
        timeoutMs,
      )
    },
  }
  return followed
}
