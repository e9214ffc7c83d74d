import type { Clock } from '../../base/clock.ts'
import type { Change, Watch, WatchEvent } from '../port.ts'
import { type KeySpace, keyOf, revisionOf } from './key-space.ts'

type Watcher = {
  readonly prefix: string
  readonly onEvent: (event: WatchEvent) => void
  /** Undefined until its snapshot was delivered. */
  revision: number | undefined
}

export type Watchers = {
  add(prefix: string, onEvent: (event: WatchEvent) => void): Watch
  /** Committed changes, in revision order. */
  deliver(changes: readonly Change[]): void
  /** Tells all watchers how fresh their view is when nothing of theirs has changed. */
  progress(): void
  /** Ends all watches; what they are silent for counts from here. */
  close(): void
}

/** Watches inside the process: nothing lies between them and the key space that could break. */
export function createWatchers(space: KeySpace, clock: Clock): Watchers {
  const watchers = new Set<Watcher>()
  let closedMs: number | undefined

  return {
    add(prefix, onEvent) {
      const watcher: Watcher = { prefix, onEvent, revision: undefined }
      watchers.add(watcher)
      // The caller gets its handle before the first event, as with a backend across a network.
      queueMicrotask(() => {
        if (!watchers.has(watcher)) return
        const snapshot = space.list(prefix)
        tell(watcher, { kind: 'snapshot', ...snapshot })
      })
      return {
        silentMs: () => (closedMs === undefined ? 0 : clock.monotonicMs() - closedMs),
        stop: async () => {
          watchers.delete(watcher)
        },
      }
    },
    deliver(changes) {
      for (const watcher of [...watchers]) {
        if (watcher.revision === undefined || !watchers.has(watcher)) continue
        const own = changes.filter((change) => keyOf(change).startsWith(watcher.prefix))
        const last = own.at(-1)
        if (last) tell(watcher, { kind: 'changes', revision: revisionOf(last), changes: own })
      }
    },
    progress() {
      const { revision } = space
      for (const watcher of [...watchers]) {
        if (watcher.revision !== undefined && watcher.revision < revision) {
          tell(watcher, { kind: 'progress', revision })
        }
      }
    },
    close() {
      closedMs ??= clock.monotonicMs()
      watchers.clear()
    },
  }
}

function tell(watcher: Watcher, event: WatchEvent): void {
  watcher.revision = event.revision
  try {
    watcher.onEvent(event)
  } catch (error) {
    // A reader that throws is a bug of that reader: it must end the process, not the commit.
    queueMicrotask(() => {
      throw error
    })
  }
}
