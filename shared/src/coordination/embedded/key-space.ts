import type { Change, Entry, Snapshot } from '../port.ts'

/**
 * The committed key space in memory: what readers see. It changes only by whole revisions that are
 * on disk already.
 */
export type KeySpace = {
  readonly revision: number
  get(key: string): Entry | undefined
  list(prefix: string): Snapshot
  /** The keys that live under a lease. */
  underLease(lease: string): ReadonlySet<string>
  /** Takes over changes in revision order; `revision` is the last one. */
  apply(changes: readonly Change[], revision: number): void
}

/** `revision` is that of the disk at opening, `changes` the history from which to build. */
export function createKeySpace(changes: readonly Change[], revision: number): KeySpace {
  const entries = new Map<string, Entry>()
  const byLease = new Map<string, Set<string>>()
  let current = 0
  // Keys in the order of etcd, so that a prefix is one stretch.
  let sorted: string[] = []

  function set(key: string, next: Entry | undefined): void {
    const before = entries.get(key)
    if (before?.lease) removeFrom(byLease, before.lease, key)
    if (next === undefined) entries.delete(key)
    else entries.set(key, next)
    if (next?.lease) addTo(byLease, next.lease, key)
  }

  for (const change of changes) set(keyOf(change), entryOf(change))
  sorted = [...entries.keys()].sort(compareKeys)
  current = revision

  return {
    get revision() {
      return current
    },
    get: (key) => entries.get(key),
    list(prefix) {
      const found: Entry[] = []
      for (let at = position(sorted, prefix); at < sorted.length; at++) {
        const key = sorted[at]
        if (key === undefined || !key.startsWith(prefix)) break
        const entry = entries.get(key)
        if (entry) found.push(entry)
      }
      return { revision: current, entries: found }
    },
    underLease: (lease) => byLease.get(lease) ?? none,
    apply(next, nextRevision) {
      for (const change of next) {
        const key = keyOf(change)
        const entry = entryOf(change)
        if (entry && !entries.has(key)) sorted.splice(position(sorted, key), 0, key)
        if (!entry && entries.has(key)) sorted.splice(position(sorted, key), 1)
        set(key, entry)
      }
      current = nextRevision
    },
  }
}

export const keyOf = (change: Change) => (change.kind === 'put' ? change.entry.key : change.key)
export const entryOf = (change: Change) => (change.kind === 'put' ? change.entry : undefined)
export const revisionOf = (change: Change) =>
  change.kind === 'put' ? change.entry.modRevision : change.modRevision

/**
 * The order of UTF-8 bytes, which is etcd's, without encoding: that of code points. UTF-16 differs
 * from it where a surrogate meets a character from U+E000 on.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointRank(x) - codePointRank(y)
  }
  return a.length - b.length
}

const none: ReadonlySet<string> = new Set()

/** Surrogates stand for characters beyond U+FFFF: they go after all others. */
const codePointRank = (unit: number) => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit)

/** The first index whose key is not below `key`. */
function position(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(sorted[middle] as string, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function addTo(map: Map<string, Set<string>>, lease: string, key: string): void {
  const keys = map.get(lease) ?? new Set<string>()
  keys.add(key)
  map.set(lease, keys)
}

function removeFrom(map: Map<string, Set<string>>, lease: string, key: string): void {
  const keys = map.get(lease)
  keys?.delete(key)
  if (keys?.size === 0) map.delete(lease)
}
