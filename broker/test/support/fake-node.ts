import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  absent,
  type ClusterState,
  type Coordinator,
  claimKey,
  codecs,
  createClusterFold,
  createdAt,
  headers,
  jobKey,
  type Lease,
  looksPath,
  modelId,
  modifiedAt,
  type NodeModelRecord,
  nodeKey,
  nodeModelKey,
  nodeName,
  present,
  put,
  remove,
  versionKey,
  type Watch,
} from '@almanac/shared'

export type Asked = {
  readonly tenant: string
  readonly model: string
  readonly version: number
  readonly horizon: number
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
}

/** What the node says instead of its usual answer; `hang` says nothing until the caller leaves. */
export type Scripted =
  | { readonly status: number; readonly body?: unknown; readonly version?: number }
  | 'hang'
  | 'cut'
  | undefined

export type FakeNode = {
  readonly name: string
  readonly instance: string
  readonly asked: Asked[]
  readonly orders: string[]
  readonly looks: unknown[]
  /** Clients that left before they were answered. */
  readonly abandoned: () => number
  script: {
    forecast?: ((asked: Asked) => Scripted | Promise<Scripted>) | undefined
    /** What becomes of an order: fitted at once, claimed and left alone, ignored, refused. */
    fit: 'store' | 'claim' | 'ignore' | 'full' | 'fail'
    /** What it says of files; absent: it is of a release without looks. */
    look?: { readonly status: number; readonly body: unknown } | 'cut'
    /** Loads what is wanted, says that it cannot, or does nothing. */
    load: 'all' | 'none' | 'refuse' | 'stumble'
  }
  /** Registers what is wanted now (the watch does so by itself). */
  readonly say: (model: string, said: Partial<NodeModelRecord>) => Promise<void>
  /** Ends the claim of a job as if this node had died. */
  readonly dropClaim: (job: string) => Promise<void>
  /** The registration ends; the process goes on answering. */
  readonly loseLease: () => Promise<void>
  readonly register: () => Promise<void>
  /** No connection is taken any more, as after a SIGKILL; the registration stays. */
  readonly kill: () => Promise<void>
  readonly close: () => Promise<void>
}

export type FakeNodeOptions = {
  readonly coordinator: Coordinator
  readonly roles?: ('fit' | 'serve')[]
  readonly port?: number
}

const signal = () => AbortSignal.timeout(5_000)
let instances = 0

