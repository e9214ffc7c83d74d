import {
  type Clock,
  type ClusterState,
  type FitOrder,
  fitsPath,
  type Held,
  isOfShards,
  type JobRecord,
  type Logger,
  type NodeRecord,
  type Random,
  type Touched,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { createPeer, type Peer } from '../routing/peer.ts'
import type { Upstream } from '../routing/upstream.ts'

/** Hands jobs that nobody works on to nodes. Claims make doubles harmless. */
export type Dispatcher = {
  /** This broker accepted the job: it is handed on at once. */
  readonly accepted: (job: string) => void
  readonly touch: (touched: Touched) => void
  readonly stop: () => void
}

export type DispatchParts = {
  readonly state: () => ClusterState
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly random: Random
  readonly bounds: Bounds
  readonly upstream: Upstream
  readonly headersFor: (peer: Peer, requestId: string) => string[]
  /** Every attempt was used up and nobody works on it: the fit fails. */
  readonly onExhausted: (job: Held<JobRecord>) => void
  readonly logger: Logger
}

type Waiting = {
  dueMs: number
  tries: number
  busy: boolean
  /** The node that took it, which may have it in its queue; and how often it said so. */
  acceptedBy: string | undefined
  accepted: number
  /** Since when no attempt is left, monotonic. */
  exhaustedMs: number | undefined
}

/** A node that takes an order so often and never begins is not the only one to be asked. */
const acceptedMax = 3

const tickMs = 100
/** Nodes that one job is offered to before it pauses. */
const offersMax = 8
/** Nodes that work on the shards of one job; more than one broker can ask in a moment. */
const offersToAllMax = 64

export function startDispatcher(parts: DispatchParts): Dispatcher {
  const { clock, bounds, random } = parts
  const waiting = new Map<string, Waiting>()
  /** Orders that a node took and that do not show in its registration yet. */
  const recent = new Map<string, number>()
  /** Jobs that were seen in somebody's hands: when those let go, it is soon anybody's turn. */
  const wereClaimed = new Set<string>()
  const accepted = new Set<string>()
  let atWork = 0

  const look = (id: string) => {
    const state = parts.state()
    const job = state.jobs.get(id)
    if (job === undefined || job.value.state === 'done' || job.value.state === 'failed') {
      waiting.delete(id)
      wereClaimed.delete(id)
      accepted.delete(id)
      return
    }
    if (!wantsHands(state, job.value)) {
      wereClaimed.add(id)
      waiting.delete(id)
      return
    }
    const known = waiting.get(id)
    if (known) {
      // Somebody has given an attempt back.
      if (known.exhaustedMs !== undefined && hasAttempts(job.value))
        known.dueMs = clock.monotonicMs()
      return
    }
    const isMine = accepted.delete(id)
    const patienceMs = wereClaimed.has(id) ? 100 : bounds.dispatchPatienceMs
    const delayMs = isMine ? 0 : patienceMs + random() * 100
    const dueMs = clock.monotonicMs() + delayMs
    const none = { acceptedBy: undefined, accepted: 0, exhaustedMs: undefined }
    waiting.set(id, { dueMs, tries: 0, busy: false, ...none })
  }
  const hasAttempts = ({ attempts }: JobRecord) => attempts < bounds.fitAttemptsMax
  /**
   * Nodes that live have some time to give theirs back, unless the last one came back by itself and
   * was spent: by then they had it.
   */
  const endExhausted = (job: Held<JobRecord>, entry: Waiting) => {
    const nowMs = clock.monotonicMs()
    entry.exhaustedMs ??= nowMs
    const graceMs = job.value.state === 'queued' ? 0 : bounds.exhaustedGraceMs
    const leftMs = entry.exhaustedMs + graceMs - nowMs
    entry.dueMs = nowMs + (leftMs > 0 ? leftMs : bounds.dispatchAgainMs)
    if (leftMs <= 0) parts.onExhausted(job)
  }
  const order = async (id: string, entry: Waiting) => {
    const job = parts.state().jobs.get(id)
    if (job === undefined) return
    if (!hasAttempts(job.value)) return endExhausted(job, entry)
    entry.exhaustedMs = undefined
    entry.busy = true
    atWork += 1
    try {
      const taker = await (isOfShards(job.value.kind)
        ? offerToAll(parts, job.value)
        : offer(parts, job.value, entry, recent))
      entry.accepted = taker !== undefined && taker === entry.acceptedBy ? entry.accepted + 1 : 1
      entry.acceptedBy = taker
      entry.tries = taker ? 0 : entry.tries + 1
      const pauseMs = Math.min(bounds.dispatchAgainMs, 100 * 2 ** Math.min(entry.tries, 10))
      const nextMs = taker ? bounds.dispatchAgainMs : pauseMs
      entry.dueMs = clock.monotonicMs() + nextMs * (0.75 + random() / 2)
    } finally {
      entry.busy = false
      atWork -= 1
    }
  }
  const run = () => {
    const nowMs = clock.monotonicMs()
    for (const [id, entry] of waiting) {
      if (atWork >= bounds.dispatchesMax) return
      if (!entry.busy && entry.dueMs <= nowMs) void order(id, entry)
    }
  }
  const timer = setInterval(run, tickMs)
  timer.unref()
  return {
    accepted: (id) => {
      const entry = waiting.get(id)
      if (entry) entry.dueMs = Math.min(entry.dueMs, clock.monotonicMs())
      else if (parts.state().jobs.has(id)) {
        if (!parts.state().claims.has(id)) accepted.add(id)
        look(id)
      } else accepted.add(id)
      run()
    },
    touch: (touched) => {
      const ids = touched.all ? parts.state().jobs.keys() : touched.jobs
      for (const id of ids) look(id)
      // A node came, or has room again: what waits is tried without waiting for its turn.
      if (touched.nodes.size > 0 || touched.all)
        for (const entry of waiting.values())
          if (entry.tries > 0) entry.dueMs = Math.min(entry.dueMs, clock.monotonicMs() + 20)
      run()
    },
    stop: () => clearInterval(timer),
  }
}

/** Whether an open job has something to do that nobody does. */
function wantsHands({ claims, shards, shardClaims }: ClusterState, job: JobRecord): boolean {
  if (claims.has(job.id)) return false
  if (!isOfShards(job.kind)) return true
  const claimed = shardClaims.get(job.id)
  if (claimed === undefined) return true
  const records = [...(shards.get(job.id)?.values() ?? [])]
  const fitted = records.filter(({ value }) => value.fitted !== null).length
  return fitted + claimed.size < (job.shards ?? 0)
}

/** Offers a job of shards to every node that fits: each takes what nobody has. */
async function offerToAll(parts: DispatchParts, job: JobRecord): Promise<string | undefined> {
  const nodes = byLoad(parts.state(), new Map(), undefined).slice(0, offersToAllMax)
  const taken = await Promise.all(nodes.map((node) => offerTo(parts, job, node)))
  return nodes.find((_, i) => taken[i])?.instance
}

/** Offers a job to one node after another, least busy first, until one takes it. */
async function offer(
  parts: DispatchParts,
  job: JobRecord,
  entry: Waiting,
  recent: Map<string, number>,
): Promise<string | undefined> {
  const { acceptedBy } = entry
  const isPatient = entry.accepted < acceptedMax
  const nodes = byLoad(parts.state(), recent, isPatient ? acceptedBy : undefined)
  const others = nodes.filter((node) => node.instance !== acceptedBy)
  const order = isPatient || others.length === 0 ? nodes : others
  for (const node of order.slice(0, offersMax)) {
    const forget = countOne(recent, node.instance)
    // Until the node's own count says so; a guess that is wrong evens out.
    setTimeout(forget, 1_000).unref()
    if (await offerTo(parts, job, node)) return node.instance
    forget()
    if (!parts.state().jobs.has(job.id) || parts.state().claims.has(job.id)) return undefined
  }
  return undefined
}

async function offerTo(parts: DispatchParts, job: JobRecord, node: NodeRecord): Promise<boolean> {
  const peer = createPeer(node)
  const headers = parts.headersFor(peer, job.requestId)
  headers.push('content-type', 'application/json')
  const order: FitOrder = { job: job.id, ...(isOfShards(job.kind) ? { shards: true } : {}) }
  const { tryTimeoutMs: timeoutMs } = parts.bounds
  const body = JSON.stringify(order)
  const call = { method: 'POST', path: fitsPath, headers, body, timeoutMs } as const
  const reply = await parts.upstream.call(peer, call).reply
  if (reply.kind === 'reply' && reply.status >= 200 && reply.status < 300) return true
  const status = reply.kind === 'reply' ? reply.status : reply.kind
  parts.logger.debug({ event: 'fit-not-taken', job: job.id, node: peer.name, status })
  return false
}

/** Nodes that fit: who took it before, then those with the smallest share of their room taken. */
export function byLoad(
  state: ClusterState,
  recent: ReadonlyMap<string, number>,
  preferred: string | undefined,
): readonly NodeRecord[] {
  const nodes = [...state.nodes.values()]
    .map(({ value }) => value)
    .filter((node) => node.roles.includes('fit'))
  const load = ({ capacity, instance }: NodeRecord) =>
    instance === preferred
      ? -1
      : (capacity.fitsBusy + (recent.get(instance) ?? 0)) / Math.max(1, capacity.fits)
  return nodes.sort((a, b) => load(a) - load(b) || (a.instance < b.instance ? -1 : 1))
}

/** Counts an order; what comes back takes it off again, once. */
function countOne(recent: Map<string, number>, instance: string): () => void {
  recent.set(instance, (recent.get(instance) ?? 0) + 1)
  let isCounted = true
  return () => {
    if (!isCounted) return
    isCounted = false
    const count = (recent.get(instance) ?? 0) - 1
    if (count > 0) recent.set(instance, count)
    else recent.delete(instance)
  }
}
