import {
  type Clock,
  type ClusterState,
  type ModelRecord,
  type NodeRecord,
  nodeName,
  type Touched,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { createDenials } from './denials.ts'
import { createPeer, type Peer } from './peer.ts'
import { emptyTable, type Hint, newestRecord, nextTable, type Table } from './table.ts'

/** Owns the routing table: the only thing that replaces it. */
export type Router = {
  readonly table: () => Table
  /** After the view changed. */
  readonly refresh: (touched: Touched) => void
  /**
   * Takes over what a node or a linearizable read says about a model, if it is newer than what is
   * known here. Tells whether it was.
   */
  readonly adopt: (id: string, record: ModelRecord, modRevision: number, by?: Peer) => boolean
  /** A node says that it does not have what it registered: not asked again for a moment. */
  readonly deny: (peer: Peer, id: string, version: number) => void
  readonly isDenied: (peer: Peer, id: string, version: number) => boolean
  /** All peers of the table, registered or not. */
  readonly peers: () => readonly Peer[]
  /** Age of the newest change of the table. */
  readonly ageMs: () => number
}

export type RouterOptions = {
  readonly state: () => ClusterState
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly bounds: Pick<Bounds, 'unconfirmedNodeMs'>
  /** Told after each replacement. */
  readonly onTable: (touched: Touched) => void
}

export function createRouter(options: RouterOptions): Router {
  const { clock, bounds, onTable } = options
  const peers = new Map<string, Peer>()
  const hints = new Map<string, Hint>()
  const denials = createDenials(clock)
  let table: Table = emptyTable
  let changedMs = clock.monotonicMs()

  const peerOf = (node: NodeRecord) => {
    const name = nodeName(node.ip, node.port)
    const known = peers.get(name)
    if (known?.instance === node.instance) return known
    const peer = createPeer(node)
    peers.set(name, peer)
    return peer
  }
  const refresh = (touched: Touched) => {
    const state = options.state()
    const nowMs = clock.monotonicMs()
    for (const [id, hint] of hints)
      if (newestRecord(state.models.get(id), hint) !== hint) hints.delete(id)
    markGone(peers, state, nowMs)
    const { unconfirmedNodeMs } = bounds
    table = nextTable(table, touched, { state, hints, peerOf, nowMs, unconfirmedNodeMs })
    forgetPeers(peers, table)
    changedMs = nowMs
    onTable(touched)
  }
  return {
    table: () => table,
    refresh,
    adopt: (id, record, modRevision, by) => {
      const known = table.models.get(id)
      const hint = hints.get(id)
      const knownRevision = newestRecord(options.state().models.get(id), hint)?.modRevision ?? 0
      if (modRevision < knownRevision) return false
      if (modRevision === knownRevision && (!hint || !by || hint.peers.includes(by))) return false
      const peersOfHint = hint?.modRevision === modRevision ? hint.peers : []
      hints.set(id, { record, modRevision, peers: by ? [...peersOfHint, by] : peersOfHint })
      refresh({ all: false, models: new Set([id]), jobs: new Set(), nodes: new Set() })
      return known?.modRevision !== modRevision
    },
    deny: denials.add,
    isDenied: denials.has,
    peers: () => [...peers.values()],
    ageMs: () => clock.monotonicMs() - changedMs,
  }
}

function markGone(peers: ReadonlyMap<string, Peer>, state: ClusterState, nowMs: number): void {
  for (const peer of peers.values()) {
    if (state.nodes.get(peer.name)?.value.instance === peer.instance) peer.goneAtMs = null
    else peer.goneAtMs ??= nowMs
  }
}

/** A peer that is in no part of the table any more is forgotten. */
function forgetPeers(peers: Map<string, Peer>, table: Table): void {
  const { confirmed, unconfirmed } = table.serving
  const isIdle = (peer: Peer) =>
    peer.goneAtMs !== null && !confirmed.includes(peer) && !unconfirmed.includes(peer)
  const gone = new Set([...peers.values()].filter(isIdle))
  // Most have no such peer, and with many models the look at all of them is long.
  if (gone.size === 0) return
  for (const routes of table.models.values())
    for (const holders of routes.holders.values())
      for (const peer of holders.unconfirmed) gone.delete(peer)
  for (const peer of gone) peers.delete(peer.name)
}
