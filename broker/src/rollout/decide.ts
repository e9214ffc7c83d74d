import type {
  ClusterState,
  Held,
  ModelRecord,
  NodeModelRecord,
  VersionRecord,
} from '@almanac/shared'
import { nodeModelKey } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'

/** What a serving node says about one model. */
export type ServingNode = {
  readonly name: string
  /** The key of what it says, for comparing that it still says so. */
  readonly key: string
  readonly said: Held<NodeModelRecord> | undefined
}

export type RolloutView = {
  readonly record: ModelRecord
  readonly versions: ReadonlyMap<number, Held<VersionRecord>>
  readonly nodes: readonly ServingNode[]
  /** For how long this target was seen while it could have made progress. */
  readonly targetAgeMs: number
}

/** What should be done about one model now. */
export type Action =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'target'; readonly version: number }
  | { readonly kind: 'promote'; readonly version: number; readonly holders: readonly ServingNode[] }
  | {
      readonly kind: 'give-up'
      readonly version: number
      readonly reason: string
      readonly detail: string
      /** Whether the version itself is to blame, and is marked failed. */
      readonly blame: boolean
    }

type DecideBounds = Pick<Bounds, 'promotionPatienceMs' | 'rolloutDeadlineMs' | 'rolloutUnreadMs'>

/** The next step of a model's rollout: a function of what is seen, and of nothing else. */
export function decide(view: RolloutView, bounds: DecideBounds): Action {
  const { record } = view
  if (record.deletedAt !== null) return nothing
  if (record.target === record.serving) return nextTarget(view)
  // Only a serving version can be without a target: every rollout ends in one of the two.
  if (record.target === null) return nothing
  const hopeless = whyHopeless(view, record.target)
  if (hopeless) return giveUp(view, record.target, hopeless)
  const holders = holdersOf(view, record.target)
  if (isReady(view, holders.length, bounds))
    return { kind: 'promote', version: record.target, holders }
  const isUnread = view.nodes.some(({ said }) => faultOf(said?.value, record.target!)?.retriable)
  const deadlineMs = isUnread ? bounds.rolloutUnreadMs : bounds.rolloutDeadlineMs
  if (view.targetAgeMs < deadlineMs) return nothing
  return giveUp(view, record.target, {
    reason: 'deadline',
    detail:
      `After ${deadlineMs} ms ${holders.length} of ${view.nodes.length} nodes had ` +
      `it. ${faultsOf(view, record.target)}`.trim(),
  })
}

/** The nodes that serve, with what they say about a model. */
export function servingNodes(state: ClusterState, id: string): readonly ServingNode[] {
  const [tenant = '', model = ''] = id.split('/')
  const nodes: ServingNode[] = []
  for (const [name, { value: node }] of state.nodes) {
    if (!node.roles.includes('serve')) continue
    const said = state.nodeModels.get(name)?.get(id)
    const isHis = said?.value.instance === node.instance
    nodes.push({
      name,
      key: nodeModelKey(name, { tenant, model }),
      said: isHis ? said : undefined,
    })
  }
  return nodes
}

const nothing: Action = { kind: 'nothing' }

function nextTarget({ record, versions }: RolloutView): Action {
  if (record.hold) return nothing
  let newest = 0
  for (const { value } of versions.values())
    if (value.state === 'stored' && value.version > newest) newest = value.version
  return newest > record.high ? { kind: 'target', version: newest } : nothing
}

/** As many as hold the serving version; later a majority of them; at least one. */
function isReady(view: RolloutView, count: number, bounds: DecideBounds): boolean {
  if (count === 0) return false
  const isPatient = view.targetAgeMs < bounds.promotionPatienceMs
  const { serving } = view.record
  if (serving === null) return count === view.nodes.length || !isPatient
  const now = holdersOf(view, serving).length
  return count >= now || (!isPatient && count * 2 > now)
}

function holdersOf(view: RolloutView, version: number): readonly ServingNode[] {
  return view.nodes.filter(({ said }) => said?.value.loaded.includes(version))
}

type Hopeless = { readonly reason: string; readonly detail: string }

function whyHopeless(view: RolloutView, target: number): Hopeless | undefined {
  const version = view.versions.get(target)?.value
  if (version === undefined) return { reason: 'gone', detail: 'Its record is gone.' }
  if (version.state !== 'stored')
    return { reason: 'not-stored', detail: `It is ${version.state}, not stored.` }
  const faults = view.nodes.map(({ said }) => faultOf(said?.value, target))
  const isRefusedByAll = faults.length > 0 && faults.every((fault) => fault && !fault.retriable)
  if (!isRefusedByAll) return undefined
  const reason = faults[0]?.reason.split(/[:\s]/, 1)[0] || 'not-loadable'
  return { reason: reason.slice(0, 100), detail: `No node can load it. ${faultsOf(view, target)}` }
}

function giveUp(view: RolloutView, version: number, { reason, detail }: Hopeless): Action {
  const isDamaged = reason === 'checksum'
  const isStored = view.versions.get(version)?.value.state === 'stored'
  // A version that served before is not at fault when it could not be rolled back to in time.
  const blame = isStored && (view.record.why === 'fit' || isDamaged)
  return { kind: 'give-up', version, reason, detail: detail.slice(0, 2_000), blame }
}

function faultOf(said: NodeModelRecord | undefined, version: number) {
  return said?.failed.find((fault) => fault.version === version)
}

function faultsOf(view: RolloutView, version: number): string {
  const faults = view.nodes.flatMap(({ name, said }) => {
    const fault = faultOf(said?.value, version)
    return fault ? [`${name}: ${fault.reason}`] : []
  })
  return faults.slice(0, 5).join('; ')
}
