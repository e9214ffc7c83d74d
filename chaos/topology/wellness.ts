import { setTimeout as delay } from 'node:timers/promises'
import { type Codec, codec, codecs, parseKey } from '@almanac/shared'
import { Type } from 'typebox'
import type { EtcdAdmin, Part, Wellness } from './topology.ts'

type Parts = {
  readonly brokers: readonly Part[]
  readonly nodes: readonly Part[]
  readonly etcd: readonly Part[]
  readonly cql: Part
  readonly admin: EtcdAdmin
}

/** How a cluster is when nothing is wrong with it; what is missing, as sentences. */
export async function untilWell(
  parts: Parts,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Wellness> {
  const startedMs = performance.now()
  for (;;) {
    const missing = await missingOf(parts)
    const tookMs = Math.round(performance.now() - startedMs)
    if (missing.length === 0 || tookMs > timeoutMs || signal.aborted) return { tookMs, missing }
    await delay(pauseMs, undefined, { signal }).catch(() => {})
  }
}

const pauseMs = 100
const callTimeoutMs = 2_000

async function missingOf(parts: Parts): Promise<string[]> {
  const processes = [...parts.brokers, ...parts.nodes, ...parts.etcd, parts.cql]
  const away = processes.flatMap(({ name, pid, isPaused }) =>
    pid === undefined ? [`${name} does not run`] : isPaused ? [`${name} is paused`] : [],
  )
  if (away.length > 0) return away
  try {
    const states = await Promise.all(parts.nodes.map((node) => nodeState(node)))
    const truth = truthOf(await parts.admin.read('/'))
    const views = await Promise.all(parts.brokers.map((broker) => brokerView(broker)))
    return [
      ...states.flatMap(({ missing }) => missing),
      ...missingInTruth(truth, states),
      ...views.flatMap((view) => missingInView(view, truth)),
      ...(await missingForecasts(parts.brokers, truth)),
    ]
  } catch (error) {
    return [(error as Error).message]
  }
}

type NodeState = {
  readonly node: string
  readonly instance: string
  readonly missing: readonly string[]
}

const NodeStateBody = codec(
  Type.Object({
    node: Type.String(),
    instance: Type.String(),
    view: Type.Object({ stale: Type.Boolean() }),
    settled: Type.Boolean(),
  }),
)

async function nodeState({ name, url }: Part): Promise<NodeState> {
  const { node, instance, view, settled } = await get(NodeStateBody, `${url}/internal/v1/state`)
  const missing = [
    ...((await isReady(url)) ? [] : [`${name} is not ready`]),
    ...(view.stale ? [`${name} has no live watch`] : []),
    ...(settled ? [] : [`${name} has not loaded all that it should`]),
  ]
  return { node, instance, missing }
}

type Truth = {
  /** What serves, by `{tenant}/{model}`. */
  readonly serving: ReadonlyMap<string, number>
  readonly rollouts: readonly string[]
  readonly openJobs: readonly string[]
  /** Instances by node. */
  readonly nodes: ReadonlyMap<string, string>
  /** Versions by node and model. */
  readonly loaded: ReadonlyMap<string, readonly number[]>
}

function truthOf(entries: ReadonlyMap<string, string>): Truth {
  const serving = new Map<string, number>()
  const rollouts: string[] = []
  const openJobs: string[] = []
  const nodes = new Map<string, string>()
  const loaded = new Map<string, readonly number[]>()
  for (const [key, value] of entries) {
    const parsed = parseKey(key)
    if (parsed.kind === 'model') {
      const model = codecs.model.decode(value)
      if (!model.ok || model.value.deletedAt !== null) continue
      const id = `${parsed.tenant}/${parsed.model}`
      if (model.value.serving !== null) serving.set(id, model.value.serving)
      if (model.value.target !== model.value.serving)
        rollouts.push(`${id} is on its way to ${model.value.target}`)
    } else if (parsed.kind === 'job') {
      const job = codecs.job.decode(value)
      if (job.ok && (job.value.state === 'queued' || job.value.state === 'running'))
        openJobs.push(`job ${parsed.id} is ${job.value.state}`)
    } else if (parsed.kind === 'node') {
      const node = codecs.node.decode(value)
      if (node.ok) nodes.set(parsed.node, node.value.instance)
    } else if (parsed.kind === 'node-model') {
      const has = codecs.nodeModel.decode(value)
      if (has.ok) loaded.set(holding(parsed.node, parsed), has.value.loaded)
    }
  }
  return { serving, rollouts, openJobs, nodes, loaded }
}

const holding = (node: string, { tenant, model }: { tenant: string; model: string }) =>
  `${node} ${tenant}/${model}`

function missingInTruth(truth: Truth, states: readonly NodeState[]): string[] {
  const { serving, nodes, loaded } = truth
  const unregistered = states
    .filter(({ node, instance }) => nodes.get(node) !== instance)
    .map(({ node }) => `${node} is not registered`)
  const unloaded = states.flatMap(({ node }) =>
    [...serving]
      .filter(([model, version]) => !loaded.get(`${node} ${model}`)?.includes(version))
      .map(([model, version]) => `${node} has not loaded version ${version} of ${model}`),
  )
  return [...unregistered, ...truth.rollouts, ...truth.openJobs, ...unloaded]
}

type BrokerView = {
  readonly name: string
  readonly isReady: boolean
  readonly nodes: ReadonlyMap<string, string>
  readonly serving: ReadonlyMap<string, number | null>
}

const NodesBody = codec(
  Type.Object({
    nodes: Type.Array(Type.Object({ node: Type.String(), instance: Type.String() })),
  }),
)
const JobsBody = codec(Type.Object({ jobs: Type.Array(Type.Object({ id: Type.String() })) }))
const ModelsBody = codec(
  Type.Object({
    models: Type.Array(
      Type.Object({ model: Type.String(), serving: Type.Union([Type.Integer(), Type.Null()]) }),
    ),
  }),
)

async function brokerView({ name, url }: Part): Promise<BrokerView> {
  const { nodes } = await get(NodesBody, `${url}/api/nodes?limit=100`)
  // It reads from the store as well, and says so when it cannot.
  await get(JobsBody, `${url}/api/jobs?limit=1`)
  const { models } = await get(ModelsBody, `${url}/api/models?limit=100`)
  return {
    name,
    isReady: await isReady(url),
    nodes: new Map(nodes.map(({ node, instance }) => [node, instance])),
    serving: new Map(models.map(({ model, serving }) => [`default/${model}`, serving])),
  }
}

function missingInView({ name, isReady, nodes, serving }: BrokerView, truth: Truth): string[] {
  const unseen = [...truth.nodes]
    .filter(([node, instance]) => nodes.get(node) !== instance)
    .map(([node]) => `${name} does not see ${node}`)
  const stale = [...truth.serving]
    .filter(([model, version]) => serving.get(model) !== version)
    .map(([model, version]) => `${name} does not see that ${model} serves ${version}`)
  return [...(isReady ? [] : [`${name} is not ready`]), ...unseen, ...stale]
}

async function missingForecasts(brokers: readonly Part[], truth: Truth): Promise<string[]> {
  const all = brokers.flatMap(({ name, url }) =>
    [...truth.serving].map(async ([id, version]) => {
      const model = id.slice(id.indexOf('/') + 1)
      const response = await fetch(`${url}/api/models/${model}/forecast/1`, deadline())
      await response.arrayBuffer()
      const said = response.headers.get('x-model-version')
      if (response.status === 200 && said === String(version)) return []
      return [`${name} answers ${response.status}, version ${said}, for ${model}`]
    }),
  )
  return (await Promise.all(all)).flat()
}

async function get<T>(body: Codec<T>, url: string): Promise<T> {
  const response = await fetch(url, deadline())
  const text = await response.text()
  const decoded = body.decode(text)
  if (response.ok && decoded.ok) return decoded.value
  throw new Error(`${url} answers ${response.status} ${text.slice(0, 200)}`)
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`, deadline())
  await response.arrayBuffer()
  return response.ok
}

const deadline = () => ({ signal: AbortSignal.timeout(callTimeoutMs) })
