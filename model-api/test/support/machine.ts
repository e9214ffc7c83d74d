import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Coordinator,
  claimKey,
  codecs,
  createLogger,
  type Dataset,
  encodeDataset,
  headers,
  type JobRecord,
  jobKey,
  type ModelName,
  type ModelRecord,
  mintBlobId,
  modelKey,
  openEmbeddedCoordinator,
  openSqliteStore,
  put,
  type Store,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { expect, onTestFinished, vi } from 'vitest'
import { type NodeOptions, type RunningNode, startNode } from '../../src/index.ts'

// Threads and fits take their time on a machine that has other things to do.
vi.setConfig({ testTimeout: 90_000 })

/** A deadline for one step of a test. */
export const soon = () => AbortSignal.timeout(20_000)

export type Machine = { readonly coordinator: Coordinator; readonly store: Store }

/** A coordinator, embedded unless given, and a store of their own, gone after the test. */
export async function openMachine(given?: Coordinator): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-node-'))
  const path = join(folder, 'coordinator.sqlite')
  const coordinator = given ?? (await openEmbeddedCoordinator({ path }))
  const store = await openSqliteStore({ path: join(folder, 'store.sqlite') })
  onTestFinished(async () => {
    await coordinator.close()
    await store.close()
    await rm(folder, { recursive: true })
  })
  return { coordinator, store }
}

/** A node on loopback, stopped after the test. */
export async function openNode(
  machine: Machine,
  options: Partial<NodeOptions> = {},
): Promise<RunningNode> {
  const node = await startNode({
    ...machine,
    host: '127.0.0.1',
    port: 0,
    advertiseIp: '127.0.0.1',
    roles: ['fit', 'serve'],
    fitWorkers: 1,
    logger: createLogger({ process: 'test', level: process.env.ALMANAC_TEST_LOG ?? 'silent' }),
    token: null,
    ...options,
    timing: { reconcileMs: 500, progressMs: 50, drainAnswerMs: 100, ...options.timing },
  })
  onTestFinished(() => node.close())
  return node
}

export const nodeNameOf = (node: RunningNode) => `127.0.0.1_${node.port}`

export async function untilReady(node: RunningNode): Promise<void> {
  await until(async () => (await fetch(`${node.url}/readyz`)).status === 200)
}

/** Asks until it holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  withinMs = 40_000,
): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  while (!(await holds())) {
    expect(performance.now(), 'the condition did not come to hold').toBeLessThan(deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const quickSpec = {
  family: 'arima',
  p: 1,
  d: 0,
  q: 0,
  differenceLag: 0,
  constant: true,
} as const

/** A short series with something to estimate: the same at every call. */
export function shortSeries(length = 60): number[] {
  return Array.from({ length }, (_, i) => 10 + Math.sin(i * 1.7) + Math.cos(i * i))
}

export type Order = ModelName & { readonly version: number; readonly job: string }

/** What a broker leaves behind when it accepted a fit: data, job, version, and a model. */
export async function queueFit(
  { coordinator, store }: Machine,
  given: {
    model?: string
    version?: number
    spec?: unknown
    series?: Partial<Dataset['series'][number]>
    base?: VersionRecord['base']
    attempts?: number
  } = {},
): Promise<Order> {
  const { model = 'default', version = 1, spec = quickSpec, attempts = 0 } = given
  const of = { tenant: 'default', model }
  const series = { key: null, start: null, frequency: null, y: shortSeries(), ...given.series }
  const blob = mintBlobId()
  const content = encodeDataset({ format: 1, series: [series] })
  await store.writeBlob({ kind: 'dataset', id: blob, content, label: 'a test' }, soon())
  const job = randomUUID()
  const existing = await coordinator.get(modelKey(of), soon())
  const now = new Date().toISOString()
  const versionRecord: VersionRecord = {
    version,
    state: 'queued',
    job,
    spec,
    dataset: { blob, observations: series.y.length },
    ...(given.base ? { base: given.base } : {}),
    blob: null,
    sha256: null,
    sizeBytes: null,
    error: null,
    metrics: {},
    times: { createdAt: now, fittingAt: null, storedAt: null, failedAt: null },
  }
  const jobRecord: JobRecord = {
    id: job,
    kind: given.base ? 'update' : 'fit',
    subject: { ...of, version },
    state: 'queued',
    attempts,
    progress: { phase: 'queued', fraction: 0 },
    error: null,
    requestId: 'test',
    createdAt: now,
    endedAt: null,
  }
  const then = [
    put(jobKey(job), codecs.job.encode(jobRecord)),
    put(versionKey(of, version), codecs.version.encode(versionRecord)),
  ]
  if (!existing) then.push(put(modelKey(of), codecs.model.encode(newModel())))
  await coordinator.transact({ when: [], then }, soon())
  return { ...of, version, job }
}

