import type { Buffer } from 'node:buffer'
import {
  type Clock,
  codec,
  codecs,
  forecastPath,
  NotLoaded,
  headers as names,
  type Random,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { type Ask, etagOf, idOf, type Whose } from './ask.ts'
import { areAllBusy, byRendezvous, chooseForShard, choosePeer, restingPeers } from './choose.ts'
import type { Cancel } from './flight.ts'
import { noteAnswer, openMax } from './load.ts'
import { answered, isResting, type Peer, rest } from './peer.ts'
import type { Answer } from './response-cache.ts'
import type { RetryBudget } from './retry-budget.ts'
import type { Router } from './router.ts'
import type { Holders } from './table.ts'
import type { Reply, Upstream } from './upstream.ts'

/** What asking the nodes for one version came to. */
export type Tried<T = Answer> = Finding<T> & Costs

type Finding<T = Answer> =
  | { readonly kind: 'answer'; readonly answer: T }
  /** A node's own refusal or failure, handed on as it is. */
  | {
      readonly kind: 'forward'
      readonly status: number
      readonly contentType: string
      readonly body: Buffer
    }
  /** The model moved on meanwhile: look at the table again. */
  | { readonly kind: 'moved' }
  /** Nobody to ask at present. */
  | { readonly kind: 'nobody'; readonly why: string }
  /** Every node that has it is at its limit of open requests. */
  | { readonly kind: 'busy' }
  /** Too many nodes broke off while they answered: it may be this request that does it. */
  | { readonly kind: 'exhausted'; readonly why: string }

type Costs = {
  /** Tries that a node may have worked on. */
  readonly sent: number
  /** Who broke off without an answer, here or in tries before: each once, however often. */
  readonly broken: readonly Peer[]
}

export type TryParts = {
  readonly router: Router
  readonly upstream: Upstream
  readonly budget: RetryBudget
  readonly bounds: Bounds
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly random: Random
  readonly clusterId: () => string | undefined
  readonly token: string | null
  readonly observe: (peer: Peer, reply: Reply, seconds: number) => void
}

/** What nodes are asked for, and what is made of an answer. */
export type Errand<Q extends Whose, T> = {
  readonly path: (ask: Q, version: number, load: boolean) => string
  /** What is sent along, as JSON; doing it twice does no harm. Without it nothing is. */
  readonly body?: (ask: Q) => string
  /** Undefined where the answer is not all that was asked for. */
  readonly read: (ask: Q, version: number, reply: Received) => T | undefined
  /** Takes its time also where nothing has to be loaded: it is no measure of a node. */
  readonly isLong: boolean
}

export type Attempt<Q extends Whose = Ask, T = Answer> = {
  readonly errand: Errand<Q, T>
  readonly ask: Q
  /** What nodes have an order for, if they do: see `chooseForShard`. */
  readonly shard: string | undefined
  readonly version: number
  readonly requestId: string
  /** Tries of this request that reached a node before. */
  readonly sentBefore: number
  readonly brokenBefore: readonly Peer[]
  /** Why nobody answered before. */
  readonly whyBefore: string | undefined
  /** From then on, monotonic, nobody is asked once more, and nothing is loaded any longer. */
  readonly endMs: number
  readonly cancel: Cancel
}

const notLoaded = codec(NotLoaded)

/**
 * Asks one node after another until one answers, within the bounds on tries and retries. A node
 * that was not reached, is not the one that was meant, or does not have the version, costs no try:
 * nobody worked on it. Nodes that are only silent are `nobody` in the end: worth waiting for.
 */
export async function tryNodes<Q extends Whose, T>(
  parts: TryParts,
  attempt: Attempt<Q, T>,
): Promise<Tried<T>> {
  const { router, clock } = parts
  const id = idOf(attempt.ask)
  const revision = router.table().models.get(id)?.modRevision
  const course: Course<T> = {
    tried: new Set(),
    sent: 0,
    broken: attempt.brokenBefore,
    refusal: undefined,
    why: undefined,
  }
  const told = (finding: Finding<T>): Tried<T> => ({
    ...finding,
    sent: course.sent,
    broken: course.broken,
  })
  for (;;) {
    const place = pick(parts, attempt, course.tried)
    if (place.kind !== 'peer') return told(course.refusal ?? withoutPeer(place.kind, course))
    const obstacle = mayTry(parts, attempt, course)
    if (obstacle) return told(course.refusal ?? obstacle)
    course.tried.add(place.peer)
    const startedMs = clock.monotonicMs()
    const timeoutMs = timeoutOf(parts, attempt, place, startedMs)
    const reply = await call(parts, attempt, place, timeoutMs)
    const nowMs = clock.monotonicMs()
    const tookMs = nowMs - startedMs
    parts.observe(place.peer, reply, tookMs / 1_000)
    const isMeasure = !place.load && !attempt.errand.isLong
    if (isMeasure) noteReply(parts, place.peer, reply, { nowMs, tookMs })
    if (!isTurnedAway(reply)) course.sent += 1
    // Again and again by one process that lives on, it is the way to it, and not this request.
    if (reply.kind === 'lost') course.broken = withAll(course.broken, [place.peer])
    const finding = judge(parts, attempt, { ...place, timeoutMs }, reply, course)
    if (finding) return told(finding)
    if (attempt.cancel.isCancelled) return told(abandoned)
    if (router.table().models.get(id)?.modRevision !== revision) return told({ kind: 'moved' })
  }
}

/** What was read from the store first would say nothing about how busy the node is. */
function noteReply(
  { bounds }: TryParts,
  { load, inFlight: open }: Peer,
  reply: Reply,
  times: { readonly nowMs: number; readonly tookMs: number },
): void {
  if (reply.kind === 'reply') noteAnswer(load, { open, ...times }, bounds)
}

/** Those of both, each once. */
export function withAll(peers: readonly Peer[], more: readonly Peer[]): readonly Peer[] {
  const others = more.filter((peer) => !peers.includes(peer))
  return others.length === 0 ? peers : [...peers, ...others]
}

/** Why there must not be one more try now, if so. */
function mayTry<Q extends Whose, T>(
  parts: TryParts,
  attempt: Attempt<Q, T>,
  course: Course<T>,
): Exclude<Finding<T>, { kind: 'answer' }> | undefined {
  const { bounds, budget } = parts
  const why = course.why ?? attempt.whyBefore ?? 'no more retries are allowed at present'
  if (course.broken.length >= bounds.triesMax) return { kind: 'exhausted', why }
  const isRetry = attempt.sentBefore + course.sent > 0
  if (isRetry && parts.clock.monotonicMs() >= attempt.endMs) return { kind: 'nobody', why }
  if (course.sent >= bounds.triesMax || (isRetry && !budget.take())) return { kind: 'nobody', why }
  return undefined
}

const abandoned: Finding<never> = { kind: 'exhausted', why: 'nobody waits any more' }

/** As after a restart under the same address, while the former registration still stands. */
function isTurnedAway(reply: Reply): boolean {
  if (reply.kind === 'unreached') return true
  return reply.kind === 'reply' && (refusals.has(reply.status) || reply.status === notLoadedStatus)
}

/** A node's words for 'I am not who you mean' and 'you may not ask'. */
const refusals = new Set([401, 403, 421])
/** A node's word for 'I do not have that version'. */
const notLoadedStatus = 409

type Course<T> = {
  readonly tried: Set<Peer>
  sent: number
  broken: readonly Peer[]
  /** What is handed on if no other node does better. */
  refusal: Finding<T> | undefined
  why: string | undefined
}

type Place =
  | { readonly kind: 'peer'; readonly peer: Peer; readonly load: boolean }
  | { readonly kind: 'busy' | 'nobody' }

function pick<Q extends Whose, T>(
  parts: TryParts,
  attempt: Attempt<Q, T>,
  tried: ReadonlySet<Peer>,
): Place {
  const { router, clock, random, bounds } = parts
  const { ask, version, shard } = attempt
  const id = idOf(ask)
  const table = router.table()
  const routes = table.models.get(id)
  const nowMs = clock.monotonicMs()
  const choice = {
    nowMs,
    random,
    shareMin: bounds.sharedRequestsMin,
    openMax: (peer: Peer) => openMax(peer.load, nowMs, bounds),
    isExcluded: (peer: Peer) => tried.has(peer) || router.isDenied(peer, id, version),
  }
  const holders = routes?.holders.get(version)
  const peer =
    holders &&
    (shard === undefined ? choosePeer(holders, choice) : chooseForShard(holders, shard, choice))
  if (peer) return { kind: 'peer', peer, load: false }
  if (holders && areAllBusy(holders, choice)) return { kind: 'busy' }
  // What serves is loaded by the nodes themselves; anything else only when it is asked for.
  if (routes === undefined || version === routes.record.serving) return { kind: 'nobody' }
  const loader = pickLoader(table.serving, shard ?? `${id} ${version}`, choice)
  return loader ? { kind: 'peer', peer: loader, load: true } : { kind: 'nobody' }
}

function pickLoader(
  serving: Holders,
  text: string,
  choice: Parameters<typeof choosePeer>[1],
): Peer | undefined {
  const all = [...serving.confirmed, ...serving.unconfirmed]
  const resting = restingPeers(all, choice.nowMs)
  return [serving.confirmed, serving.unconfirmed]
    .flatMap((peers) => byRendezvous(text, peers))
    .find(
      (peer) =>
        !choice.isExcluded(peer) && !resting.has(peer) && peer.inFlight < choice.openMax(peer),
    )
}

/** What is loaded first takes its time, but no more than the request has left. */
function timeoutOf<Q extends Whose, T>(
  { bounds }: TryParts,
  { endMs, errand }: Attempt<Q, T>,
  { load }: { readonly load: boolean },
  nowMs: number,
): number {
  if (errand.isLong) return bounds.streamPartMs
  if (!load) return bounds.tryTimeoutMs
  return Math.max(bounds.tryTimeoutMs, Math.min(bounds.pinnedTryTimeoutMs, endMs - nowMs))
}

async function call<Q extends Whose, T>(
  parts: TryParts,
  attempt: Attempt<Q, T>,
  place: { readonly peer: Peer; readonly load: boolean },
  timeoutMs: number,
): Promise<Reply> {
  const { errand, ask, version, requestId, cancel } = attempt
  const { peer, load } = place
  const path = errand.path(ask, version, load)
  const headers = internalHeaders(parts, peer, requestId)
  const body = errand.body?.(ask)
  const sent = { path, headers, timeoutMs }
  if (body !== undefined) headers.push('content-type', 'application/json')
  const under = parts.upstream.call(
    peer,
    body === undefined ? { method: 'GET', ...sent } : { method: 'POST', body, ...sent },
  )
  cancel.onCancel = under.cancel
  if (cancel.isCancelled) under.cancel()
  peer.inFlight += 1
  const reply = await under.reply
  peer.inFlight -= 1
  cancel.onCancel = undefined
  return reply
}

export function internalHeaders(
  parts: Pick<TryParts, 'clusterId' | 'token'>,
  peer: Peer,
  requestId: string,
): string[] {
  const clusterId = parts.clusterId() ?? ''
  const list = [names.cluster, clusterId, names.instance, peer.instance, names.requestId, requestId]
  if (parts.token !== null) list.push('authorization', `Bearer ${parts.token}`)
  return list
}

/** What a reply means for the node and the request: the end of it, or undefined to go on. */
function judge<Q extends Whose, T>(
  parts: TryParts,
  attempt: Attempt<Q, T>,
  { peer, load, timeoutMs }: { readonly peer: Peer; readonly load: boolean; timeoutMs: number },
  reply: Reply,
  course: Course<T>,
): Finding<T> | undefined {
  const nowMs = parts.clock.monotonicMs()
  switch (reply.kind) {
    case 'cancelled':
      return abandoned
    case 'unreached':
    case 'lost':
      rest(peer, nowMs, parts.bounds)
      course.why = `${peer.name}: ${reply.why}`
      return undefined
    case 'late':
      // One that was not given the whole time to load may be well.
      if (!load || timeoutMs >= parts.bounds.pinnedTryTimeoutMs) rest(peer, nowMs, parts.bounds)
      course.why = `${peer.name} did not answer in time`
      return undefined
    case 'reply':
      return judgeReply(parts, attempt, peer, reply, course)
  }
}

/** An answer as it came. */
type Received = Extract<Reply, { kind: 'reply' }>

function judgeReply<Q extends Whose, T>(
  parts: TryParts,
  attempt: Attempt<Q, T>,
  peer: Peer,
  reply: Received,
  course: Course<T>,
): Finding<T> | undefined {
  const { errand, ask, version } = attempt
  const { status } = reply
  if (!isResting(peer, parts.clock.monotonicMs())) answered(peer)
  if (status === 200) {
    const isMeant = reply.headers[names.modelVersion] === String(version)
    const answer = isMeant ? errand.read(ask, version, reply) : undefined
    if (answer !== undefined) return { kind: 'answer', answer }
    rest(peer, parts.clock.monotonicMs(), parts.bounds)
    course.why = `${peer.name} answered ${isMeant ? 'in part' : 'for another version'}`
    return undefined
  }
  if (status === notLoadedStatus && learn(parts, attempt, peer, reply)) return undefined
  if (refusals.has(status)) {
    parts.router.deny(peer, idOf(ask), version)
    course.why = `${peer.name} refused the request (${status})`
    return undefined
  }
  const contentType = textHeader(reply.headers['content-type']) ?? 'application/json'
  const forward: Finding<T> = { kind: 'forward', status, contentType, body: reply.body }
  // A failure to compute may be the node's: one other node may say. Overload: somebody else may
  // have room.
  const mayBeTheNode = status >= 500 || status === 429
  if (!mayBeTheNode) return forward
  if (status !== 503 && status !== 429 && course.refusal) return forward
  course.refusal = forward
  return undefined
}

/** Whether this was about the version not being there; takes over what the node knows. */
function learn<Q extends Whose, T>(
  parts: TryParts,
  attempt: Attempt<Q, T>,
  peer: Peer,
  reply: Received,
): boolean {
  const body = notLoaded.decode(reply.body.toString('utf8'))
  if (!body.ok) return false
  const id = idOf(attempt.ask)
  parts.router.deny(peer, id, attempt.version)
  const record = body.value.record === null ? undefined : codecs.model.decode(body.value.record)
  if (record?.ok) parts.router.adopt(id, record.value, body.value.modRevision, peer)
  return true
}

function withoutPeer<T>(kind: 'busy' | 'nobody', course: Course<T>): Finding<T> {
  if (kind === 'busy') return { kind }
  return { kind: 'nobody', why: course.why ?? 'no node has it' }
}

/** The errand of a forecast. */
export const forecastErrand: Errand<Ask, Answer> = {
  path: ({ tenant, model, horizon, query }, version, load) =>
    forecastPath(tenant, model, version, horizon, load ? withLoad(query) : query),
  read: (ask, version, { headers, body }) => {
    const contentType = textHeader(headers['content-type']) ?? 'application/json'
    return { version, etag: etagOf(ask, version), contentType, body }
  },
  isLong: false,
}

/** The query with which a node loads what it does not have. */
export const withLoad = (query: string) => (query ? `${query}&load=true` : 'load=true')

function textHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}
