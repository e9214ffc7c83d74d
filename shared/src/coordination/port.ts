/**
 * What the cluster coordinates through: a linearizable, revisioned key space with atomic
 * compare-and-set transactions, a resumable watch and leases, as etcd has them. Keys and values
 * are text. Every method that takes a signal rejects with `Unavailable` when the backend cannot be
 * reached or is late, and with the signal's reason when the caller gave up; after either the
 * outcome of a transaction is unknown and must be read back.
 */
export interface Coordinator {
  /** Identifies the key space: two processes that see different ids are not one cluster. */
  clusterId(signal: AbortSignal): Promise<string>
  /** Linearizable read of one key. */
  get(key: string, signal: AbortSignal): Promise<Entry | undefined>
  /** Linearizable read of all keys that begin with `prefix`, at one revision, in key order. */
  list(prefix: string, signal: AbortSignal): Promise<Snapshot>
  /**
   * Applies `then` at one revision if every comparison holds; else does nothing. What changes
   * nothing takes no revision. Rejects with `Missing`, nothing done, when a put that would be
   * applied names a lease that is not there. Beyond the limits it is a `Bug`.
   */
  transact(transaction: Transaction, signal: AbortSignal): Promise<TransactionResult>
  /**
   * Follows a prefix until stopped. The first event is a snapshot; then changes in revision order,
   * each exactly once. When history was lost (compaction, another cluster behind the same address)
   * a new snapshot arrives, which replaces everything before it. Broken connections are mended
   * inside. `onEvent` must not throw.
   */
  watch(prefix: string, onEvent: (event: WatchEvent) => void): Watch
  /**
   * Creates a lease and keeps it alive until it is revoked, lost, or the coordinator is closed. The
   * backend may grant more than was asked for: etcd counts whole seconds, two at least.
   */
  grantLease(ttlMs: number, signal: AbortSignal): Promise<Lease>
  /**
   * Drops history up to `revision` (an operator's task; here for tests and maintenance). Doing it
   * again does nothing; a revision that is not there yet is a `Bug`.
   */
  compact(revision: number, signal: AbortSignal): Promise<void>
  /** Stops watches and keep-alives and closes connections. Leases are left to end by themselves. */
  close(): Promise<void>
}

export type Entry = {
  readonly key: string
  readonly value: string
  /** The revision at which the key came into being; a key deleted and put again has a new one. */
  readonly createRevision: number
  readonly modRevision: number
  /** The lease that the key lives under; null: it lives until deleted. */
  readonly lease: string | null
}

export type Snapshot = { readonly revision: number; readonly entries: readonly Entry[] }

export type Change =
  | { readonly kind: 'put'; readonly entry: Entry }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: number }

export type WatchEvent =
  | ({ readonly kind: 'snapshot' } & Snapshot)
  /** All changes of one or more whole revisions; `revision` is the last of them. */
  | { readonly kind: 'changes'; readonly revision: number; readonly changes: readonly Change[] }
  /** Nothing else changed up to `revision`: the view is as fresh as that. */
  | { readonly kind: 'progress'; readonly revision: number }

export interface Watch {
  /** Milliseconds since the backend last said anything: how old this view may be. */
  silentMs(): number
  stop(): Promise<void>
}

export type Comparison =
  | { readonly kind: 'absent'; readonly key: string }
  | { readonly kind: 'present'; readonly key: string }
  | { readonly kind: 'modified-at'; readonly key: string; readonly revision: number }
  | { readonly kind: 'created-at'; readonly key: string; readonly revision: number }

export type Operation =
  | {
      readonly kind: 'put'
      readonly key: string
      readonly value: string
      readonly lease?: string | undefined
    }
  | { readonly kind: 'delete'; readonly key: string }

export type Transaction = {
  readonly when: readonly Comparison[]
  readonly then: readonly Operation[]
}

/** `revision` is the store's after the call: of the writes when it succeeded. */
export type TransactionResult = { readonly succeeded: boolean; readonly revision: number }

export interface Lease {
  readonly id: string
  readonly ttlMs: number
  /** Aborts once the lease is known to be gone, or can no longer be trusted (see `validMs`). */
  readonly lost: AbortSignal
  /**
   * For how long the lease can still be trusted: counted from the monotonic time at which the last
   * confirmed keep-alive was *sent*, plus TTL, less a fifth. Zero once lost.
   */
  validMs(): number
  /** Ends the lease and deletes its keys. Doing it twice does no harm. */
  revoke(signal: AbortSignal): Promise<void>
}

export const absent = (key: string): Comparison => ({ kind: 'absent', key })
export const present = (key: string): Comparison => ({ kind: 'present', key })
export const modifiedAt = (key: string, revision: number): Comparison =>
  revision === 0 ? { kind: 'absent', key } : { kind: 'modified-at', key, revision }
export const createdAt = (key: string, revision: number): Comparison => ({
  kind: 'created-at',
  key,
  revision,
})
export const put = (key: string, value: string, lease?: string): Operation => ({
  kind: 'put',
  key,
  value,
  lease,
})
export const remove = (key: string): Operation => ({ kind: 'delete', key })
