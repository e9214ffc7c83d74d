import type { Change, Entry, WatchEvent } from '../coordination/port.ts'
import { type Codec, codec } from '../wire/codec.ts'
import { type ParsedKey, parseKey } from '../wire/keys.ts'
import {
  ClaimRecord,
  JobRecord,
  ModelRecord,
  NodeModelRecord,
  NodeRecord,
  ShardRecord,
  VersionRecord,
} from '../wire/records.ts'

/** A checked value with what a transaction needs to compare. */
export type Held<T> = {
  readonly value: T
  readonly text: string
  readonly createRevision: number
  readonly modRevision: number
  readonly lease: string | null
}

export const codecs = {
  model: codec(ModelRecord),
  version: codec(VersionRecord),
  job: codec(JobRecord),
  claim: codec(ClaimRecord),
  node: codec(NodeRecord),
  nodeModel: codec(NodeModelRecord),
  shard: codec(ShardRecord),
} as const

/**
 * The cluster as a fold: a snapshot at a revision plus the changes after it. Broker and node look
 * at the same one. Model ids are `{tenant}/{model}`.
 */
export type ClusterState = {
  readonly revision: number
  readonly models: ReadonlyMap<string, Held<ModelRecord>>
  readonly versions: ReadonlyMap<string, ReadonlyMap<number, Held<VersionRecord>>>
  readonly jobs: ReadonlyMap<string, Held<JobRecord>>
  readonly claims: ReadonlyMap<string, Held<ClaimRecord>>
  /** By job, then by number. */
  readonly shards: ReadonlyMap<string, ReadonlyMap<number, Held<ShardRecord>>>
  readonly shardClaims: ReadonlyMap<string, ReadonlyMap<number, Held<ClaimRecord>>>
  readonly nodes: ReadonlyMap<string, Held<NodeRecord>>
  /** By node, then by model id. */
  readonly nodeModels: ReadonlyMap<string, ReadonlyMap<string, Held<NodeModelRecord>>>
}

/** What an event touched, so that its readers need not look at everything. */
export type Touched = {
  /** The event replaced everything. */
  readonly all: boolean
  readonly models: ReadonlySet<string>
  readonly jobs: ReadonlySet<string>
  readonly nodes: ReadonlySet<string>
}

export type ClusterFold = {
  readonly state: ClusterState
  apply(event: WatchEvent): Touched
}

/** `report` is told of every value that does not fit its schema; the value is skipped. */
export function createClusterFold(report: (key: string, fault: string) => void): ClusterFold {
  const maps = createMaps()
  const state = { ...maps, revision: 0 }
  return {
    state,
    apply(event) {
      const touched = {
        all: false,
        models: new Set<string>(),
        jobs: new Set<string>(),
        nodes: new Set<string>(),
      }
      state.revision = event.revision
      if (event.kind === 'progress') return touched
      if (event.kind === 'snapshot') {
        touched.all = true
        for (const map of Object.values(maps)) map.clear()
      }
      const changes: readonly Change[] =
        event.kind === 'changes'
          ? event.changes
          : event.entries.map((entry) => ({ kind: 'put', entry }))
      for (const change of changes) applyChange(maps, change, touched, report)
      return touched
    },
  }
}

export const modelId = (of: { readonly tenant: string; readonly model: string }) =>
  `${of.tenant}/${of.model}`

function createMaps() {
  return {
    models: new Map<string, Held<ModelRecord>>(),
    versions: new Map<string, Map<number, Held<VersionRecord>>>(),
    jobs: new Map<string, Held<JobRecord>>(),
    claims: new Map<string, Held<ClaimRecord>>(),
    shards: new Map<string, Map<number, Held<ShardRecord>>>(),
    shardClaims: new Map<string, Map<number, Held<ClaimRecord>>>(),
    nodes: new Map<string, Held<NodeRecord>>(),
    nodeModels: new Map<string, Map<string, Held<NodeModelRecord>>>(),
  }
}

type Maps = ReturnType<typeof createMaps>
type MutableTouched = { models: Set<string>; jobs: Set<string>; nodes: Set<string> }

function applyChange(
  maps: Maps,
  change: Change,
  touched: MutableTouched,
  report: (key: string, fault: string) => void,
): void {
  const key = change.kind === 'put' ? change.entry.key : change.key
  const entry = change.kind === 'put' ? change.entry : undefined
  const parsed = parseKey(key)
  mark(parsed, touched)
  const set = <K, V>(map: Map<K, Held<V>>, id: K, values: Codec<V>) => {
    const held = entry && hold(entry, values, report)
    if (held) map.set(id, held)
    else map.delete(id)
  }
  if (parsed.kind === 'model') set(maps.models, modelId(parsed), codecs.model)
  if (parsed.kind === 'version')
    inner(maps.versions, modelId(parsed), (map) => set(map, parsed.version, codecs.version))
  if (parsed.kind === 'job') set(maps.jobs, parsed.id, codecs.job)
  if (parsed.kind === 'claim') set(maps.claims, parsed.job, codecs.claim)
  if (parsed.kind === 'shard')
    inner(maps.shards, parsed.job, (map) => set(map, parsed.shard, codecs.shard))
  if (parsed.kind === 'shard-claim')
    inner(maps.shardClaims, parsed.job, (map) => set(map, parsed.shard, codecs.claim))
  if (parsed.kind === 'node') set(maps.nodes, parsed.node, codecs.node)
  if (parsed.kind === 'node-model')
    inner(maps.nodeModels, parsed.node, (map) => set(map, modelId(parsed), codecs.nodeModel))
}

function mark(parsed: ParsedKey, touched: MutableTouched): void {
  if (parsed.kind === 'model' || parsed.kind === 'version') touched.models.add(modelId(parsed))
  if (parsed.kind === 'job') touched.jobs.add(parsed.id)
  if (parsed.kind === 'claim' || parsed.kind === 'shard' || parsed.kind === 'shard-claim')
    touched.jobs.add(parsed.job)
  if (parsed.kind === 'node') touched.nodes.add(parsed.node)
  // What a node says about one model is news of that model: the node is as it was.
  if (parsed.kind === 'node-model') touched.models.add(modelId(parsed))
}

function inner<K, V>(
  outer: Map<string, Map<K, V>>,
  id: string,
  act: (map: Map<K, V>) => void,
): void {
  const map = outer.get(id) ?? new Map<K, V>()
  act(map)
  if (map.size > 0) outer.set(id, map)
  else outer.delete(id)
}

function hold<T>(
  entry: Entry,
  values: Codec<T>,
  report: (key: string, fault: string) => void,
): Held<T> | undefined {
  const decoded = values.decode(entry.value)
  if (!decoded.ok) {
    report(entry.key, decoded.fault)
    return undefined
  }
  const { createRevision, modRevision, lease, value: text } = entry
  return { value: decoded.value, text, createRevision, modRevision, lease }
}
