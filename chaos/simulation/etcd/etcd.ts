import type { ICompare, IRequestOp } from 'etcd3'
import type { World } from '../world/world.ts'
import type { WatchStream } from './client.ts'
import { KeyValues, type Revision, textOf } from './key-values.ts'
import { Leases } from './leases.ts'
import type { ServerWatch } from './server-watch.ts'

export type TxnRequest = { readonly compare: readonly ICompare[]; readonly success: IRequestOp[] }

/** What a test plants to see that it is noticed. */
export type Sabotage = {
  /** Another transaction than the one that was sent. */
  readonly alter?: (request: TxnRequest) => TxnRequest
  /** Acknowledges the transaction without applying it. */
  readonly forgets?: (request: TxnRequest) => boolean
}

/** The side of the backend: one copy of the data, which is what a quorum amounts to. */
export class Etcd {
  readonly clusterId = '4711'
  readonly data = new KeyValues()
  readonly leases: Leases
  readonly watches = new Set<ServerWatch>()
  /** What is open of them at the clients. */
  readonly streams = new Set<WatchStream>()
  /** Connections are refused. */
  isAway = false
  sabotage: Sabotage = {}
  readonly #listeners = new Set<(done: Revision) => void>()

  constructor(world: World) {
    this.leases = new Leases(world, (id) => this.#committed(this.data.remove(this.data.under(id))))
  }

  /** Told of every revision, in order, before anybody else is. */
  onRevision(listener: (done: Revision) => void): void {
    this.#listeners.add(listener)
  }

  header() {
    const revision = String(this.data.revision)
    return { cluster_id: this.clusterId, member_id: '1', revision, raft_term: '1' }
  }

  range(request: {
    readonly key?: Buffer
    readonly range_end?: Buffer
    readonly revision?: string | number
    readonly limit?: string | number
    readonly count_only?: boolean
  }) {
    const from = textOf(request.key!)
    const at = Number(request.revision ?? 0)
    const found = request.range_end
      ? this.data.range(from, textOf(request.range_end), at)
      : [this.data.get(from)].filter((kv) => kv !== undefined)
    const limit = Number(request.limit ?? 0) || found.length
    const kvs = request.count_only ? [] : found.slice(0, limit)
    return { header: this.header(), kvs, more: found.length > limit, count: String(found.length) }
  }

  txn(sent: TxnRequest) {
    const request = this.sabotage.alter?.(sent) ?? sent
    const succeeded = this.data.holds(request.compare)
    const isForgotten = succeeded && this.sabotage.forgets?.(request)
    if (succeeded && !isForgotten)
      this.#committed(this.data.apply(request.success, this.leases.has))
    return { header: this.header(), succeeded, responses: [] }
  }

  compact(revision: number) {
    this.data.compact(revision)
    return { header: this.header() }
  }

  #committed(done: Revision | undefined): void {
    if (done === undefined) return
    for (const listener of this.#listeners) listener(done)
    for (const watch of [...this.watches]) watch.tell(done)
  }
}
