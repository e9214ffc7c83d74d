import {
  bounded,
  type ClusterState,
  eventsOfShards,
  isOfShards,
  type JobRecord,
  type LogRecord,
  type ModelRecord,
  modelId,
  type NodeRecord,
  nodeName,
  type VersionRecord,
} from '@almanac/shared'
import type { Static } from 'typebox'
import { isResting, type Peer } from '../routing/peer.ts'
import type { LogView as Log } from '../view/log-fold.ts'
import type { JobLogView, JobView, LogView, ModelView, NodeView, VersionView } from './schemas.ts'

/** Records as clients see them: what follows from several records is worked out here. */
export function presentModel(
  state: ClusterState,
  tenant: string,
  model: string,
  record: ModelRecord,
): Static<typeof ModelView> {
  const id = modelId({ tenant, model })
  const { serving, target, previous, hold, changes, createdAt } = record
  const known = [...(state.versions.get(id)?.keys() ?? [])].filter((n) => n > record.floor)
  const wants = [...new Set([serving, target])].filter((n) => n !== null)
  const nodes = [...state.nodes]
    .filter(([, { value }]) => value.roles.includes('serve'))
    .map(([node]) => {
      const said = state.nodeModels.get(node)?.get(id)?.value
      return { node, wants, loaded: said?.loaded ?? [], failed: said?.failed ?? [] }
    })
  const latest = known.length === 0 ? null : Math.max(...known)
  return { model, serving, target, previous, latest, hold, changes, createdAt, nodes }
}

export function presentVersion(
  model: string,
  record: ModelRecord | undefined,
  version: VersionRecord,
  log: Log,
  id: string,
  collected: boolean,
): Static<typeof VersionView> {
  const { job, spec, dataset, base, sizeBytes, sha256, metrics, error, times } = version
  return {
    model,
    version: version.version,
    state: stateOf(record, version, log.served(id, version.version)),
    collected,
    job,
    spec,
    bounds: version.bounds ?? null,
    observations: dataset.observations,
    series: version.series ?? null,
    base: base?.version ?? null,
    why: version.why ?? null,
    accuracy: version.accuracy ? presentAccuracy(version.accuracy) : null,
    sizeBytes,
    sha256,
    metrics,
    error,
    times,
  }
}

function presentAccuracy({ scale, updates }: NonNullable<VersionRecord['accuracy']>) {
  const each = updates.map(({ version, count, scaled }) => ({
    ...{ version, observations: count, mase: scaled / count },
  }))
  return { scale, updates: each }
}

/** `serving`, `loading`, `retired` and `superseded` follow from the model and are never stored. */
export function stateOf(
  record: ModelRecord | undefined,
  version: VersionRecord,
  hasServed: boolean,
): string {
  if (version.state !== 'stored' || record === undefined) return version.state
  if (record.serving === version.version) return 'serving'
  if (record.target === version.version) return 'loading'
  if (hasServed || record.previous === version.version) return 'retired'
  return version.version <= record.high ? 'superseded' : 'stored'
}

export function presentJob(state: ClusterState, job: JobRecord): Static<typeof JobView> {
  const { id, kind, subject, attempts, error, createdAt, endedAt } = job
  const { model, version } = subject
  const node = state.claims.get(id)?.value.node ?? null
  const series = seriesOf(state, job)
  const progress = progressOf(state, job, series)
  const what = { id, kind, model, version, state: job.state, attempts, progress, series }
  const { file, into, result } = job.prediction ?? {}
  const prediction = file && into ? { prediction: { file, into, result: result ?? null } } : {}
  return { ...what, node, error, why: job.why ?? null, createdAt, endedAt, ...prediction }
}

/** What its record says, and of shards that are not joined yet what theirs do. */
export function presentJobLog(state: ClusterState, job: JobRecord): Static<typeof JobLogView> {
  const shards = [...(state.shards.get(job.id) ?? [])].map(
    ([number, { value }]) => [number, value] as const,
  )
  const open = job.endedAt === null ? eventsOfShards(shards) : []
  const log = bounded([...(job.log ?? []), ...open])
  return { log: log.map(({ at, event, text, who }) => ({ at, event, text, who: who ?? null })) }
}

/** Of a job of shards what all nodes have done of it: series of a fit, else shards. */
function progressOf(
  state: ClusterState,
  { id, kind, progress, shards }: JobRecord,
  series: Static<typeof JobView>['series'],
): JobRecord['progress'] {
  if (kind === 'backtest' && progress.phase === 'judging')
    return { phase: 'judging', fraction: shardsDone(state, id) / Math.max(1, shards ?? 1) }
  if (!isOfShards(kind) || progress.phase !== 'fitting') return progress
  const { done, of } = series ?? { done: doneOf(state, id).length, of: shards ?? 0 }
  return { phase: 'fitting', fraction: of === 0 ? 0 : done / of }
}

/**
 * How many series of a fit in shards are fitted: those of the shards that are, and about as many as
 * their nodes say of those under way, which are taken for equally large.
 */
function seriesOf(state: ClusterState, job: JobRecord) {
  const { id, kind, subject, state: ended, shards = 1 } = job
  const of = state.versions.get(modelId(subject))?.get(subject.version)?.value.series
  if (kind !== 'fit-shards' || of === undefined) return null
  if (ended === 'done') return { done: of, of }
  const fitted = doneOf(state, id)
  const done = fitted.reduce((sum, { series }) => sum + series, 0)
  const each = (of - done) / Math.max(1, shards - fitted.length)
  return { done: done + Math.floor((shardsDone(state, id) - fitted.length) * each), of }
}

/** How many shards are done, with parts of those that are under way. */
const shardsDone = (state: ClusterState, job: string) =>
  [...(state.shards.get(job)?.values() ?? [])].reduce(
    (sum, { value: { fitted, progress = 0 } }) => sum + (fitted ? 1 : progress),
    0,
  )

const doneOf = (state: ClusterState, job: string) =>
  [...(state.shards.get(job)?.values() ?? [])].flatMap(({ value: { fitted } }) => fitted ?? [])

export function presentLog(n: number, entry: LogRecord): Static<typeof LogView> {
  const { from, to, why, who, at } = entry
  return { n, from, to, why, who, at }
}

export function presentNode(
  state: ClusterState,
  node: NodeRecord,
  tenant: string,
  peer: Peer | undefined,
  nowMs: number,
): Static<typeof NodeView> {
  const name = nodeName(node.ip, node.port)
  const { ip, port, instance, roles, capacity, startedAt } = node
  const models = [...(state.nodeModels.get(name) ?? [])]
    .filter(([id, { value }]) => id.startsWith(`${tenant}/`) && value.instance === instance)
    .map(([id, { value }]) => ({
      model: id.slice(tenant.length + 1),
      loaded: value.loaded,
      failed: value.failed,
    }))
  return {
    node: name,
    ip,
    port,
    instance,
    roles,
    capacity: { fits: capacity.fits, fitsBusy: capacity.fitsBusy },
    startedAt,
    requests: peer?.inFlight ?? 0,
    resting: peer !== undefined && isResting(peer, nowMs),
    models,
  }
}
