import type { ClusterState, Held, ModelRecord, NodeRecord, Touched } from '@almanac/shared'
import type { Peer } from './peer.ts'
import { ShardedMap } from './sharded-map.ts'

/** The peers that have one version of one model. */
export type Holders = {
  /** Registered, so they say that they have it. */
  readonly confirmed: readonly Peer[]
  /** Said so until their registration ended: perhaps cut off from etcd, and healthy. */
  readonly unconfirmed: readonly Peer[]
}

/** Where the requests of one model go. */
type Routes = {
  readonly tenant: string
  readonly model: string
  readonly record: ModelRecord
  readonly modRevision: number
  readonly holders: ReadonlyMap<number, Holders>
}

/** Immutable; the next one replaces it in one assignment. */
export type Table = {
  readonly revision: number
  readonly models: ShardedMap<Routes>
  /** Every node that serves: whom to ask for a version that nobody has loaded yet. */
  readonly serving: Holders
}

/** A node's own view of a model, newer than ours when it was heard. */
export type Hint = {
  readonly record: ModelRecord
  readonly modRevision: number
  /** Who said so: they surely have what they say is serving. */
  readonly peers: readonly Peer[]
}

export type TableInput = {
  readonly state: ClusterState
  readonly hints: ReadonlyMap<string, Hint>
  /** The peer of a registered node: the same object for the same instance. */
  readonly peerOf: (node: NodeRecord) => Peer
  readonly nowMs: number
  readonly unconfirmedNodeMs: number
}

export const emptyTable: Table = {
  revision: 0,
  models: ShardedMap.empty(),
  serving: { confirmed: [], unconfirmed: [] },
}

/** The next table. Only what was touched is computed; the rest is carried over as it is. */
export function nextTable(before: Table, touched: Touched, input: TableInput): Table {
  const { state } = input
  const ids = touched.all
    ? new Set([...before.models.keys(), ...state.models.keys(), ...input.hints.keys()])
    : modelsToRefresh(before, touched, input)
  const nodesChanged = touched.all || touched.nodes.size > 0
  if (ids.size === 0 && !nodesChanged) return { ...before, revision: state.revision }
  const changes = Array.from(ids, (id) => [id, routesOf(id, before.models.get(id), input)] as const)
  const serving = nodesChanged ? servingNodes(before.serving, input) : before.serving
  return { revision: state.revision, models: before.models.with(changes), serving }
}

/** The newer of what the watch and the nodes say about a model. Neither: it is not known. */
export function newestRecord(
  held: Held<ModelRecord> | undefined,
  hint: Hint | undefined,
): { readonly record: ModelRecord; readonly modRevision: number } | undefined {
  if (hint && hint.modRevision > (held?.modRevision ?? 0)) return hint
  return held && { record: held.value, modRevision: held.modRevision }
}

/**
 * All models of a node only where it is another one than before: its record also changes with each
 * fit that it takes, which routes nothing anew.
 */
function modelsToRefresh(before: Table, touched: Touched, input: TableInput): Set<string> {
  const { state, peerOf } = input
  const ids = new Set(touched.models)
  for (const name of touched.nodes) {
    const node = state.nodes.get(name)?.value
    const peer = node?.roles.includes('serve') ? peerOf(node) : undefined
    if (peer === before.serving.confirmed.find((known) => known.name === name)) continue
    for (const id of state.nodeModels.get(name)?.keys() ?? []) ids.add(id)
  }
  return ids
}

function routesOf(id: string, before: Routes | undefined, input: TableInput): Routes | undefined {
  const hint = input.hints.get(id)
  const newest = newestRecord(input.state.models.get(id), hint)
  if (newest === undefined || newest.record.deletedAt !== null) return undefined
  const [tenant = '', model = ''] = id.split('/')
  const holders = new Map<number, { confirmed: Peer[]; unconfirmed: Peer[] }>()
  const of = (version: number) => {
    const found = holders.get(version) ?? { confirmed: [], unconfirmed: [] }
    holders.set(version, found)
    return found
  }
  for (const [name, models] of input.state.nodeModels) {
    const node = input.state.nodes.get(name)?.value
    const loaded = models.get(id)?.value
    if (!node?.roles.includes('serve') || loaded?.instance !== node.instance) continue
    const peer = input.peerOf(node)
    for (const version of loaded.loaded) of(version).confirmed.push(peer)
  }
  for (const [version, former] of before?.holders ?? [])
    of(version).unconfirmed.push(...stillUnconfirmed(former, input))
  if (hint && newest.record === hint.record && hint.record.serving !== null)
    addHinted(of(hint.record.serving), hint.peers)
  for (const [version, { confirmed, unconfirmed }] of holders)
    if (confirmed.length + unconfirmed.length === 0) holders.delete(version)
  return { tenant, model, record: newest.record, modRevision: newest.modRevision, holders }
}

/** Those who said what serves are asked for it even before their registration is seen here. */
function addHinted(holders: { confirmed: Peer[]; unconfirmed: Peer[] }, peers: readonly Peer[]) {
  const known = new Set([...holders.confirmed, ...holders.unconfirmed])
  for (const peer of peers)
    if (!known.has(peer))
      (peer.goneAtMs === null ? holders.confirmed : holders.unconfirmed).push(peer)
}

function servingNodes(before: Holders, input: TableInput): Holders {
  const confirmed: Peer[] = []
  for (const { value: node } of input.state.nodes.values())
    if (node.roles.includes('serve')) confirmed.push(input.peerOf(node))
  return { confirmed, unconfirmed: stillUnconfirmed(before, input) }
}

/** The newest of them are kept when there are too many, as when nodes come and go all the time. */
const unconfirmedMax = 64

function stillUnconfirmed(before: Holders, input: TableInput): Peer[] {
  const gone = [...before.confirmed, ...before.unconfirmed].filter(
    (peer) =>
      !input.state.nodes.has(peer.name) &&
      input.nowMs - (peer.goneAtMs ?? input.nowMs) < input.unconfirmedNodeMs,
  )
  return [...new Set(gone)].slice(-unconfirmedMax)
}