/** A node without an engine: it keeps the protocol, and its forecasts are its version numbers. */
export async function startFakeNode(options: FakeNodeOptions): Promise<FakeNode> {
  const { coordinator, roles = ['fit', 'serve'] } = options
  const clusterId = await coordinator.clusterId(signal())
  instances += 1
  const instance = `fake-${process.pid}-${instances}`
  const said = new Map<string, NodeModelRecord>()
  const claims = new Map<string, Lease>()
  const fold = createClusterFold((key, fault) => {
    throw new Error(`${key}: ${fault}`)
  })
  let lease: Lease | undefined
  let isClosed = false
  let abandoned = 0

  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const name = nodeName('127.0.0.1', port)

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const isMeant =
      request.headers[headers.cluster] === clusterId &&
      request.headers[headers.instance] === instance
    if (!isMeant) return sendJson(response, 421, { type: 'misdirected' })
    const url = new URL(request.url ?? '/', 'http://node')
    if (url.pathname === looksPath) return await look(request, response)
    if (request.method === 'POST') return await takeOrder(request, response)
    const [, , , , tenant = '', model = '', version = '', horizon = ''] = url.pathname.split('/')
    const asked: Asked = {
      tenant,
      model,
      version: Number(version),
      horizon: Number(horizon),
      query: url.searchParams,
      headers: request.headers,
    }
    node.asked.push(asked)
    response.once('close', () => {
      if (!response.writableFinished) abandoned += 1
    })
    await answer(asked, response)
  }
  const answer = async (asked: Asked, response: ServerResponse) => {
    const scripted = await node.script.forecast?.(asked)
    if (scripted === 'hang') return
    if (scripted === 'cut') return response.destroy()
    if (scripted) {
      const { status, version, body = { type: 'scripted', status } } = scripted
      return sendJson(response, status, body, version)
    }
    const has = said.get(`${asked.tenant}/${asked.model}`)?.loaded.includes(asked.version)
    if (!has && !asked.query.has('load')) return sendJson(response, 409, notLoaded(asked))
    sendJson(response, 200, { data: Array(asked.horizon).fill(asked.version) }, asked.version)
  }
  const notLoaded = ({ tenant, model, version }: Asked) => {
    const held = fold.state.models.get(modelId({ tenant, model }))
    const record = held?.text ?? null
    const { modRevision = 0 } = held ?? {}
    return { type: 'not-loaded', tenant, model, version, record, modRevision }
  }
  const look = async (request: IncomingMessage, response: ServerResponse) => {
    let text = ''
    for await (const chunk of request) text += chunk
    node.looks.push(JSON.parse(text))
    const said = node.script.look
    if (said === 'cut') response.destroy()
    else sendJson(response, said?.status ?? 404, said?.body ?? { type: 'no-such-route' })
  }
  const takeOrder = async (request: IncomingMessage, response: ServerResponse) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const { job } = JSON.parse(text) as { job: string }
    node.orders.push(job)
    if (node.script.fit === 'full') return sendJson(response, 429, { type: 'full' })
    sendJson(response, 202, { job, state: 'accepted' })
    if (node.script.fit !== 'ignore') await work(job)
  }
  const work = async (job: string) => {
    const claimed = await claimJob(coordinator, job, { name, instance }, claims)
    if (!claimed || node.script.fit === 'claim') return
    await endJob(coordinator, job, claimed, node.script.fit === 'fail')
    await claims.get(job)?.revoke(signal())
    claims.delete(job)
  }
  const say = async (id: string, change: Partial<NodeModelRecord>) => {
    const [tenant = '', model = ''] = id.split('/')
    const before = said.get(id) ?? { instance, loaded: [], failed: [] }
    const now = { ...before, ...change }
    said.set(id, now)
    if (!lease) return
    const value = codecs.nodeModel.encode(now)
    const key = nodeModelKey(name, { tenant, model })
    await coordinator.transact({ when: [], then: [put(key, value, lease.id)] }, signal())
  }
  const register = async () => {
    lease = await coordinator.grantLease(10_000, signal())
    const record = codecs.node.encode({
      ip: '127.0.0.1',
      port,
      instance,
      roles,
      capacity: { fits: 4, fitsBusy: 0 },
      protocol: 1,
      formats: [1],
      startedAt: new Date().toISOString(),
    })
    const models = [...said].map(([id, value]) => {
      const [tenant = '', model = ''] = id.split('/')
      const key = nodeModelKey(name, { tenant, model })
      return put(key, codecs.nodeModel.encode(value), lease?.id)
    })
    const then = [put(nodeKey(name), record, lease.id), ...models]
    await coordinator.transact({ when: [], then }, signal())
  }
  const want = () => {
    if (isClosed || !roles.includes('serve')) return
    for (const id of fold.state.models.keys()) {
      const change = wantedChange(fold.state, id, said.get(id), node.script.load)
      if (change) void say(id, change).catch(() => {})
    }
  }
  const watch: { current?: Watch } = {}
  const node: FakeNode = {
    name,
    instance,
    asked: [],
    orders: [],
    looks: [],
    abandoned: () => abandoned,
    script: { fit: 'store', load: 'all' },
    say,
    dropClaim: async (job) => {
      await claims.get(job)?.revoke(signal())
      claims.delete(job)
    },
    loseLease: async () => {
      const lost = lease
      lease = undefined
      await lost?.revoke(signal())
    },
    register,
    kill: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    close: async () => {
      isClosed = true
      await watch.current?.stop()
      await lease?.revoke(signal()).catch(() => {})
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  watch.current = coordinator.watch('/', (event) => {
    fold.apply(event)
    want()
  })
  await register()
  return node
}

function wantedChange(
  state: ClusterState,
  id: string,
  said: NodeModelRecord | undefined,
  load: FakeNode['script']['load'],
): Partial<NodeModelRecord> | undefined {
  const record = state.models.get(id)?.value
  if (!record || load === 'none') return undefined
  const wanted = [record.serving, record.target, record.previous].filter((v) => v !== null)
  const isSaid = (version: number) =>
    said?.loaded.includes(version) || said?.failed.some((fault) => fault.version === version)
  const missing = [...new Set(wanted)].filter((version) => !isSaid(version))
  if (missing.length === 0) return undefined
  if (load === 'all') return { loaded: [...(said?.loaded ?? []), ...missing] }
  const retriable = load === 'stumble'
  const faults = missing.map((version) => ({ version, reason: 'checksum: scripted', retriable }))
  return { failed: [...(said?.failed ?? []), ...faults] }
}

async function claimJob(
  coordinator: Coordinator,
  job: string,
  who: { name: string; instance: string },
  claims: Map<string, Lease>,
) {
  const entry = await coordinator.get(jobKey(job), signal())
  const record = entry && codecs.job.decode(entry.value)
  if (!entry || !record?.ok || record.value.endedAt !== null) return undefined
  const { subject } = record.value
  const name = versionKey(subject, subject.version)
  const version = await coordinator.get(name, signal())
  const decoded = version && codecs.version.decode(version.value)
  if (!version || !decoded?.ok) return undefined
  const lease = await coordinator.grantLease(10_000, signal())
  const now = new Date().toISOString()
  const claim = codecs.claim.encode({ node: who.name, instance: who.instance, since: now })
  const { attempts } = record.value
  const running = { ...record.value, state: 'running' as const, attempts: attempts + 1 }
  const { succeeded, revision } = await coordinator.transact(
    {
      when: [
        absent(claimKey(job)),
        modifiedAt(jobKey(job), entry.modRevision),
        modifiedAt(name, version.modRevision),
      ],
      then: [
        put(claimKey(job), claim, lease.id),
        put(jobKey(job), codecs.job.encode(running)),
        put(name, codecs.version.encode({ ...decoded.value, state: 'fitting' })),
      ],
    },
    signal(),
  )
  if (!succeeded) {
    await lease.revoke(signal())
    return undefined
  }
  claims.set(job, lease)
  return { fence: revision, running, version: decoded.value, name }
}

async function endJob(
  coordinator: Coordinator,
  job: string,
  claimed: NonNullable<Awaited<ReturnType<typeof claimJob>>>,
  isFailure: boolean,
): Promise<void> {
  const { fence, running, version, name } = claimed
  const now = new Date().toISOString()
  const error = { phase: 'fit' as const, reason: 'scripted', detail: 'The script says so.' }
  const ended = isFailure
    ? { ...version, state: 'failed' as const, error }
    : {
        ...version,
        state: 'stored' as const,
        blob: `blob-${job}`,
        sha256: 'a'.repeat(64),
        sizeBytes: 1,
      }
  const state = isFailure ? ('failed' as const) : ('done' as const)
  const done = { ...running, state, endedAt: now, error: isFailure ? error : null }
  await coordinator.transact(
    {
      when: [createdAt(claimKey(job), fence), modifiedAt(name, fence), present(jobKey(job))],
      then: [
        put(name, codecs.version.encode(ended)),
        put(jobKey(job), codecs.job.encode(done)),
        remove(claimKey(job)),
      ],
    },
    signal(),
  )
}

function sendJson(response: ServerResponse, status: number, body: unknown, version?: number) {
  const list: Record<string, string> = { 'content-type': 'application/json' }
  if (version !== undefined) list[headers.modelVersion] = String(version)
  response.writeHead(status, list)
  response.end(JSON.stringify(body))
}