export function newModel(given: Partial<ModelRecord> = {}): ModelRecord {
  return {
    serving: null,
    target: null,
    previous: null,
    high: 0,
    hold: false,
    changes: 0,
    floor: 0,
    why: 'fit',
    createdAt: new Date().toISOString(),
    deletedAt: null,
    ...given,
  }
}

export async function putModel(
  { coordinator }: Machine,
  of: ModelName,
  given: Partial<ModelRecord>,
): Promise<void> {
  const value = codecs.model.encode(newModel(given))
  await coordinator.transact({ when: [], then: [put(modelKey(of), value)] }, soon())
}

/** Orders a fit from a node, as brokers do. */
export async function order(machine: Machine, node: RunningNode, job: string): Promise<Response> {
  return fetch(`${node.url}/internal/v1/fits`, {
    method: 'POST',
    headers: { ...(await internalHeaders(machine, node)), 'content-type': 'application/json' },
    body: JSON.stringify({ job }),
  })
}

export async function forecast(
  machine: Machine,
  node: RunningNode,
  of: ModelName,
  version: number,
  rest = '5',
): Promise<Response> {
  const path = `/internal/v1/forecast/${of.tenant}/${of.model}/${version}/${rest}`
  return fetch(`${node.url}${path}`, { headers: await internalHeaders(machine, node) })
}

export async function internalHeaders(
  { coordinator }: Machine,
  node: RunningNode,
): Promise<Record<string, string>> {
  return {
    [headers.cluster]: await coordinator.clusterId(soon()),
    [headers.instance]: node.instance,
  }
}

export async function readJob({ coordinator }: Machine, id: string): Promise<JobRecord> {
  return decoded(codecs.job, (await coordinator.get(jobKey(id), soon()))?.value)
}

export async function readVersion({ coordinator }: Machine, of: Order): Promise<VersionRecord> {
  return decoded(codecs.version, (await coordinator.get(versionKey(of, of.version), soon()))?.value)
}

export async function claimed({ coordinator }: Machine, job: string): Promise<boolean> {
  return (await coordinator.get(claimKey(job), soon())) !== undefined
}

export async function untilJob(
  machine: Machine,
  of: Order,
  state: JobRecord['state'],
): Promise<JobRecord> {
  await until(async () => (await readJob(machine, of.job)).state === state)
  return readJob(machine, of.job)
}

/** Fits on the node and makes the version serve, as brokers do. */
export async function fitAndServe(
  machine: Machine,
  node: RunningNode,
  given: Parameters<typeof queueFit>[1] = {},
): Promise<Order> {
  const of = await queueFit(machine, given)
  await order(machine, node, of.job)
  await untilJob(machine, of, 'done')
  await serve(machine, of)
  return of
}

export async function serve(machine: Machine, { version, ...of }: Order): Promise<void> {
  await putModel(machine, of, { serving: version, target: version, high: version })
}

export async function untilLoaded(machine: Machine, node: RunningNode, of: Order): Promise<void> {
  await until(async () => (await forecast(machine, node, of, of.version, '1')).status === 200)
}

function decoded<T>(
  values: { decode(text: string): { ok: true; value: T } | { ok: false; fault: string } },
  text: string | undefined,
): T {
  const value = values.decode(text ?? 'null')
  if (!value.ok) throw new Error(value.fault)
  return value.value
}
